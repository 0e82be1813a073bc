// SPDX-License-Identifier: MIT
// A Go program that is called into, and verifies itself meanwhile: sums of integers and floats, and
// a heap whose contents it knows. On standard input each line asks for the collector and a word on
// how it is.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

var rounds, calls, deferred, trapped int64
var sink int
var garbage []byte
var release = make(chan int)

//go:noinline
func Add(a, b int) int { return a + b }

//go:noinline
func Count(n int) int { return int(atomic.AddInt64(&calls, int64(n))) }

//go:noinline
func Mean(a, b float64, n int32) (float64, bool) { return (a + b) / float64(n), n > 2 }

//go:noinline
func Many(a, b, c, d, e, f, g, h, i, j, k, l int, x, y float32) (int, float32) {
	return a + b + c + d + e + f + g + h + i + j*10 + k*100 + l*1000, x - y
}

//go:noinline
func Length(s string) int { return len(s) + strings.Count(s, "o")*100 }

//go:noinline
func Index(i int) int { var a []int; return a[i] }

//go:noinline
func Fail(s string) int {
	if s == "error" {
		panic(errors.New("no such thing"))
	}
	if s == "number" {
		panic(42)
	}
	if s == "nil" {
		var p *int
		return *p
	}
	panic("it said " + s)
}

//go:noinline
func Exit(i int) int {
	defer func() { deferred++ }()
	runtime.Goexit()
	return i
}

//go:noinline
func grow(n int) int {
	var a [512]int
	a[n%512] = n
	if n == 0 {
		return 0
	}
	return grow(n-1) + a[(n*7)%512]
}

//go:noinline
func Heavy(n, k int) int { garbage = make([]byte, n); runtime.GC(); return grow(k)*0 + len(garbage) }

//go:noinline
func Nap(ms int) int { time.Sleep(time.Duration(ms) * time.Millisecond); return ms }

//go:noinline
func Hold() int { return <-release }

//go:noinline
func Release(n int) { release <- n }

//go:noinline
func Loop(a int) int {
	for {
		sink = Add(sink, a)
	}
}

//go:noinline
func End(status int) int { os.Exit(status); return 0 }

//go:noinline
func sum(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		s = Add(s, i)
	}
	return s
}

//go:noinline
func mix(x, y, z, w float64, n int) float64 {
	for i := 0; i < n; i++ {
		x, y, z, w = y+0.5, z*1.0000001, w-0.25, x/1.0000002
	}
	return x + y + z + w
}

func wrong(what string) {
	fmt.Println("wrong:", what)
	os.Exit(9)
}

func verify() {
	sums, mixed := sum(200), mix(1, 2, 3, 4, 100)
	for {
		if sum(200) != sums {
			wrong("a sum")
		}
		if mix(1, 2, 3, 4, 100) != mixed {
			wrong("a float")
		}
		time.Now()
		atomic.AddInt64(&rounds, 1)
	}
}

type node struct {
	next  *node
	value int
	bytes []byte
}

func allocate() {
	for {
		var list *node
		total := 0
		for i := 0; i < 300; i++ {
			list = &node{list, i, make([]byte, 50+i)}
			list.bytes[i%50] = byte(i)
			total += i + int(byte(i))
		}
		for n := list; n != nil; n = n.next {
			total -= n.value + int(n.bytes[n.value%50])
		}
		if total != 0 {
			wrong("the heap")
		}
		atomic.AddInt64(&rounds, 1)
	}
}

// Goroutines that are parked nearly always, and for ever.
var ticks = make(chan int)
var waiter, never int

func id() int {
	var text [64]byte
	n := 0
	fmt.Sscanf(string(text[:runtime.Stack(text[:], false)]), "goroutine %d ", &n)
	return n
}

//go:noinline
func wait(depth int, count *int) int {
	if depth > 0 {
		return wait(depth-1, count) + 1
	}
	for {
		before := *count
		select {
		case n := <-ticks:
			*count += n
		case <-release:
		}
		if *count != before+1 {
			wrong("a count on a stack")
		}
		atomic.AddInt64(&rounds, 1)
	}
}

func park() {
	ready := make(chan bool)
	go func() {
		count := 0
		waiter = id()
		ready <- true
		wait(20, &count)
	}()
	<-ready
	go func() {
		never = id()
		ready <- true
		select {}
	}()
	<-ready
	go func() {
		for {
			ticks <- 1
			time.Sleep(5 * time.Millisecond)
		}
	}()
}

func main() {
	mode := ""
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	if len(os.Args) > 9 {
		mean, yes := Mean(1, 2, 3)
		total, difference := Many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2)
		fmt.Println(Count(1), mean, yes, total, difference, Length("a"), Index(1), Fail("a"), Exit(1),
			Heavy(1, 2), Nap(1), Hold(), Loop(1), End(1), deferred)
		Release(1)
	}
	switch mode {
	case "busy":
		go verify()
	case "heap":
		for i := 0; i < 8; i++ {
			go allocate()
		}
		go verify()
	case "parked":
		park()
	case "notify":
		traps := make(chan os.Signal, 10)
		signal.Notify(traps, syscall.SIGTRAP)
		go func() {
			for range traps {
				atomic.AddInt64(&trapped, 1)
			}
		}()
	}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		runtime.GC()
		before := atomic.LoadInt64(&rounds)
		for (mode == "busy" || mode == "heap" || mode == "parked") && atomic.LoadInt64(&rounds) < before+2 {
			time.Sleep(100 * time.Microsecond)
		}
		fmt.Println("well", atomic.LoadInt64(&calls), deferred, atomic.LoadInt64(&trapped))
	}
}
