// SPDX-License-Identifier: MIT
// A place that threads stop at, in the target's memory: one for all breakpoints that mean it. It is
// armed in every thread by one of the processor's breakpoints, or for all threads by a uprobe or a
// patch of the code.
#ifndef DEBUGGER_CONTROL_LOCATION_H
#define DEBUGGER_CONTROL_LOCATION_H

#include "debugger/target/kernel_breakpoint.h"

enum location_way {
	LOCATION_HARDWARE,
	LOCATION_UPROBE,
	LOCATION_PATCH, // which does not leave with us
};

struct location {
	struct location *next;
	uint64_t addr;
	enum kernel_breakpoint_kind kind;
	size_t size; // of what is watched
	unsigned users;
	enum location_way way;
	struct filter *filter; // the kernel judges hits, in threads that have it; NULL: in none
	bool is_judged; // it has a condition to judge by
};

// Of the four that a processor has, one is kept for steps.
enum { LOCATIONS_MAX = 3, SLOTS = 4, SLOT_STEP = 3 };

// One thread's events, by the order of locations; the last is its steps'.
struct slot {
	struct kernel_breakpoint event;
	const struct location *location; // NULL: free, or a step's
};

#endif
