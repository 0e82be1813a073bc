// SPDX-License-Identifier: MIT
// What became of a callee, told apart and put into the same words for every host whose callees run
// on a thread that is traced.
#ifndef DEBUGGER_INJECT_OUTCOME_H
#define DEBUGGER_INJECT_OUTCOME_H

#include "debugger/stack/unwind.h"
#include "debugger/target/tracee.h"

// A signal for the thread: is it the callee's own doing and the callee's end, as against one that
// the program was sent meanwhile, or that it handles?
struct crash_rules {
	uint64_t
		passed; // of the faults that the program handles, those that its handler sees first
	uint64_t fatal_start, fatal_end; // code whose faults are crashes all the same
	pid_t inner_pid; // the target's id in its own namespace
};
// What an instruction of the callee raised.
bool outcome_is_fault(const struct event *event);
// Asked when the signal comes: the callee, or libc for it, may have installed a handler meanwhile.
enum disposition { DISPOSITION_DEFAULT, DISPOSITION_CAUGHT, DISPOSITION_IGNORED };
enum disposition outcome_disposition(const struct tracee *tracee, int signo);
bool outcome_is_crash(const struct crash_rules *rules, const struct tracee *tracee,
		      const struct event *event);

// CRASHED, with the signal and where there is one the address.
struct dc_error *outcome_crashed(const char *name, const struct event *event) DC_CHECK;
// DEADLINE or CANCELLED; what: "did not return".
struct dc_error *outcome_overdue(const char *name, const char *what, int64_t timeout_ns,
				 bool cancelled) DC_CHECK;
// CHANGED, before anything was run: what the target did meanwhile.
struct dc_error *outcome_changed(const struct process *process, const char *what) DC_CHECK;
struct dc_error *outcome_execed(const struct process *process) DC_CHECK;
// THREAD_ENDED or TARGET_ENDED, by an event EXIT or GONE.
struct dc_error *outcome_ended(const struct process *process, const char *name, pid_t tid,
			       const struct event *event, bool thread_only) DC_CHECK;
// A callee that was undone does not give back what it took.
struct dc_error *outcome_note_locks(struct dc_error *err, const char *name);

// Registers of a stopped thread and a copy of its stack, from the red zone to high at the most.
struct dc_error *outcome_snapshot(const struct tracee *tracee, uint64_t high,
				  struct snapshot *ret) DC_CHECK;
void snapshot_deinit(struct snapshot *snapshot);
// The callee's frames, down to the first whose code is ours: nobody's frame. Best effort; unwind
// NULL: none.
struct frame_limit {
	uint64_t start, end; // code of ours: where the callee returns to
};
void outcome_add_frames(struct dc_error *err, struct unwind *unwind,
			const struct snapshot *snapshot, const struct frame_limit *limit);
// The code that a return address belongs to, which a call may have ended.
static inline bool frame_is_limit(const struct frame_limit *limit, uint64_t pc)
{
	return pc - limit->start < limit->end - limit->start;
}

#endif
