// SPDX-License-Identifier: MIT
// A thread under control: it is followed, runs with the breakpoints armed, and stands at times.
// Everything here runs on the tracer thread.
#ifndef DEBUGGER_CONTROL_THREAD_H
#define DEBUGGER_CONTROL_THREAD_H

#include "debugger/arch/x86_64/successor.h"
#include "debugger/control/location.h"
#include "debugger/target/tracee.h"
#include "debugger/target/uprobe.h"

enum step_way {
	WAY_INSTRUCTIONS, // one after the other
	WAY_EXITS, // to any of the ways out of what is passed
	WAY_OVER, // to the place behind a call, in the frame that called
	WAY_PLACE, // to a place
};

struct step {
	bool is_active;
	enum step_way way;
	uint64_t start, end; // instructions that are passed; equal: every one is a step
	bool into; // calls are gone into; else they are run over
	struct exits exits; // of what is passed; n 0: they are too many
	uint64_t sp; // hits below it are of deeper frames; 0: all count
	void *plan; // malloc'd, of whoever has begun it
};

enum stop_kind {
	STOP_NONE,
	STOP_LOCATION, // location
	STOP_SIGNAL, // info
	STOP_INTERRUPT,
	STOP_STEP, // a step's way is at its end
	STOP_EXEC,
	STOP_SYSCALL, // syscall: before it, or is_return, result
	STOP_FORK, // result: the child, as the thread sees it
	STOP_VFORK,
};
struct stop {
	enum stop_kind kind;
	const struct location *location;
	siginfo_t info;
	uint64_t pc;
	bool arrived; // a step has led here, too
	long syscall;
	bool is_return;
	int64_t result;
	int64_t since;
};

// That it stands, and why; as it was when a callee of a call on it came to a stop of its own.
struct stand {
	bool stands, in_callee;
	struct stop stop;
	unsigned breakpoint; // 0: none
	int why; // 0: as the kind of the stop says
	int signo; // that it was to receive, 0: none; and as it was sent
	siginfo_t info;
};

struct control;
struct thread {
	struct tracee tracee; // first: its events are found by it
	struct control *control;
	struct thread *next, *next_undecided;
	struct slot slots[SLOTS];
	struct {
		int notice; // by which uprobes tell it of hits; 0: they do not
		uint64_t seen; // hits that were asked for
		uint64_t told; // the last that a notice told of
		bool is_due; // a notice of one of those may be still to come
	} seat;
	struct step step;
	bool stands; // until thread_go()
	bool is_undecided; // nobody has seen yet why
	bool halt; // it is asked to stand
	bool is_along; // because another one does
	bool is_young; // it was born followed: what it blocks is not what it will block
	bool is_lent; // to a call, whose hits are no stops of the thread's
	bool was_lent; // since it stands
	bool in_callee; // it stands in one: whoever has called lets it go on
	struct stand before;
	int owed; // the signal that it was told to receive is sent anew, and no stop; 0: none
	long syscall; // that it is in; -1: none that is known
	uint64_t flags; // its first argument
	bool is_stepped; // over one, and that is not over yet
	const struct location *trapped; // the patch that it has stopped at; NULL: none
	bool is_deaf; // the usual notice does not reach it in time: it blocks the signal
	uint64_t nr_events; // so far
	uint64_t nr_events_looked; // when somebody last looked for untold hits
	bool was_untold; // there were some
	struct stop stop;
	// Of whoever has decided, for as long as it stands.
	unsigned breakpoint; // 0: none
	int why; // 0: as the kind of the stop says
	char *problem;
	char *was, *is; // what was watched
	unsigned returned; // the result that a function gave which a step has led out of; 0: none
	struct dc_error *failure; // of a step
};

struct dc_error *thread_create(struct control *control, struct thread **ret) DC_CHECK;
// The error is only that the thread ended meanwhile: that is an event which is still to come.
bool thread_is_end(const struct dc_error *err);
// Disarmed, and not followed any more; it was let go of, or is gone.
void thread_destroy(struct thread *thread);

// Arms what is not armed yet, and disarms what is no location any more.
struct dc_error *thread_arm(struct thread *thread, const struct location *locations) DC_CHECK;
void thread_disarm(struct thread *thread);
// By a new event, which the kernel judges if the location is; where it is armed.
struct dc_error *thread_arm_anew(struct thread *thread, const struct location *location) DC_CHECK;
// The signal that tells the thread's hits.
struct dc_error *thread_notice(const struct thread *thread, int *ret) DC_CHECK;
// What was hit since the last look, with the thread stopped at *pc; NULL: nothing. Behind a uprobe the
// thread is put before its instruction, and *pc says so. *late: something was hit, and the thread has
// gone on from there.
const struct location *thread_hit(struct thread *thread, uint64_t *pc, bool *late);
// What was hit since the last look is a callee's, and no stop. How often it was.
uint64_t thread_pass_over(struct thread *thread);
// Looked at now and then while it runs: hits are counted that no stop tells of.
bool thread_is_unheard(struct thread *thread);
// Armed anew with a notice that stops it whatever it blocks.
struct dc_error *thread_make_heard(struct thread *thread,
				   const struct location *locations) DC_CHECK;
// Whether the signal is only one of our notices.
bool thread_is_notice(struct thread *thread, const struct event *event);
// A standing thread runs on, with the signal that it was stopped with.
struct dc_error *thread_go(struct thread *thread) DC_CHECK;
// Nothing of why it stands is known any more.
void thread_forget_why(struct thread *thread);
// The callee that it stands, or has stood, in is done with: it is as it was before.
void thread_stand_again(struct thread *thread, const struct stand *before);

#endif
