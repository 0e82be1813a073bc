// SPDX-License-Identifier: MIT
// The stacks of goroutines, for dc_stacks(). Empty in a program that has none.
#ifndef DEBUGGER_SESSION_GOROUTINE_STACKS_H
#define DEBUGGER_SESSION_GOROUTINE_STACKS_H

#include "debugger/session/session.h"
#include "debugger/stack/dump.h"
#include "debugger/stack/goroutines/goroutines.h"

struct goroutine_stacks {
	struct goroutines all;
	struct machines machines;
	// Of those that no thread runs.
	const struct goroutine **goroutines;
	struct dump_thread *threads; // only what a walk gives
	size_t n;
};
struct dc_error *goroutine_stacks_take(struct dc_session *session,
				       struct goroutine_stacks *ret) DC_CHECK;
void goroutine_stacks_deinit(struct goroutine_stacks *stacks);
// The goroutine that the thread, by the id that the target knows it by, runs; 0: none.
uint64_t goroutine_stacks_on(const struct goroutine_stacks *stacks, pid_t inner_tid);
// What the i-th waits for; NULL: it does not.
const char *goroutine_stacks_wait(const struct goroutine_stacks *stacks, size_t i);

#endif
