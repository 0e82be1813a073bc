// SPDX-License-Identifier: MIT
// Errors, notes and frames as records.
#include "debugger/front/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report_notes(struct records *out, const char *notes)
{
	record_lines(out, "notes", out->quiet ? NULL : notes);
}

void report_frame_fields(struct records *out, const struct dc_frame *frame)
{
	record_address(out, "pc", frame->pc);
	record_text(out, "function", frame->function);
	record_count(out, "offset", frame->offset);
	record_text(out, "module", frame->module);
	if (frame->file) {
		record_text(out, "file", frame->file);
		record_integer(out, "line", frame->line);
	}
}

void report_frame(struct records *out, const char *name, const struct dc_frame *frame)
{
	record_group(out, name);
	report_frame_fields(out, frame);
	record_close(out);
}

int report_error(struct records *out, const char *expr, const struct dc_error *err)
{
	record_begin(out, "error");
	if (out->place)
		record_text(out, "at", out->place);
	record_text(out, "expr", expr);
	record_flag(out, "ok", false);
	record_group(out, "error");
	record_text(out, "code", dc_code_name(err->code));
	record_text(out, "message", err->message);
	if (err->column >= 0)
		record_integer(out, "column", err->column);
	if (err->signo) {
		const char *name = sigabbrev_np(err->signo);

		if (name)
			record_format(out, "signal", "SIG%s", name);
		else
			record_format(out, "signal", "%d", err->signo);
		record_address(out, "address", err->addr);
	}
	if (err->goroutine)
		record_format(out, "goroutine", "%ju", (uintmax_t)err->goroutine);
	record_list(out, "frames");
	for (size_t i = 0; i < err->nr_frames; i++)
		report_frame(out, NULL, &err->frames[i]);
	record_close(out);
	report_notes(out, err->notes);
	record_text(out, "state", dc_state_text(err->state));
	record_close(out);
	record_end(out);
	return dc_code_status(err->code);
}

int report_failure(struct records *out, const char *expr, struct dc_error *err)
{
	int status = report_error(out, expr, err);

	dc_error_destroy(err);
	return status;
}

int report_usage(struct records *out, const char *complaint)
{
	const struct dc_error usage = {
		.code = DC_USAGE,
		.message = (char *)complaint,
		.column = -1,
		.notes = (char *)"usage: debugcall [options] -p PID EXPR...   "
				 "(debugcall --help says more)\n",
	};

	return report_error(out, NULL, &usage);
}

int report_message(struct records *out, enum dc_code code, const char *format, ...)
{
	struct dc_error error = { .code = code, .column = -1 };
	va_list args;

	va_start(args, format);
	if (vasprintf(&error.message, format, args) < 0)
		error.message = NULL;
	va_end(args);
	if (!error.message)
		return report_memory(out);

	int status = report_error(out, NULL, &error);

	free(error.message);
	return status;
}

int report_memory(struct records *out)
{
	const struct dc_error memory = {
		.code = DC_MEMORY,
		.message = (char *)"out of memory",
		.column = -1,
	};

	return report_error(out, NULL, &memory);
}

void report_note(struct records *out, const char *format, ...)
{
	char text[256];
	va_list args;

	if (out->quiet)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	record_begin(out, "note");
	record_text(out, "text", text);
	record_end(out);
}

void report_patch(struct records *out, const char *place)
{
	bool quiet = out->quiet;

	out->quiet = false;
	report_note(
		out,
		"no other breakpoint can be at %.60s: int3 is patched into the code, and while it "
		"is there the process does not survive debugcall being killed",
		place);
	out->quiet = quiet;
}
