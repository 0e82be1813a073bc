// SPDX-License-Identifier: MIT
// One stopped thread: what it was doing, its way home in the target, and giving it back unchanged.
// Everything here runs on the tracer thread.
#ifndef DEBUGGER_INJECT_HOLD_H
#define DEBUGGER_INJECT_HOLD_H

#include "debugger/arch/x86_64/restart.h"
#include "debugger/arch/x86_64/sigframe.h"
#include "debugger/target/registers.h"
#include "debugger/target/remote_syscall.h"
#include "debugger/target/tracer.h"

struct hold {
	struct tracer *tracer;
	struct process *process;
	const struct gadgets *gadgets;
	pid_t tid; // 0: nothing is held
	unsigned long options; // PTRACE_O_… of the seize, besides the usual

	// The caller context: what is given back. found is what it was.
	struct user_regs_struct regs, found;
	unsigned char *xstate, *xstate_found; // XSTATE_ROOM bytes each
	size_t xstate_size;
	uint64_t mask;
	bool group_stopped; // job control had stopped it

	uint64_t home_top; // the way home ends at or below this
	struct sigframe *way;
	bool way_written;

	bool kept; // xstate and mask are valid
	bool moved, masked, ran; // what differs: registers; the mask; the extended state
	bool restart_lost; // the kernel's note on how to go on with a timed wait was overwritten
	int signo; // a signal it was stopped with, delivered when it goes on
	int64_t since; // when it was taken away from its work
};
struct dc_error *hold_init(struct hold *hold, struct tracer *tracer, struct process *process,
			   const struct gadgets *gadgets) DC_CHECK;
void hold_deinit(struct hold *hold);

enum hold_stop {
	HOLD_STOPPED,
	HOLD_BUSY, // a signal came first and was let through
	HOLD_ENDED,
	HOLD_UNSTOPPABLE, // it stays seized until the tracer thread ends, which has been asked for
};
// Stops a thread and reads its general registers; gives up on one in an uninterruptible sleep.
struct dc_error *hold_stop(struct hold *hold, pid_t tid, enum hold_stop *ret) DC_CHECK;
// Reads the rest of what a call may change.
struct dc_error *hold_keep(struct hold *hold) DC_CHECK;
// The way home is in the target, and leads to regs and xstate as they are now.
struct dc_error *hold_write_home(struct hold *hold) DC_CHECK;
// A system call by the held thread; needs room below home_top, or home_top in a mapping of ours.
struct dc_error *hold_syscall(struct hold *hold, const struct remote_syscall *call,
			      int64_t *result) DC_CHECK;
// What is said of the thread once it is back.
static inline enum dc_state hold_state(const struct hold *hold)
{
	return hold->group_stopped ? DC_STATE_STOPPED : DC_STATE_RUNNING;
}
// Everything as it was, the thread stopped still.
struct dc_error *hold_restore(struct hold *hold) DC_CHECK;
// Restores and detaches. *pause_ns grows by the time the thread was held.
struct dc_error *hold_release(struct hold *hold, int64_t *pause_ns) DC_CHECK;
// Lets the thread make one last system call and go home alone by its way home, which spares four
// stops. Only for a thread that was computing: a system call would be begun anew, where the kernel
// might have ended it for a signal that is pending.
struct dc_error *hold_release_through(struct hold *hold, const struct remote_syscall *call,
				      int64_t *pause_ns) DC_CHECK;
static inline bool hold_may_go_alone(const struct hold *hold)
{
	return registers_syscall(&hold->found) < 0 && !hold->group_stopped && !hold->signo;
}
// Detaches from wherever the thread is now.
struct dc_error *hold_leave(struct hold *hold, int64_t *pause_ns) DC_CHECK;
// The thread is gone, or is let go of with the tracer thread.
void hold_forget(struct hold *hold, int64_t *pause_ns);

#endif
