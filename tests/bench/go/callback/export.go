// SPDX-License-Identifier: MIT
// A callback into Go from threads that C made: the first and the later ones.
package main

/*
#include <stdint.h>
void run_threads(void);
int64_t at(int which, int i);
*/
import "C"
import (
	"fmt"
	"sort"
)

//export nothing
func nothing() {}

func median(which C.int) int64 {
	var s []int64
	for i := 0; i < 51; i++ {
		s = append(s, int64(C.at(which, C.int(i))))
	}
	sort.Slice(s, func(i, j int) bool { return s[i] < s[j] })
	return s[25]
}

func main() {
	C.run_threads()
	fmt.Println(median(0), median(1))
}
