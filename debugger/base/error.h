// SPDX-License-Identifier: MIT
// Making errors: code, one-line message, payload. NULL is success everywhere in debugger/.
// Foreign error spaces become ours here, in one function each.
#ifndef DEBUGGER_BASE_ERROR_H
#define DEBUGGER_BASE_ERROR_H

#include "debugger/debugcall.h"

#include <stdarg.h>

#define DC_PRINTF(f, a) __attribute__((format(printf, f, a)))

// Out of memory is a static object, so that it needs none; dc_error_destroy() knows it.
extern struct dc_error dc_out_of_memory;

struct dc_error *error_make(enum dc_code code, const char *format, ...) DC_PRINTF(2, 3) DC_CHECK;
// "…: strerror(err)"; ESRCH becomes TARGET_ENDED, ENOMEM stays SYSTEM.
struct dc_error *error_errno(int err, const char *format, ...) DC_PRINTF(2, 3) DC_CHECK;
struct dc_error *error_libelf(const char *format, ...) DC_PRINTF(1, 2) DC_CHECK;
struct dc_error *error_libdw(const char *format, ...) DC_PRINTF(1, 2) DC_CHECK;
struct dc_error *error_libdwfl(const char *format, ...) DC_PRINTF(1, 2) DC_CHECK;
struct dc_error *error_libunwind(int code, const char *format, ...) DC_PRINTF(2, 3) DC_CHECK;

// These give err back, changed, so that they can stand in a return statement.
struct dc_error *error_at(struct dc_error *err, size_t column); // keeps an earlier column
struct dc_error *error_in_state(struct dc_error *err, enum dc_state state);
struct dc_error *error_about(struct dc_error *err, enum dc_value_state value);
struct dc_error *error_note(struct dc_error *err, const char *format, ...) DC_PRINTF(2, 3);

static inline void cleanup_error(struct dc_error **err)
{
	dc_error_destroy(*err);
}
#define _cleanup_error_ _cleanup_(cleanup_error)

#endif
