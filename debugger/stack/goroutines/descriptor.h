// SPDX-License-Identifier: MIT
// What a program with a debug call host of its own says about itself: found by its ELF note,
// checked before anything in it is believed. Stops nothing.
#ifndef DEBUGGER_STACK_GOROUTINES_DESCRIPTOR_H
#define DEBUGGER_STACK_GOROUTINES_DESCRIPTOR_H

#include "debugger/target/maps.h"
#include "protocol/descriptor.h"

enum {
	DESCRIPTOR_OBJECT_MAX = 4096, // bytes of a struct g or struct m
	DESCRIPTOR_TEXTS_MAX = 256, // statuses, or wait reasons
};

// NULL and *found false: the program has no such host. REFUSED: it has one that cannot be used, and
// why.
struct dc_error *descriptor_find(struct process *process, const struct maps *maps,
				 struct debugcall_descriptor *ret, bool *found) DC_CHECK;

// The n bytes at address addr of the target, which claim to be a descriptor. Pure.
struct dc_error *descriptor_check(const void *bytes, size_t n, uint64_t addr,
				  const struct maps *maps,
				  struct debugcall_descriptor *ret) DC_CHECK;

#endif
