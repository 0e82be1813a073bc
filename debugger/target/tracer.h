// SPDX-License-Identifier: MIT
// A private thread per session, on which all tracing is done: ptrace belongs to a thread. It
// installs no signal handler.
#ifndef DEBUGGER_TARGET_TRACER_H
#define DEBUGGER_TARGET_TRACER_H

#include "debugger/target/process.h"

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

// Between jobs, and while a job waits for one tracee, attend() sees to what all attended tracees do;
// on the tracer thread. NULL ends that. Within a job.
void tracer_attend(struct tracer *tracer, void (*attend)(void *), void *arg);

// From any thread: who attends is to stop the thread, -1: all of them. The second takes what was
// asked for; 0: nothing.
void tracer_request_halt(struct tracer *tracer, pid_t tid);
pid_t tracer_requested_halt(struct tracer *tracer);

// CLOCK_MONOTONIC nanoseconds.
int64_t tracer_now(void);

// On the tracer thread only, for tracees.
struct events;
struct events *tracer_events(struct tracer *tracer);
// PTRACE_SEIZE, and errno or 0. A process that becomes another program keeps the lock that this
// needs until all its other threads have ended and were reaped: so no tracee stops at its exit
// meanwhile, and whoever waits for the job reaps.
int tracer_seize(struct tracer *tracer, pid_t tid, unsigned long options) DC_CHECK;
// At some time it seized a thread, which has seen a stop for it.
bool tracer_has_seized(const struct tracer *tracer);

#endif
