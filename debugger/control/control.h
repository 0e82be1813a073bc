// SPDX-License-Identifier: MIT
// A process under control: all its threads, those to come too, are followed and run; each stands
// when it comes to a location, or is asked to. When we die everything that was armed is gone, and
// all run on.
#ifndef DEBUGGER_CONTROL_CONTROL_H
#define DEBUGGER_CONTROL_CONTROL_H

#include "debugger/arch/x86_64/successor.h"
#include "debugger/control/thread.h"

enum { SYSCALLS_MAX = 512 };
struct syscall_set {
	uint64_t bits[SYSCALLS_MAX / 64]; // by number
};

// Processes that the process makes.
enum children_wanted {
	CHILDREN_LEFT, // run on, and nobody is told
	CHILDREN_FIRST, // the next one is told of
	CHILDREN_ALL,
};
struct born {
	pid_t pid;
	bool execed; // it had its parent's memory before that
	const char *problem; // why it has run on; NULL: it sleeps, as target/handover.h says
};

struct control {
	struct tracer *tracer;
	struct process *process;
	struct decoder *decoder;
	struct location *locations;
	struct uprobes *uprobes; // NULL: there has been none yet
	struct patches {
		bool may; // the user knows that what is patched in kills when we die
		uint64_t *ever; // addresses where there were some
		size_t nr_ever;
		unsigned lifted; // the code is as it was: while threads are lent for calls, say
		bool steps_over; // all others stand for it, and nobody sees to events
	} patches;
	struct thread *threads;
	int64_t next_look; // for hits that no stop tells of
	struct thread *undecided, **last_undecided; // stand, and nobody has seen them
	// Nobody waits for stops: threads that come by a location go on, and are counted.
	bool passes;
	uint64_t passed;
	uint64_t hits_in_callees; // of threads that were lent for calls
	bool told_in_callees; // the user was told that they are passed over
	struct dc_error *failure; // what could not be done while attending; the first of it
	bool has_ended;
	_Atomic int *status; // takes the process's, as wait() tells it; NULL: nobody asks
	uint64_t stop_signals; // signals that threads stand at, bit signo-1
	struct syscall_set syscalls; // that they stand at
	bool may_judge; // conditions in the kernel, by the environment's word alone
	bool catches_forks;
	enum resume how; // threads run
	void (*on_thread)(void *arg, pid_t tid, bool has_begun); // NULL: nobody is told
	enum children_wanted children_wanted;
	struct child *children; // that are followed still; of children.c
	pid_t born[8]; // the last ones, in turn
	unsigned nr_born;
	void (*on_child)(void *arg, const struct born *born);
	void (*on_stop)(void *arg); // a thread stands, or the target ended; NULL: nobody is told
	bool settles; // whoever sees to events now looks itself for threads that stand
	bool pends; // a callee that comes to a stop stands there; else it passes over
	void (*on_go)(void *arg, struct thread *thread); // one that stands so is to go on
	void *arg;
};

struct dc_error *control_create(struct tracer *tracer, struct process *process,
				enum children_wanted children, struct control **ret) DC_CHECK;
// Everything is disarmed, all threads run on, and nobody follows them any more. NULL is fine.
void control_destroy(struct control *control);

// The process is a child that was told of, and that nobody has seen since: it stands from now on,
// where it slept. Nothing is done where it has run on.
struct dc_error *control_receive(struct control *control) DC_CHECK;

// All on the tracer thread.

// Sees to what has happened; called by the tracer too, whenever it waits.
void control_attend(struct control *control);
// The next thread that stands and that nobody has decided about; NULL: none.
struct thread *control_next_stop(struct control *control);
// Waits for one; until: 0 is for ever. CANCELLED, TARGET_ENDED, TARGET_EXECED. *ret NULL: the time
// is up.
struct dc_error *control_wait_stop(struct control *control, int64_t until,
				   struct thread **ret) DC_CHECK;
struct thread *control_find(struct control *control, pid_t tid); // NULL: none

// One more user of the location, armed in all threads: by the processor's breakpoints while there are
// any, of which those that a uprobe can stand in for are given up first; by patches in the end, if
// they are allowed. REFUSED, and nothing is armed, where there is no way; wants_patch: but that one.
struct dc_error *control_add_location(struct control *control, uint64_t addr,
				      enum kernel_breakpoint_kind kind, size_t size,
				      const struct location **ret) DC_CHECK;
// Their addresses are another program's now.
void control_forget_locations(struct control *control);
// Only hits for which the predicate is true, or has no value, are told from now on, in as many threads
// as the kernel judges for: in the others, and once another user is added, all are. REFUSED, with the
// reason: in none.
struct predicate;
struct dc_error *control_judge_location(struct control *control, const struct location *location,
					const struct predicate *predicate) DC_CHECK;
void control_lift_condition(struct control *control, const struct location *location);
// Hits of its threads that the kernel let by without judging them; of a thread that runs the last one
// may be in judgement still, and is not counted.
uint64_t control_unjudged(const struct control *control, const struct location *location);
void control_remove_location(struct control *control, const struct location *location);
// At which threads are stopped by something else than the processor. NULL: none.
const struct location *control_location_at(const struct control *control, uint64_t addr);
bool control_all_stand(const struct control *control);
// They are to stand along with it.
void control_halt_others(struct control *control, const struct thread *thread);
// Breakpoints that calls on threads under control have come by, so far: all were passed over.
uint64_t control_hits_in_callees(struct control *control);
// Bit signo-1: at which a callee stands as well, where it may pend; what crashes it is no such.
uint64_t control_callee_signals(const struct control *control);
// It is to stand; control_next_stop() brings it.
struct dc_error *control_halt(struct control *control, struct thread *thread) DC_CHECK;

#endif
