// SPDX-License-Identifier: MIT
// A call with a program's own values as arguments, written as the expression that means the same.
#include "debugger/session/session.h"

#include <inttypes.h>
#include <math.h>

// As a C string literal: everything that is not plain goes as three octal digits, which end by
// themselves.
static void put_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '?')
			fprintf(out, "\\%03o", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static struct dc_error *put_argument(FILE *out, size_t number, const struct dc_argument *arg)
{
	switch (arg->kind) {
	case DC_INTEGER:
		// INT64_MIN has no literal of its own.
		fprintf(out, "(long) %" PRIu64 "u", (uint64_t)arg->integer);
		return NULL;
	case DC_UNSIGNED: fprintf(out, "%" PRIu64 "ul", arg->number); return NULL;
	case DC_DOUBLE:
		if (!isfinite(arg->real))
			return error_make(DC_VALUE, "argument %zu is not a finite number", number);
		// Seventeen digits give the same double back.
		fprintf(out, "(%.17e)", arg->real);
		return NULL;
	case DC_STRING: put_string(out, arg->string); return NULL;
	}
	return error_make(DC_USAGE, "argument %zu is of no known kind", number);
}

struct dc_error *dc_call(struct dc_session *session, const char *function,
			 const struct dc_argument *args, size_t nr_args, struct dc_result *ret)
{
	_cleanup_free_ char *text = NULL;
	struct dc_error *err = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	*ret = (struct dc_result){ 0 };
	if (!out)
		return &dc_out_of_memory;
	fprintf(out, "%s(", function);
	for (size_t i = 0; i < nr_args && !err; i++) {
		if (i)
			fputs(", ", out);
		err = put_argument(out, i + 1, &args[i]);
	}
	fputc(')', out);
	if (fclose(out) && !err)
		err = &dc_out_of_memory;
	return err ? err : dc_evaluate(session, text, ret);
}
