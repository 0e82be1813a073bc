// SPDX-License-Identifier: MIT
// One traced thread: stopping it, what it was doing, its way home in the target, and giving it back
// unchanged. Everything here runs on the tracer thread.
#ifndef DEBUGGER_TARGET_TRACEE_H
#define DEBUGGER_TARGET_TRACEE_H

#include "debugger/arch/x86_64/chain.h"
#include "debugger/arch/x86_64/restart.h"
#include "debugger/arch/x86_64/sigframe.h"
#include "debugger/target/events.h"
#include "debugger/target/registers.h"
#include "debugger/target/remote_syscall.h"
#include "debugger/target/tracer.h"

enum resume {
	RESUME_RUN = 7, // PTRACE_CONT
	RESUME_STEP = 9, // PTRACE_SINGLESTEP: over a patched breakpoint, and nowhere else
	RESUME_SYSCALL = 24, // PTRACE_SYSCALL
};

struct tracee {
	struct tracer *tracer;
	struct process *process;
	const struct gadgets *gadgets;
	pid_t tid; // 0: no thread is traced by this
	unsigned long options; // PTRACE_O_… of the seize
	enum resume how; // who follows it lets it run
	bool exit_is_silent; // the kernel was told to leave PTRACE_O_TRACEEXIT out for now
	bool options_are_new; // the kernel has others until it goes on the next time

	// The table of tracees, and what has happened to this one.
	struct tracee *next;
	struct event_queue queue;
	bool is_known; // in the table: it may have more events
	bool is_newborn; // born traced, allocated by events.c
	bool is_attended; // its events are for the attendant
	bool is_child; // of another process, which a thread of ours has made
	bool is_ready; // in the list of those that have some
	struct tracee *next_ready;
	struct tracee *lender; // that follows the thread, and has it back in the end; NULL: nobody
	// Of one that may be lent: it is, or is back and goes on next. NULL: nobody wants to know.
	void (*on_loan)(struct tracee *tracee, bool is_back);
	// Likewise: it has come to a stop that is its own, and the borrower is to wait until it is told
	// to go on. False: it is the borrower's to see to.
	bool (*on_stop)(struct tracee *tracee, const struct event *event);
	uint64_t notices; // bit signo-1: by which its breakpoints tell that they were hit
	// Bit signo-1: that stop it in a callee, too, for whoever follows it; they reach that, and stops at
	// them are left as leaves_signals says. Of one that may be lent, and of its borrower.
	uint64_t callee_signals;
	bool running; // no stop was seen since it was resumed
	// The stop that it stands in, as the kernel has it, while it was looked at and not taken; 0: it
	// was taken, or there is none.
	int left;
	// Stops at signals are: it goes on where it stands, with us or without. One that is led elsewhere
	// must not receive there what it was stopped by.
	bool leaves_signals;
	bool at_entry; // of a system call, which is still to be made
	bool at_signal; // the last stop was at a signal, which may be exchanged for another there
	bool listening; // resumed, it stays in its group-stop (PTRACE_LISTEN)

	// The caller context: what is given back. found is what it was.
	struct user_regs_struct regs, found;
	unsigned char *xstate, *xstate_found; // XSTATE_ROOM bytes each; NULL: it is only stopped
	size_t xstate_size;
	uint64_t mask;
	bool group_stopped; // job control had stopped it

	uint64_t home_top; // the way home ends at or below this
	struct sigframe *way;
	bool way_written;
	bool way_in_chain; // written as a part of one, it lies where each later one has it

	struct chain *chain; // room for one; NULL: the target has not what it takes
	// By which the thread that is held says that it has come through a chain. signo 0: it may
	// not.
	struct {
		int signo;
		pid_t pid, tid; // its own ids, as the target sees them
	} handshake;

	// C's errno of the thread, which is memory: the callee's until the thread goes home.
	uint64_t errno_addr; // 0: it has none that is known
	int32_t errno_own, errno_found;

