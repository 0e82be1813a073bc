// SPDX-License-Identifier: MIT
// The names of functions in which a thread must not be borrowed.
#ifndef DEBUGGER_INJECT_SAFEPOINT_UNSAFE_NAMES_H
#define DEBUGGER_INJECT_SAFEPOINT_UNSAFE_NAMES_H

#include "debugger/debugcall.h"

enum {
	NAME_ALLOCATOR = 1, // in any module
	NAME_LIBC = 2, // in libc: holds a lock of libc's
	NAME_STDIO = 4, // in libc: holds a FILE's lock
	NAME_ALLOCATOR_EXPORT = 8, // exported by the object that is libc's allocator
	NAME_JUMPS = 16, // exported, and ends in a jump to a local function of its object
};

enum { UNSAFE_NAME_SLOTS = 2048 };

struct unsafe_names {
	struct {
		const char *name; // NULL: empty
		unsigned bits;
	} slots[UNSAFE_NAME_SLOTS];
};
void unsafe_names_init(struct unsafe_names *names);
unsigned unsafe_names_match(const struct unsafe_names *names, const char *symbol);
// Modules that are nothing but allocator or dynamic linker.
bool unsafe_names_whole_module(const char *module);
// A sanitizer's runtime: it wraps libc's functions and brings an allocator.
bool unsafe_names_sanitizer_module(const char *module);
// libc by its module's name, of any make.
bool unsafe_names_libc_module(const char *module);

#endif
