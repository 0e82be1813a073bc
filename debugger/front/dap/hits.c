// SPDX-License-Identifier: MIT
// What only we know of a breakpoint's hits: conditions on their number, log points.
#include "debugger/front/dap/dap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hit_condition {
	char operator[3];
	uint64_t count;
};

// ">= 5", "% 10"; a bare number is that hit alone.
static bool parse(const char *text, struct hit_condition *ret)
{
	static const char *const operators[] = { "==", ">=", "<=", ">", "<", "%", "=" };
	char *end;

	*ret = (struct hit_condition){ .operator= "==" };
	text += strspn(text, " ");
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		size_t n = strlen(operators[i]);

		if (strncmp(text, operators[i], n) != 0)
			continue;
		snprintf(ret->operator, sizeof(ret->operator), "%s", operators[i]);
		text += n;
		break;
	}
	text += strspn(text, " ");
	ret->count = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !end[strspn(end, " ")] &&
	       (*ret->operator!= '%' || ret->count);
}

bool breakpoint_is_hit_condition(const char *text)
{
	struct hit_condition condition;

	return parse(text, &condition);
}

bool breakpoint_hit(struct breakpoint *breakpoint)
{
	const char *text = breakpoint_text(breakpoint->asked, "hitCondition");
	struct hit_condition condition;
	uint64_t hits = ++breakpoint->hits;

	if (!text || !parse(text, &condition))
		return true;
	switch (*condition.operator) {
	case '%': return hits % condition.count == 0;
	case '>': return condition.operator[1] ? hits >= condition.count : hits> condition.count;
	case '<': return condition.operator[1] ? hits <= condition.count : hits<condition.count;
	default: return hits == condition.count;
	}
}

static void put_value(struct dc_session *session, const struct dap *dap, const char *text,
		      pid_t thread, FILE *file)
{
	const struct dc_scope scope = { .thread = thread, .frame = "0" };
	struct dc_call_options options = dap->call;
	struct dc_expression *expression = NULL;
	struct dc_result result = { 0 };
	char *value = NULL;
	struct dc_error *err = dc_parse(session, text, &scope, &expression);

	options.no_number = true;
	if (!err)
		err = dc_evaluate(session, expression, &options, &result);
	if (!err)
		err = dc_value_text(result.value, 0, &value);
	if (err)
		fprintf(file, "<%s>", err->message);
	else
		fputs(value ?: "void", file);
	dc_error_destroy(err);
	free(value);
	dc_result_deinit(&result);
	dc_expression_destroy(expression);
}

char *breakpoint_message(struct request *request, struct dc_session *session,
			 const struct breakpoint *breakpoint, pid_t thread)
{
	char *message = NULL;
	size_t size;
	FILE *file = open_memstream(&message, &size);

	for (const char *at = breakpoint->log; file && *at; at++) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		char *text = end ? strndup(at + 1, (size_t)(end - at - 1)) : NULL;

		if (text) {
			put_value(session, request->dap, text, thread, file);
			at = end;
		} else {
			fputc(*at, file);
		}
		free(text);
	}
	if (file)
		fputc('\n', file);
	if (file && !fclose(file))
		return message;
	free(message);
	return NULL;
}
