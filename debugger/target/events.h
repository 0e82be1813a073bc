// SPDX-License-Identifier: MIT
// What happens to tracees: one wait for all of them, each stop classified and queued for the thread
// that it is about. Everything here runs on the tracer thread, but where it is said.
#ifndef DEBUGGER_TARGET_EVENTS_H
#define DEBUGGER_TARGET_EVENTS_H

#include "debugger/base/error.h"

#include <signal.h>

enum event_kind {
	EVENT_SIGNAL, // signal-delivery stop; info is valid
	EVENT_GROUP_STOP, // signo: the stop signal
	EVENT_INTERRUPT, // PTRACE_INTERRUPT's trap stop; a thread that was born traced begins with it
	EVENT_SYSCALL_ENTRY,
	EVENT_SYSCALL_EXIT, // result is valid
	EVENT_FORK, // fork, vfork, clone; message: the child
	EVENT_EXEC, // message: the id it had before; all other threads of the process are gone
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
	long syscall; // SYSCALL_ENTRY; EXIT: the one that it ends by, -1: a signal ended it
	int64_t result; // SYSCALL_EXIT
	uint64_t pc, sp; // SIGNAL, SYSCALL_ENTRY and SYSCALL_EXIT
};

// A thread that stands in a stop can only be killed, which brings at most two events more.
struct event_queue {
	struct event event[4];
	unsigned n;
};

struct process;
struct tracee;
enum { EVENTS_BUCKETS = 64 };
// Who sees to the events of all tracees that nobody waits for one by one (tracee->is_attended).
struct attendant {
	// There are such events, for events_next_of_any(). Called while another tracee's event is
	// waited for; must not wait itself.
	void (*attend)(void *arg);
	void *arg;
};
struct events {
	const struct process *process;
	struct tracee *tracees[EVENTS_BUCKETS]; // by thread id
	unsigned n;
	unsigned next_bucket; // that is looked into first
	bool expects_newborns; // threads or children of tracees are born traced
	bool cancelled; // atomic
	unsigned nr_held; // tracees that are nobody's to attend: each is away from its work
	int64_t expected_at; // when one was last sent on, or asked to stop: its event is moments away
	struct attendant attendant;
	bool is_attending;
	struct tracee *ready, **last_ready; // attended ones that have events in their queues
};
void events_init(struct events *events, const struct process *process);

// From now on (until it is gone) the tracee, which was seized, is known by its id.
void events_add(struct events *events, struct tracee *tracee);
void events_remove(struct events *events, struct tracee *tracee);
struct tracee *events_find(const struct events *events, pid_t tid); // NULL: none
// Gathers what happens until there is an event of the tracee, and takes that from its queue. Times
// are CLOCK_MONOTONIC nanoseconds, 0: no deadline. Spins first, because a stop that comes within
// microseconds costs less to spin for than to sleep for; then sleeps a sixteenth of the time gone.
// An exit stop of any other tracee is let go on, so that no process waits for its own threads.
struct dc_error *events_next(struct events *events, struct tracee *tracee, int64_t deadline,
			     bool may_cancel, struct event *ret) DC_CHECK;
// The next event of any attended tracee, those gathered first. False: nothing has happened.
bool events_next_of_any(struct events *events, struct tracee **tracee, struct event *ret);
// The first event in the tracee's queue. False: it has none.
bool events_take(struct events *events, struct tracee *tracee, struct event *ret);
// Waits until there may be one. False: the time until (0: for ever) is up, or the tracer was
// cancelled.
bool events_await_any(struct events *events, int64_t until);
// What a wait for one tracee has met and is another's to see comes first in its queue again.
void events_put_back(struct events *events, struct tracee *tracee, const struct event *event);
// Nobody asks any more, and the tracee may be freed.
void events_disregard(struct events *events, struct tracee *tracee);
// Gathers whatever there is; false: nothing.
bool events_gather(struct events *events);
// Gathers until the tracee has an event in its queue, at most 100 ms.
void events_await(struct events *events, struct tracee *tracee);
// Gathers, and tells whether the tracee is gone, or became another program.
bool events_is_lost(struct events *events, struct tracee *tracee);
// From another thread, while the tracer thread is held up inside of a seize: the dead are reaped,
// for whom a process that becomes another program waits with the lock that the seize needs.
void events_reap(struct events *events);
// The tracer thread ended, and with it every tracee was let go of.
void events_clear(struct events *events);

#endif
