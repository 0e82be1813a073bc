// SPDX-License-Identifier: MIT
// A condition as a program for the kernel, which then judges hits itself. Pure.
#ifndef DEBUGGER_CONTROL_JUDGE_H
#define DEBUGGER_CONTROL_JUDGE_H

#include "debugger/base/error.h"
#include "debugger/target/bpf_program.h"
#include "debugger/values/predicate.h"

// What filter_set() takes: 0 in R0 where the predicate is 0, something else where it is not, or has
// no value: whoever is told then finds out why. REFUSED: it is too long.
struct dc_error *judge_compile(const struct predicate *predicate, struct bpf_program *ret) DC_CHECK;

#endif
