// SPDX-License-Identifier: MIT
// The figures of gort_micro.c, measured the same way in Go.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	yieldCount = 3000000
	batch      = 1000
	batches    = 300
	tripCount  = 1000000
	itemCount  = 2000000
	producers  = 4
	sleeperN   = 100000
	samplesN   = 1001
)

var parameter int
var start = time.Now()

func now() int64 { return int64(time.Since(start)) }

func percentiles(s []int64) {
	sort.Slice(s, func(i, j int) bool { return s[i] < s[j] })
	fmt.Println(s[len(s)/2], s[len(s)*99/100])
}

func yields() {
	n := yieldCount
	if parameter > 0 {
		n = parameter
	}
	var began int64
	for round := 0; round < 2; round++ {
		var wg sync.WaitGroup
		began = now()
		wg.Add(2)
		for i := 0; i < 2; i++ {
			go func() {
				for k := 0; k < n; k++ {
					runtime.Gosched()
				}
				wg.Done()
			}()
		}
		wg.Wait()
	}
	fmt.Printf("%.2f\n", float64(now()-began)/float64(2*n))
}

func spawn() {
	var wg sync.WaitGroup
	var began int64
	for b := -batches / 3; b < batches; b++ {
		if b == 0 {
			began = now()
		}
		wg.Add(batch)
		for i := 0; i < batch; i++ {
			go wg.Done()
		}
		wg.Wait()
	}
	fmt.Printf("%.1f\n", float64(now()-began)/float64(batches*batch))
}

func trips() {
	n := tripCount
	if parameter > 0 {
		n = parameter
	}
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	var began int64
	for i := -n / 10; i < n; i++ {
		if i == 0 {
			began = now()
		}
		ping <- i
		<-pong
	}
	fmt.Printf("%.1f\n", float64(now()-began)/float64(n))
}

func mpmc() {
	var began int64
	for round := 0; round < 2; round++ {
		began = now()
		items := make(chan int, 128)
		var wg, consumers sync.WaitGroup
		wg.Add(producers)
		consumers.Add(producers)
		for i := 0; i < producers; i++ {
			go func() {
				for range items {
				}
				consumers.Done()
			}()
			go func() {
				for k := 0; k < itemCount/producers; k++ {
					items <- k
				}
				wg.Done()
			}()
		}
		wg.Wait()
		close(items)
		consumers.Wait()
	}
	fmt.Printf("%.1f\n", float64(now()-began)/itemCount)
}

func statusKiB(name string) int64 {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, name) {
			v, _ := strconv.ParseInt(strings.Fields(line)[1], 10, 64)
			return v
		}
	}
	return 0
}

func park(n int) {
	var here int64
	gate := make(chan int)
	for i := 0; i < n; i++ {
		go func() {
			atomic.AddInt64(&here, 1)
			<-gate
		}()
	}
	for atomic.LoadInt64(&here) < int64(n) {
		runtime.Gosched()
	}
}

func memory() {
	n := 1000000
	if parameter > 0 {
		n = parameter
	}
	before := statusKiB("VmRSS:") + statusKiB("VmPTE:")
	park(n)
	fmt.Println((statusKiB("VmRSS:") + statusKiB("VmPTE:") - before) * 1024 / int64(n))
}

func sleepers() {
	lateness := make([]int64, sleeperN)
	var wg sync.WaitGroup
	wg.Add(sleeperN)
	base := now()
	for i := 0; i < sleeperN; i++ {
		go func(i int) {
			due := base + 500000000 + int64(i*7919%sleeperN)*(1000000000/sleeperN)
			time.Sleep(time.Duration(due - now()))
			lateness[i] = now() - due
			wg.Done()
		}(i)
	}
	wg.Wait()
	percentiles(lateness)
}

var quit int32

func loop(wg *sync.WaitGroup) {
	for atomic.LoadInt32(&quit) == 0 {
	}
	wg.Done()
}

func preempt() {
	s := make([]int64, 101)
	var wg sync.WaitGroup
	for i := range s {
		began := now()
		atomic.StoreInt32(&quit, 0)
		wg.Add(1)
		go loop(&wg)
		runtime.Gosched()
		s[i] = now() - began
		atomic.StoreInt32(&quit, 1)
		wg.Wait()
	}
	percentiles(s)
}

func handoff() {
	var fds [2]int
	if syscall.Pipe(fds[:]) != nil {
		os.Exit(1)
	}
	s := make([]int64, 201)
	var blocked int64
	var wg sync.WaitGroup
	for i := range s {
		wg.Add(1)
		go func() {
			var b [1]byte
			atomic.StoreInt64(&blocked, now())
			syscall.Read(fds[0], b[:])
			wg.Done()
		}()
		runtime.Gosched()
		s[i] = now() - atomic.LoadInt64(&blocked)
		syscall.Write(fds[1], []byte{'x'})
		wg.Wait()
	}
	percentiles(s)
}

func stops() {
	s := make([]int64, samplesN)
	for i := range s {
		began := now()
		runtime.GOMAXPROCS(2 + i&1)
		s[i] = now() - began
	}
	percentiles(s)
}

func stopsBusy() {
	var wg sync.WaitGroup
	wg.Add(2)
	go loop(&wg)
	go loop(&wg)
	time.Sleep(20 * time.Millisecond)
	stops()
	atomic.StoreInt32(&quit, 1)
}

func allThreads() {
	var here int32
	gate := make(chan int)
	for i := 0; i < 9; i++ {
		go func() {
			runtime.LockOSThread()
			atomic.AddInt32(&here, 1)
			<-gate
		}()
	}
	for atomic.LoadInt32(&here) < 9 {
		runtime.Gosched()
	}
	s := make([]int64, samplesN)
	for i := range s {
		began := now()
		if r, _, e := syscall.AllThreadsSyscall(syscall.SYS_GETPID, 0, 0, 0); e != 0 || int(r) != os.Getpid() {
			fmt.Println("-")
			return
		}
		s[i] = now() - began
	}
	percentiles(s)
}

func traces() {
	park(100000)
	text := make([]byte, 128<<20)
	s := make([]int64, 11)
	for i := range s {
		began := now()
		runtime.Stack(text, true)
		s[i] = now() - began
	}
	percentiles(s)
}

// Go's records are not grouped: one for each goroutine.
func profile() {
	park(100000)
	records := make([]runtime.StackRecord, 101000)
	s := make([]int64, 11)
	for i := range s {
		began := now()
		_, ok := runtime.GoroutineProfile(records)
		s[i] = now() - began
		if !ok {
			os.Exit(1)
		}
	}
	percentiles(s)
}

func panics() {
	defer func() { recover() }()
	panic("x")
}

func catches() {
	began := now()
	for i := 0; i < 300000; i++ {
		panics()
	}
	fmt.Printf("%.1f\n", float64(now()-began)/300000)
}

func main() {
	if len(os.Args) > 2 {
		parameter, _ = strconv.Atoi(os.Args[2])
	}
	for name, fn := range map[string]func(){
		"yield": yields, "spawn": spawn, "trip": trips, "mpmc": mpmc, "memory": memory,
		"sleepers": sleepers, "preempt": preempt, "handoff": handoff, "stops": stops,
		"stops-busy": stopsBusy, "all-threads": allThreads, "traces": traces, "profile": profile, "panic": catches,
	} {
		if name == os.Args[1] {
			fn()
		}
	}
}
