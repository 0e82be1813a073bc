// SPDX-License-Identifier: MIT
// What a watchpoint watches: an object of up to eight bytes, and what it was.
#ifndef DEBUGGER_SESSION_WATCH_H
#define DEBUGGER_SESSION_WATCH_H

#include "debugger/control/control.h"
#include "debugger/session/session.h"

enum { WATCH_MAX = 8 };

struct watch {
	struct dc_expression *expression;
	const struct type *type;
	uint64_t addr;
	size_t size;
	unsigned char last[WATCH_MAX];
	uint64_t cfa; // of the frame that a local is in; 0: it is none
	uint64_t back; // where that frame returns to
	pid_t thread; // whose frame
	char *was, *is; // as printed, of the last hit
};

// Where the object is, by evaluating it now. REFUSED: it is none that the processor can watch.
struct dc_error *watch_create(struct dc_session *session, const char *text,
			      const struct dc_scope *scope, struct watch **ret) DC_CHECK;
void watch_destroy(struct watch *watch); // NULL is fine
enum kernel_breakpoint_kind watch_kind(enum dc_breakpoint_kind kind);
// A thread has touched it, and is behind the instruction that did. *stops: it is as the kind wants.
struct dc_error *watch_judge(struct dc_session *session, struct watch *watch,
			     enum dc_breakpoint_kind kind, bool *stops) DC_CHECK;
// A thread has come to where the frame of what is watched returns to: has it?
bool watch_is_gone(const struct watch *watch, pid_t thread);

#endif
