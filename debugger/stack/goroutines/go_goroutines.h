// SPDX-License-Identifier: MIT
// The goroutines of a real Go program, as its runtime's memory shows them. Stops nothing: each
// structure is one copy, and neighbours may be from different moments.
#ifndef DEBUGGER_STACK_GOROUTINES_GO_GOROUTINES_H
#define DEBUGGER_STACK_GOROUTINES_GO_GOROUTINES_H

#include "debugger/stack/goroutines/goroutines.h"
#include "debugger/stack/unwind.h"
#include "debugger/symbols/go_runtime.h"

// The newest first, without dead ones.
struct dc_error *go_goroutines_read(struct process *process, struct symbols *symbols,
				    const struct go_layout *layout,
				    struct goroutines *ret) DC_CHECK;
// A thread of the runtime's, as far as somebody who borrows it needs that.
struct go_machine {
	uint64_t addr, id, thread, next; // thread: as the target sees it; 0: it has none
	uint64_t g0, gsignal, p, current; // current: the goroutine that it runs
	int32_t locks;
	pid_t tid; // thread as we see it, where somebody has asked
};
bool go_machine_read(struct process *process, const struct go_layout *layout, uint64_t addr,
		     struct go_machine *ret);
// VALUE when the list is damaged; malloc'd.
struct dc_error *go_machines_list(struct process *process, const struct go_layout *layout,
				  struct go_machine **ret, size_t *n) DC_CHECK;
struct dc_error *go_machines_read(struct process *process, const struct go_layout *layout,
				  struct machines *ret) DC_CHECK;
// It has not run since it was read.
struct dc_error *go_waits_still(struct process *process, const struct go_layout *layout,
				const struct goroutine *g, bool *ret) DC_CHECK;
// The places on the stack of one that does not run, by its frame pointers.
struct dc_error *go_walk(struct process *process, const struct goroutine *g, struct unwound *frames,
			 size_t max, size_t *n, bool *complete) DC_CHECK;

#endif
