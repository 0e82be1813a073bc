// SPDX-License-Identifier: MIT
// Where results go: text for eyes, JSON for programs. Handlers write here and know neither.
// Nothing is written while a thread is borrowed: a full pipe must not hold it.
#ifndef DEBUGGER_FRONT_SINK_H
#define DEBUGGER_FRONT_SINK_H

#include "debugger/debugcall.h"

struct sink {
	bool quiet;
	void (*result)(const struct sink *sink, const char *expr, const struct dc_result *result,
		       const struct dc_rate *rate); // rate: NULL unless repeated
	// expr: NULL when no expression is to blame
	void (*error)(const struct sink *sink, const char *expr, const struct dc_error *err);
	void (*note)(const struct sink *sink, const char *text); // lines, the last newline optional
	void (*check)(const struct sink *sink, const struct dc_check *check);
	void (*function)(const struct sink *sink, const struct dc_function *function);
	void (*goroutine)(const struct sink *sink, const struct dc_goroutine *goroutine);
};

struct sink sink_text(bool quiet);
struct sink sink_json(bool quiet);

#endif
