// SPDX-License-Identifier: MIT
// Go's runtime in a program: where its functions and variables are, and the fields of its structures.
// Told by symbols and debug information where there are any; else by its code and a table of
// versions, and looked at before it is believed.
#ifndef DEBUGGER_SYMBOLS_GO_RUNTIME_H
#define DEBUGGER_SYMBOLS_GO_RUNTIME_H

#include "debugger/symbols/symbols.h"

// The program has Go's table of functions.
bool symbols_has_go_runtime(struct symbols *symbols);
// Every symbol of code and data, by its whole name. false: nothing names them.
bool symbols_go_each(struct symbols *symbols,
		     void (*visit)(const char *name, uint64_t addr, uint64_t size, void *arg),
		     void *arg);
// "go1.19.8"; "": it does not say.
const char *symbols_go_version(struct symbols *symbols);
int symbols_go_minor(struct symbols *symbols); // 19; 0: it does not say

// How far into its structures the runtime has what.
struct go_offsets {
	struct {
		uint32_t id, status, wait_reason, wait_since, m, locked_m, sched, pc, start_pc;
		uint32_t labels, syscall_sp, syscall_pc, parent, panic, defer, link, async;
	} g;
	struct {
		uint32_t sp, pc, bp;
	} saved; // in g.sched
	struct {
		uint32_t id, thread, current, next, g0, gsignal, p, locks;
	} m;
	struct {
		uint32_t lock, g, parked;
	} sweep;
	bool has_parent;
	bool has_label_lists; // labels are lists, not maps
};

struct go_layout {
	struct go_offsets at;
	uint64_t allgs, allm; // addresses of the variables
	// 0: not known.
	uint64_t wait_reasons, nr_wait_reasons, hook, sweep;
};
// *found false: it is no Go program. REFUSED: it is one that does not tell enough of itself.
struct dc_error *symbols_go_layout(struct symbols *symbols, struct go_layout *ret,
				   bool *found) DC_CHECK;

#endif
