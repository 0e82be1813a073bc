#!/bin/sh
# SPDX-License-Identifier: MIT
# What rests on the kernel's ways, by its own tests: events of breakpoints, signal frames, memory and /proc; libgort's
# stacks, threads and retaking. Their counts add up, one plan each.
for test in unit/kernel_breakpoint unit/chain unit/process unit/memory \
	runtime/sched_life runtime/sched_setid runtime/sched_allthreads runtime/sched_retake; do
	echo "# $test"
	"$B/tests/$test" || status=1
done
exit "${status:-0}"
