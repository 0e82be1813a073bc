// SPDX-License-Identifier: MIT
// Where the target keeps its unwind tables: the .eh_frame_hdr that its own program headers name,
// read from its memory, so that deleted, replaced and stripped files and the vdso are all the same.
#ifndef DEBUGGER_STACK_TABLES_H
#define DEBUGGER_STACK_TABLES_H

#include "debugger/stack/view.h"

struct tables {
	uint64_t start, end; // of the executable segment; 0, 0: none
	uint64_t entry; // the module's entry point
	uint64_t header; // .eh_frame_hdr; 0: none
	uint64_t table, nr_entries; // its binary search table; 0 entries: none
};
// What belongs to the code at addr; false when it is in no ELF image that is mapped with its
// header.
bool tables_find(struct view *view, uint64_t addr, struct tables *ret);

#endif
