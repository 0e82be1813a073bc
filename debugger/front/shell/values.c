// SPDX-License-Identifier: MIT
// Expressions whose values the shell itself uses.
#include "debugger/front/shell/values.h"

#include <stdlib.h>
#include <string.h>

struct dc_error *shell_evaluate(struct shell *shell, const char *text, struct dc_result *ret)
{
	struct dc_call_options options = shell->usual.call;
	struct dc_expression *expression;
	struct dc_error *err;

	options.no_number = true;
	*ret = (struct dc_result){ 0 };
	err = dc_parse(shell->session, text, &shell->usual.scope, &expression);
	if (err)
		return err;
	err = dc_evaluate(shell->session, expression, &options, ret);
	dc_expression_destroy(expression);
	return err;
}

// format has one %s for the text. Blames the text, not what was made of it.
static struct dc_error *evaluate_as(struct shell *shell, const char *format, const char *text,
				    void *bytes, size_t size)
{
	struct dc_result result = { 0 };
	char *whole;
	ssize_t before = strstr(format, "%s") - format;
	size_t n = strlen(text) + strlen(format);

	whole = malloc(n);
	if (!whole)
		return NULL;
	snprintf(whole, n, "%.*s%s%s", (int)before, format, text, format + before + 2);

	struct dc_error *err = shell_evaluate(shell, whole, &result);

	free(whole);
	memset(bytes, 0, size);
	if (err && err->column >= 0) {
		err->column -= before;
		if (err->column < 0 || err->column > (ssize_t)strlen(text))
			err->column = -1;
	}
	if (!err && result.value->bytes)
		memcpy(bytes, result.value->bytes,
		       result.value->type.size < size ? result.value->type.size : size);
	dc_result_deinit(&result);
	return err;
}

struct dc_error *shell_integer(struct shell *shell, const char *text, uint64_t *ret)
{
	return evaluate_as(shell, "(unsigned long)(%s)", text, ret, sizeof(*ret));
}

struct dc_error *shell_truth(struct shell *shell, const char *text, bool *ret)
{
	int is_false = 0;
	struct dc_error *err = evaluate_as(shell, "!(%s)", text, &is_false, sizeof(is_false));

	*ret = !is_false;
	return err;
}

struct dc_error *shell_real(struct shell *shell, const char *text, double *ret)
{
	return evaluate_as(shell, "(double)(%s)", text, ret, sizeof(*ret));
}

const char *shell_part_end(const char *text)
{
	int depth = 0;

	for (; *text; text++) {
		if (*text == '"' || *text == '\'') {
			char quote = *text++;

			while (*text && *text != quote)
				text += *text == '\\' && text[1] ? 2 : 1;
			if (!*text)
				return text;
			continue;
		}
		if (strchr("([{", *text))
			depth++;
		else if (strchr(")]}", *text))
			depth--;
		else if (*text == ',' && depth <= 0)
			return text;
	}
	return text;
}
