// SPDX-License-Identifier: MIT
// A Go program whose stacks are C's and Go's in turn: a goroutine that calls C, which calls Go; with "thread" a thread of
// C's own that does. Each line of input is answered with a word on whether the sums are right.
package main

/*
#include <pthread.h>

extern int back(int n);

static int deep(int n)
{
	return back(n) + 1;
}

static void *thread(void *arg)
{
	for (;;)
		if (back(200) != 19900)
			*(volatile int *)arg = 1;
}

static int wrong;

static void begin(void)
{
	pthread_t id;

	pthread_create(&id, 0, thread, &wrong);
}

static int is_wrong(void)
{
	return wrong;
}
*/
import "C"

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

var rounds int64

//go:noinline
func Add(a, b int) int { return a + b }

//export back
func back(n C.int) C.int {
	s := 0
	for k := 0; k < 200; k++ {
		s = 0
		for i := 0; i < int(n); i++ {
			s = Add(s, i)
		}
	}
	atomic.AddInt64(&rounds, 1)
	return C.int(s)
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "thread" {
		C.begin()
	} else {
		go func() {
			for {
				if C.deep(200) != 19901 {
					fmt.Println("wrong")
					os.Exit(9)
				}
			}
		}()
	}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		runtime.GC()
		before := atomic.LoadInt64(&rounds)
		for atomic.LoadInt64(&rounds) < before+2 {
			time.Sleep(100 * time.Microsecond)
		}
		if C.is_wrong() != 0 {
			fmt.Println("wrong")
		}
		fmt.Println("well 0 0 0")
	}
}
