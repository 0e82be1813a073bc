// SPDX-License-Identifier: MIT
// The goroutines of a real Go program, as its runtime's memory shows them. Stops nothing: each
// structure is one copy, and neighbours may be from different moments.
#ifndef DEBUGGER_STACK_GOROUTINES_GO_GOROUTINES_H
#define DEBUGGER_STACK_GOROUTINES_GO_GOROUTINES_H

#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/stack/unwind.h"

// Where the runtime has what; by the program's symbols and debug information.
struct go_layout {
	uint64_t allgs, allm, wait_reasons, nr_wait_reasons; // addresses of the variables
	struct {
		uint32_t id, status, wait_reason, wait_since, m, locked_m, sched, pc, start_pc;
		uint32_t labels, syscall_sp, syscall_pc, parent;
		bool has_parent;
	} g;
	struct {
		uint32_t sp, pc, bp;
	} saved; // in g.sched
	struct {
		uint32_t id, thread, current, next;
	} m;
	bool has_label_lists; // labels are lists, not maps
};
// *found false: it is no Go program. REFUSED: it is one that does not tell enough of itself.
struct dc_error *go_layout_find(struct symbols *symbols, struct go_layout *ret,
				bool *found) DC_CHECK;
// The newest first, without dead ones.
struct dc_error *go_goroutines_read(struct process *process, struct symbols *symbols,
				    const struct go_layout *layout,
				    struct goroutines *ret) DC_CHECK;
struct dc_error *go_machines_read(struct process *process, const struct go_layout *layout,
				  struct machines *ret) DC_CHECK;
// It has not run since it was read.
struct dc_error *go_waits_still(struct process *process, const struct go_layout *layout,
				const struct goroutine *g, bool *ret) DC_CHECK;
// The places on the stack of one that does not run, by its frame pointers.
struct dc_error *go_walk(struct process *process, const struct goroutine *g, struct unwound *frames,
			 size_t max, size_t *n, bool *complete) DC_CHECK;

#endif
