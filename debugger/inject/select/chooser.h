// SPDX-License-Identifier: MIT
// Choosing a thread: candidates in their order, each stopped only where it is likely to be at a
// safe point and let go of where it is not.
#ifndef DEBUGGER_INJECT_SELECT_CHOOSER_H
#define DEBUGGER_INJECT_SELECT_CHOOSER_H

#include "debugger/inject/safepoint/safepoint.h"
#include "debugger/inject/select/address_space.h"
#include "debugger/inject/select/candidate.h"
#include "debugger/target/tracee.h"

// What a host asks of a thread besides that it is at a safe point. Reasons are for messages and end
// in no stop; an empty one is not told.
struct chooser_filter {
	void *host;
	// Unstopped: is it worth a stop? And at the stop: will it do?
	bool (*is_worth)(void *host, const struct thread_info *info, char *reason, size_t size);
	bool (*suits)(void *host, const struct thread_info *info, char *reason, size_t size);
	// Before each pass over the candidates; after each, with whether one was worth a stop; when
	// the search has ended.
	struct dc_error *(*before)(void *host);
	void (*after)(void *host, bool any);
	void (*end)(void *host);
	// What is said when the time is up; NULL: the usual.
	struct dc_error *(*refusal)(void *host, int64_t wait_ns, const char *reason);
};

struct chooser {
	struct tracer *tracer;
	struct process *process;
	struct safepoints *safepoints; // NULL: every place is safe
	struct unwind *unwind;
	struct address_space *space; // read anew when it is out of date
	struct tracee *tracee; // that holds the one chosen

	bool force; // no place is unsafe
	bool avoids_stdio; // so does the callee
	const struct module *vm; // whose code is called, when that is a language's runtime

	struct thread_info info; // of the thread that is held, from before its stop
	bool is_hopeful; // the last pass found one that was worth a stop
	bool walked_cold; // the unwinder has this program's tables by now
	int64_t deadline; // of the search
	struct snapshot seen; // the thread as it was judged last
	unsigned char scan[SAFEPOINT_SCAN]; // its stack
};
struct choice {
	pid_t thread; // only this one; 0: the best
	int64_t wait_ns;
	bool is_impatient; // gives up after a few passes that found nobody worth a stop
	const struct chooser_filter *filter; // NULL: none
};
// Until a thread is held at a safe point or the time to wait is over: then REFUSED with the
// reasons.
struct dc_error *chooser_hold(struct chooser *chooser, const struct choice *choice) DC_CHECK;

// The restartable sequence that a held thread is in; a call would end it without its abort handler.
bool chooser_in_sequence(const struct tracee *tracee);

#endif
