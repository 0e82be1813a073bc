// SPDX-License-Identifier: MIT
// What is caught that has no place in the code: system calls, signals, processes, programs,
// libraries.
#ifndef DEBUGGER_SESSION_CATCH_H
#define DEBUGGER_SESSION_CATCH_H

#include "debugger/control/control.h"

struct dc_session;
struct breakpoint;

struct catch
{
	struct syscall_set syscalls;
	uint64_t signals; // bit signo-1
	char *library; // a part of its name; NULL: any
};
// what: names or numbers, as the kind has them. NAME: none of that name. *ret NULL: the kind is of
// code, at *place.
struct dc_error *catch_create(enum dc_breakpoint_kind kind, const char *what, struct catch **ret,
			      const char **place) DC_CHECK;
void catch_destroy(struct catch *catch); // NULL is fine
// What all that are enabled want is what threads stand for. In session_run().
struct dc_error *catch_apply(void *session);
// A thread stands for a reason of that kind: which of them wants it? NULL: none.
struct breakpoint *catch_judge(struct dc_session *session, const struct thread *thread);
// Libraries that come are those that are not here now.
struct dc_error *catch_note_modules(struct dc_session *session) DC_CHECK;
// Libraries have come: one that somebody waits for? NULL: no.
struct breakpoint *catch_judge_load(struct dc_session *session);

#endif