	bool kept; // xstate and mask are valid
	bool moved, masked, ran; // what differs: registers; the mask; the extended state
	bool restart_lost; // the kernel's note on how to go on with a timed wait was overwritten
	// Resumed from where it stands, it restores all of its caller context by itself.
	bool leads_home;
	int signo; // a signal it was stopped with, delivered when it goes on
	siginfo_t info; // of signo, where whoever follows the thread has noted it
	bool was_running; // when it was lent
	// When it was last seen where it did not wait for a time that may be up; 0: it was not.
	int64_t awake_at;
	int64_t since; // when the thread was taken away from its work
	int64_t pause_ns; // for how long threads were, all in all
};
// With room for what a call may change, so that nothing is allocated while a thread is held.
struct dc_error *tracee_init(struct tracee *tracee, struct tracer *tracer, struct process *process,
			     const struct gadgets *gadgets) DC_CHECK;
void tracee_deinit(struct tracee *tracee);

// ---- requests and waits ---------------------------------------------------------------------------

// Seizes the thread with tracee->options; it runs on. ATTACH when it cannot be traced,
// TARGET_ENDED when it is gone.
struct dc_error *tracee_follow(struct tracee *tracee, pid_t tid) DC_CHECK;
// Seizes the thread with tracee->options and interrupts it. ATTACH when it cannot be traced,
// TARGET_ENDED when it is gone. Never waits for ever, whatever the other threads of the process do.
struct dc_error *tracee_seize(struct tracee *tracee, pid_t tid) DC_CHECK;
struct dc_error *tracee_resume(struct tracee *tracee, enum resume how, int signo) DC_CHECK;
// Resumes the thread unless it runs, with the signal that it was stopped with. One that was killed
// meanwhile is no error: its end is the next event.
struct dc_error *tracee_go_on(struct tracee *tracee, enum resume how) DC_CHECK;
// The next event of the thread; deadlines as events_next() has them.
struct dc_error *tracee_wait(struct tracee *tracee, int64_t deadline, struct event *ret) DC_CHECK;
// The same, deaf to tracer_cancel(): for the steps that put a thread back.
struct dc_error *tracee_wait_through(struct tracee *tracee, int64_t deadline,
				     struct event *ret) DC_CHECK;
// After an interrupt: the same, but EVENT_DEADLINE when the thread sleeps where it cannot be
// stopped; one that only waits for a CPU is waited for.
struct dc_error *tracee_wait_stop(struct tracee *tracee, struct event *ret) DC_CHECK;
// Interrupts the thread and waits so. It may stop for another reason, or end, meanwhile.
struct dc_error *tracee_halt(struct tracee *tracee, struct event *ret) DC_CHECK;

// ---- holding a thread -----------------------------------------------------------------------------

enum tracee_stop {
	TRACEE_STOPPED,
	TRACEE_BUSY, // a signal came first and was let through
	TRACEE_ENDED,
	TRACEE_UNSTOPPABLE, // it stays seized until the tracer thread ends, which has been asked for
};
// Stops a thread and reads its general registers; gives up on one in an uninterruptible sleep. A
// thread that another tracee of this tracer follows is lent by that one, as it stands or runs, and
// goes back to it when it is let go of.
struct dc_error *tracee_stop(struct tracee *tracee, pid_t tid, enum tracee_stop *ret) DC_CHECK;
// The same for one that is seized already and runs.
struct dc_error *tracee_stop_followed(struct tracee *tracee, enum tracee_stop *ret) DC_CHECK;
// Its steps, for who stops a thread in another way. Before it is seized: nothing is known of it.
void tracee_reset(struct tracee *tracee);
// At the stop: reads its general registers.
struct dc_error *tracee_begin_hold(struct tracee *tracee) DC_CHECK;
// It is not the stop that was waited for: the thread goes its way. *ret says how.
struct dc_error *tracee_let_go(struct tracee *tracee, const struct event *event,
			       enum tracee_stop *ret) DC_CHECK;
// At a stop that is only our interrupt: a wait without end that it ended goes on, the kernel willing,
// and so does one for a time that had just begun, with all of its time. regs: the thread's, changed
// likewise.
struct dc_error *tracee_renew_wait(const struct tracee *tracee,
				   struct user_regs_struct *regs) DC_CHECK;
