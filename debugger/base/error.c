// SPDX-License-Identifier: MIT
// Making errors, and the words that go with their codes and states.
#include "debugger/base/error.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <libelf.h>
#include <libunwind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dc_error dc_out_of_memory = {
	.code = DC_MEMORY, .state = DC_STATE_UNTOUCHED, .message = "out of memory", .column = -1
};

const char *dc_code_name(enum dc_code code)
{
	static const char *const names[] = {
#define X(name, text, status) [DC_##name] = text,
		DC_CODES(X)
#undef X
	};
	return names[code];
}

int dc_code_status(enum dc_code code)
{
	static const unsigned char statuses[] = {
#define X(name, text, status) [DC_##name] = status,
		DC_CODES(X)
#undef X
	};
	return statuses[code];
}

const char *dc_state_text(enum dc_state state)
{
	switch (state) {
	case DC_STATE_UNTOUCHED: return "the target was not touched";
	case DC_STATE_RUNNING: return "the target runs on, restored";
	case DC_STATE_IN_CALLEE:
		return "the thread is still in the callee and goes home by itself when it returns";
	case DC_STATE_AS_LEFT:
		return "the thread runs on where the callee left it; nothing was restored";
	case DC_STATE_STOPPED: return "the target is stopped by job control, restored";
	case DC_STATE_ENDED: return "the target has ended";
	case DC_STATE_EXECED: return "the target became another program";
	case DC_STATE_STANDS: return "the thread stands where it stood";
	}
	return "the target's state is not known";
}

void dc_error_destroy(struct dc_error *err)
{
	if (!err || err == &dc_out_of_memory)
		return;
	free(err->message);
	free(err->frames);
	free(err->notes);
	free(err);
}

static struct dc_error *make(enum dc_code code, const char *format, va_list args, const char *cause)
{
	struct dc_error *err = calloc(1, sizeof(*err));

	if (!err)
		return &dc_out_of_memory;
	err->code = code;
	err->column = -1;
	if (vasprintf(&err->message, format, args) < 0) {
		free(err);
		return &dc_out_of_memory;
	}
	if (cause) {
		char *whole;

		if (asprintf(&whole, "%s: %s", err->message, cause) < 0) {
			err->message[0] = '\0';
			return err;
		}
		free(err->message);
		err->message = whole;
	}
	return err;
}

struct dc_error *error_make(enum dc_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	struct dc_error *err = make(code, format, args, NULL);
	va_end(args);
	return err;
}

// One shape for every foreign error space: our sentence, then their cause.
#define FOREIGN(code, cause)                                    \
	va_list args;                                           \
	va_start(args, format);                                 \
	struct dc_error *err = make(code, format, args, cause); \
	va_end(args);                                           \
	return err

struct dc_error *error_errno(int errnum, const char *format, ...)
{
	FOREIGN(errnum == ESRCH ? DC_TARGET_ENDED : DC_SYSTEM, strerror(errnum));
}

struct dc_error *error_libelf(const char *format, ...)
{
	FOREIGN(DC_SYSTEM, elf_errmsg(-1));
}

struct dc_error *error_libdw(const char *format, ...)
{
	FOREIGN(DC_SYSTEM, dwarf_errmsg(-1));
}

struct dc_error *error_libdwfl(const char *format, ...)
{
	FOREIGN(DC_SYSTEM, dwfl_errmsg(-1));
}

struct dc_error *error_libunwind(int unwind_code, const char *format, ...)
{
	FOREIGN(DC_SYSTEM, unw_strerror(unwind_code));
}

struct dc_error *error_at(struct dc_error *err, size_t column)
{
	if (err && err != &dc_out_of_memory && err->column < 0)
		err->column = column;
	return err;
}

struct dc_error *error_in_state(struct dc_error *err, enum dc_state state)
{
	if (err && err != &dc_out_of_memory)
		err->state = state;
	return err;
}

struct dc_error *error_about(struct dc_error *err, enum dc_value_state value)
{
	if (err && err != &dc_out_of_memory)
		err->value = value;
	return err;
}

struct dc_error *error_note(struct dc_error *err, const char *format, ...)
{
	if (!err || err == &dc_out_of_memory)
		return err;

	char *line, *notes;
	va_list args;

	va_start(args, format);
	int length = vasprintf(&line, format, args);
	va_end(args);
	if (length < 0)
		return err;
	if (asprintf(&notes, "%s%s\n", err->notes ? err->notes : "", line) >= 0) {
		free(err->notes);
		err->notes = notes;
	}
	free(line);
	return err;
}
