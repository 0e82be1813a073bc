// SPDX-License-Identifier: MIT
// The same as gaps.c in Go, for Delve: a goroutine watches the clock and publishes the longest gap it saw.
package main

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

//go:noinline
func nextValue(a int) int {
	return a + 1
}

func main() {
	file, err := os.OpenFile(os.Args[1], os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	page, err := syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	words := (*[3]int64)(unsafe.Pointer(&page[0]))
	atomic.StoreInt64(&words[2], int64(syscall.Gettid()+nextValue(0)-1))
	last := time.Now()
	for {
		// Reading the clock is no place for a call of Delve's; so it is not read all the time.
		for i := 0; i < 200; i++ {
			nextValue(i)
		}
		now := time.Now()
		gap := int64(now.Sub(last))
		if atomic.LoadInt64(&words[1]) != 0 {
			atomic.StoreInt64(&words[0], 0)
			atomic.StoreInt64(&words[1], 0)
		} else if gap > atomic.LoadInt64(&words[0]) {
			atomic.StoreInt64(&words[0], gap)
		}
		last = now
	}
}
