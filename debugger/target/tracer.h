// SPDX-License-Identifier: MIT
// The one place that waits for tracees, on a private thread per session: ptrace belongs to a
// thread, and a host program's own children must never be reaped here.
#ifndef DEBUGGER_TARGET_TRACER_H
#define DEBUGGER_TARGET_TRACER_H

#include "debugger/target/process.h"

#include <signal.h>
#include <sys/user.h>

struct tracer;
struct dc_error *tracer_create(struct process *process, struct tracer **ret) DC_CHECK;
// Ends the thread, which makes the kernel let go of every tracee; NULL is fine.
void tracer_destroy(struct tracer *tracer);
// Runs job on the tracer thread and waits for it. A job may call this again: that runs in place, so
// a caller wraps a whole conversation in one job and spares the stopped thread the hand-overs.
struct dc_error *tracer_run(struct tracer *tracer, struct dc_error *(*job)(void *),
			    void *arg) DC_CHECK;
// Lets go of every tracee by ending the thread, and starts another: the only way to be rid of a
// tracee that cannot be stopped (asleep in D, a vfork parent). Called within a job, it happens when
// the outermost job returns.
void tracer_abandon(struct tracer *tracer);
bool tracer_is_abandoned(const struct tracer *tracer); // asked for, and not done yet
bool tracer_cancelled(const struct tracer *tracer);
// From any thread or signal handler: every wait in progress ends with EVENT_CANCELLED until
// tracer_clear_cancel().
void tracer_cancel(struct tracer *tracer);
void tracer_clear_cancel(struct tracer *tracer);

enum event_kind {
	EVENT_SIGNAL, // signal-delivery stop; info is valid
	EVENT_GROUP_STOP, // signo: the stop signal
	EVENT_INTERRUPT, // PTRACE_INTERRUPT's trap stop
	EVENT_SYSCALL_ENTRY,
	EVENT_SYSCALL_EXIT, // result is valid
	EVENT_FORK, // fork, vfork, clone; message: the child
	EVENT_EXEC,
	EVENT_EXIT, // PTRACE_EVENT_EXIT; message: the wait status to come
	EVENT_GONE, // reaped; status is valid
	EVENT_DEADLINE, // nothing happened in time
	EVENT_CANCELLED,
};

struct event {
	enum event_kind kind;
	pid_t tid;
	int signo;
	int status;
	unsigned long message;
	siginfo_t info;
	long syscall; // SYSCALL_ENTRY, from PTRACE_GET_SYSCALL_INFO
	int64_t result; // SYSCALL_EXIT
	uint64_t pc; // SIGNAL, SYSCALL_ENTRY and SYSCALL_EXIT
};

// All below: on the tracer thread only. Times are CLOCK_MONOTONIC nanoseconds, 0 = no deadline.
int64_t tracer_now(void);
// ATTACH when the thread cannot be traced, TARGET_ENDED when it is gone.
struct dc_error *tracer_seize(struct tracer *tracer, pid_t tid, unsigned long options) DC_CHECK;
struct dc_error *tracer_interrupt(struct tracer *tracer, pid_t tid) DC_CHECK;
enum resume { RESUME_RUN = 7 /* PTRACE_CONT */, RESUME_SYSCALL = 24 /* PTRACE_SYSCALL */ };
struct dc_error *tracer_resume(struct tracer *tracer, pid_t tid, enum resume how,
			       int signo) DC_CHECK;
// Leaves the thread in its group-stop but listening (PTRACE_LISTEN).
struct dc_error *tracer_listen(struct tracer *tracer, pid_t tid) DC_CHECK;
struct dc_error *tracer_detach(struct tracer *tracer, pid_t tid, int signo) DC_CHECK;
// Gathers and classifies the next event of tid. Spins first, because a stop that comes within
// microseconds costs less to spin for than to sleep for; then sleeps a sixteenth of the time gone.
struct dc_error *tracer_wait(struct tracer *tracer, pid_t tid, int64_t deadline,
			     struct event *ret) DC_CHECK;
// After PTRACE_INTERRUPT: the thread's next event, deaf to tracer_cancel(). EVENT_DEADLINE when it
// sleeps where it cannot be stopped; one that only waits for a CPU is waited for.
struct dc_error *tracer_wait_stop(struct tracer *tracer, pid_t tid, struct event *ret) DC_CHECK;
// The same as tracer_wait(), deaf to tracer_cancel(): for the steps that put a thread back.
struct dc_error *tracer_wait_through(struct tracer *tracer, pid_t tid, int64_t deadline,
				     struct event *ret) DC_CHECK;

#endif
