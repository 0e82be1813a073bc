// SPDX-License-Identifier: MIT
// Code in which a thread must not be borrowed, as sorted address ranges. Made before any stop;
// looking an address up costs a binary search.
#ifndef DEBUGGER_INJECT_SAFEPOINT_UNSAFE_H
#define DEBUGGER_INJECT_SAFEPOINT_UNSAFE_H

#include "debugger/symbols/symbols.h"

enum unsafe_kind {
	UNSAFE_ALWAYS, // holds locks or half-changed state of the allocator, the linker, libc
	UNSAFE_STDIO, // holds a FILE's lock
	UNSAFE_RESTORER, // a signal handler returns here; only as a return address
};

struct unsafe_range {
	uint64_t start, end;
	enum unsafe_kind kind;
	const char *what, *module; // belong to symbols
};

enum { UNSAFE_CLUSTERS = 16 };

struct unsafe_table {
	struct unsafe_range *ranges; // sorted, disjoint
	size_t n;
	// Address spans that hold all ranges, so that most words of a stack cost two comparisons.
	struct {
		uint64_t start, end;
	} clusters[UNSAFE_CLUSTERS];
	size_t nr_clusters;
	bool is_blind; // no allocator was found: code cannot be told apart
};

struct dc_error *unsafe_table_create(struct process *process, struct symbols *symbols,
				     struct unsafe_table *ret) DC_CHECK;
void unsafe_table_deinit(struct unsafe_table *table);
// The range that holds the address; NULL: none.
const struct unsafe_range *unsafe_find(const struct unsafe_table *table, uint64_t addr);

#endif
