// SPDX-License-Identifier: MIT
// A small HTTP server in Go with a cache of users, for the demo: /NAME counts a visit, and answers with how many there
// were. It prints its port.
package main

import (
	"fmt"
	"net"
	"net/http"
	"sync"
)

type user struct {
	Name string
	Hits int
}

var lock sync.Mutex
var users = map[string]*user{}

//go:noinline
func lookup(name string) (user, bool) {
	lock.Lock()
	defer lock.Unlock()
	found, ok := users[name]
	if !ok {
		return user{}, false
	}
	return *found, true
}

//go:noinline
func visits() int {
	lock.Lock()
	defer lock.Unlock()
	n := 0
	for _, one := range users {
		n += one.Hits
	}
	return n
}

//go:noinline
func must(name string) string {
	found, ok := lookup(name)
	if !ok {
		panic("no user " + name)
	}
	return found.Name
}

func serve(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[1:]
	lock.Lock()
	one, ok := users[name]
	if !ok {
		one = &user{Name: name}
		users[name] = one
	}
	one.Hits++
	hits := one.Hits
	lock.Unlock()
	fmt.Fprintln(w, hits)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if visits() > 0 {
		fmt.Println(must(""))
	}
	panic(http.Serve(listener, http.HandlerFunc(serve)))
}
