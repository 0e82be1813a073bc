// SPDX-License-Identifier: MIT
// A language's types in terms of the calling convention: how the arguments of a call and its result
// travel. Pure: knows nothing of hosts.
#ifndef DEBUGGER_INJECT_CLASSIFY_H
#define DEBUGGER_INJECT_CLASSIFY_H

#include "debugger/arch/x86_64/abi.h"
#include "debugger/values/caller.h"

// Code REFUSED, naming the type, when an argument or the result cannot be passed exactly
// (__float128, _Float16, decimal floats, incomplete types, …), or when
// compilers differ on it and function->compiler does not tell which.
struct dc_error *classify_check(const struct type *function) DC_CHECK;
// Code REFUSED: where the function's code has its parameters shows that it takes others than its
// source says. What no debug information shows is none: a result that nobody uses, say.
struct dc_error *classify_body(const struct function *function) DC_CHECK;
struct dc_error *classify_call(const struct typed_call *call, struct abi_entry *ret) DC_CHECK;
// Whether the callee leaves its result where its caller has said, and that address in RAX.
struct dc_error *classify_where(const struct typed_call *call, bool *in_memory) DC_CHECK;
// bytes: as many as the result's type has, malloc'd; NULL for void.
struct dc_error *classify_result(const struct typed_call *call, const struct abi_exit *exit,
				 unsigned char **bytes) DC_CHECK;

#endif
