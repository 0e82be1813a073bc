// SPDX-License-Identifier: MIT
// What several commands say: errors, notes, frames.
#ifndef DEBUGGER_FRONT_REPORT_H
#define DEBUGGER_FRONT_REPORT_H

#include "debugger/debugcall.h"
#include "debugger/front/records.h"

// A record of its own. expr: NULL when no expression is to blame. Gives the exit status.
int report_error(struct records *out, const char *expr, const struct dc_error *err);
int report_failure(struct records *out, const char *expr, struct dc_error *err); // and frees it
// rate: of a call that was repeated; else NULL.
int report_result(struct records *out, const char *expr, const struct dc_result *result,
		  const struct dc_rate *rate);
int report_usage(struct records *out, const char *complaint);
int report_memory(struct records *out);
// A failure of the program's own.
int report_message(struct records *out, enum dc_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// About the whole command, for eyes only.
void report_note(struct records *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

// Parts of an open record. Notes are lines; NULL is none.
void report_notes(struct records *out, const char *notes);
// Before a breakpoint is patched in, however little is to be said.
void report_patch(struct records *out, const char *place);
void report_frame_fields(struct records *out, const struct dc_frame *frame);
void report_frame(struct records *out, const char *name, const struct dc_frame *frame);

#endif
