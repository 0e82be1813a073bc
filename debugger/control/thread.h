// SPDX-License-Identifier: MIT
// A thread under control: it is followed, runs with the breakpoints armed, and stands at times.
// Everything here runs on the tracer thread.
#ifndef DEBUGGER_CONTROL_THREAD_H
#define DEBUGGER_CONTROL_THREAD_H

#include "debugger/control/location.h"
#include "debugger/target/tracee.h"

enum stop_kind {
	STOP_NONE,
	STOP_LOCATION, // location
	STOP_SIGNAL, // info
	STOP_INTERRUPT,
	STOP_STEP, // a step's way is at its end
	STOP_EXEC,
};
struct stop {
	enum stop_kind kind;
	const struct location *location;
	siginfo_t info;
	uint64_t pc;
	int64_t since;
};

struct control;
struct thread {
	struct tracee tracee; // first: its events are found by it
	struct control *control;
	struct thread *next, *next_undecided;
	struct slot slots[SLOTS];
	bool stands; // until thread_go()
	bool is_undecided; // nobody has seen yet why
	bool halt; // it is asked to stand
	bool is_along; // because another one does
	bool is_young; // it was born followed: what it blocks is not what it will block
	bool is_late; // its notices come late: its signals are blocked
	struct stop stop;
	// Of whoever has decided, for as long as it stands.
	unsigned breakpoint; // 0: none
	char *problem;
	siginfo_t info; // of tracee.signo, that it receives when it goes on
};

struct dc_error *thread_create(struct control *control, struct thread **ret) DC_CHECK;
// Disarmed, and not followed any more; it was let go of, or is gone.
void thread_destroy(struct thread *thread);

// Arms what is not armed yet, and disarms what is no location any more.
struct dc_error *thread_arm(struct thread *thread, const struct location *locations) DC_CHECK;
void thread_disarm(struct thread *thread);
// What was hit since the last look, with the thread stopped at pc; NULL: nothing.
const struct location *thread_hit(struct thread *thread, uint64_t pc);
// Whether the signal is only one of our notices.
bool thread_is_notice(const struct thread *thread, const struct event *event);
// A standing thread runs on, with the signal that it was stopped with.
struct dc_error *thread_go(struct thread *thread) DC_CHECK;

#endif