// Reads the rest of what a call may change.
struct dc_error *tracee_keep(struct tracee *tracee) DC_CHECK;
// The registers with which the thread really goes on: the caller context, but for a wait that
// cannot.
struct user_regs_struct tracee_caller_context(const struct tracee *tracee);
// The way home is in the target, and leads to regs and xstate as they are now.
struct dc_error *tracee_write_home(struct tracee *tracee) DC_CHECK;
// A chain may be entered: it spares stops. Not in a wait whose time the kernel notes, which ends
// with any rt_sigreturn.
bool tracee_may_chain(const struct tracee *tracee);
// The thread will run tracee->chain when it is resumed, and that has its way home. wanted says
// callee, entry, mask and way back; the rest is filled in. REFUSED when it cannot be made: nothing
// was changed.
struct dc_error *tracee_enter_chain(struct tracee *tracee,
				    const struct chain_request *wanted) DC_CHECK;
// It stands at the chain's handshake: the rest of the way is its way home, and its extended state
// is back already.
static inline void tracee_came_through(struct tracee *tracee)
{
	tracee->leads_home = true;
	tracee->ran = false;
}
// A system call by the held thread; needs room below home_top, or home_top in a mapping of ours.
struct dc_error *tracee_syscall(struct tracee *tracee, const struct remote_syscall *call,
				int64_t *result) DC_CHECK;
// The same, and REFUSED when the kernel refuses: "process N may not WHAT".
struct dc_error *tracee_ask(struct tracee *tracee, const char *what, struct remote_syscall request,
			    int64_t *result) DC_CHECK;
// Private memory of its process; it costs nothing before it is written.
struct dc_error *tracee_map(struct tracee *tracee, uint64_t size, int protection,
			    uint64_t *addr) DC_CHECK;
// What is said of the thread once it is back.
static inline enum dc_state tracee_state(const struct tracee *tracee)
{
	if (tracee->lender && !tracee->was_running)
		return DC_STATE_STANDS;
	return tracee->group_stopped ? DC_STATE_STOPPED : DC_STATE_RUNNING;
}
// Nothing is called any more, or only what is not a callee: the thread's own.
struct dc_error *tracee_restore_errno(const struct tracee *tracee) DC_CHECK;
// Everything as it was, the thread stopped still.
struct dc_error *tracee_restore(struct tracee *tracee) DC_CHECK;
// The same without errno, which stays what a callee has left for the next one.
struct dc_error *tracee_restore_context(struct tracee *tracee) DC_CHECK;
// Somebody has written to the target's memory: to its errno, that is what it goes home with.
void tracee_note_written(struct tracee *tracee, uint64_t addr, size_t n);
// Restores and detaches.
struct dc_error *tracee_release(struct tracee *tracee) DC_CHECK;
// Lets the thread make one last system call and go home alone by its way home, which spares four
// stops. Only for a thread that was computing: a system call would be begun anew, where the kernel
// might have ended it for a signal that is pending.
struct dc_error *tracee_release_through(struct tracee *tracee,
					const struct remote_syscall *call) DC_CHECK;
static inline bool tracee_may_go_alone(const struct tracee *tracee)
{
	return registers_syscall(&tracee->found) < 0 && !tracee->group_stopped && !tracee->signo &&
	       !tracee->lender;
}
// Who follows the thread; NULL: nobody.
static inline struct tracee *tracee_follower(const struct tracee *tracee)
{
	struct tracee *lender = tracee->lender;

	while (lender && lender->lender)
		lender = lender->lender;
	return lender;
}
// It receives, when it goes on, what that tracee of the same thread was to.
void tracee_inherit_signal(struct tracee *tracee, struct tracee *from);
// Detaches from wherever the thread is now.
struct dc_error *tracee_leave(struct tracee *tracee) DC_CHECK;
// The thread is gone, or is let go of with the tracer thread.
void tracee_forget(struct tracee *tracee);

#endif
