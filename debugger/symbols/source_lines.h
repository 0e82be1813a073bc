// SPDX-License-Identifier: MIT
// Lines of source files and the code that they became, by the line tables of the debug information.
#ifndef DEBUGGER_SYMBOLS_SOURCE_LINES_H
#define DEBUGGER_SYMBOLS_SOURCE_LINES_H

#include "debugger/symbols/symbols.h"

struct source_line {
	uint64_t addr, end; // in the target; end: where the next row of the table begins
	const char *file;
	int line;
};
typedef bool line_visit(const struct source_line *, void *arg); // false ends it

// The rows that begin in [start, end), and the one that start is in, by address.
struct dc_error *symbols_lines_in(struct symbols *symbols, uint64_t start, uint64_t end,
				  line_visit *visit, void *arg) DC_CHECK;
// The code of the function around the address. False: no symbol with a size covers it.
bool symbols_function_bounds(struct symbols *symbols, uint64_t addr, uint64_t *start,
			     uint64_t *end);
// Names in force at a place. DIE order within a block, the innermost block first.
enum names_of { NAMES_ARGUMENTS, NAMES_LOCALS };
struct dc_error *symbols_each_local(struct symbols *symbols, const struct symbols_frame *frame,
				    enum names_of which, bool (*visit)(const char *name, void *),
				    void *arg) DC_CHECK;

#endif
