// SPDX-License-Identifier: MIT
// The names of a frame and their values: arguments, locals, registers.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/values.h"

#include <stdlib.h>
#include <string.h>

struct list {
	char **name;
	size_t n;
	bool failed;
};

static bool collect(const char *name, void *arg)
{
	struct list *list = arg;

	// The innermost of a name is in force, and comes first.
	for (size_t i = 0; i < list->n; i++) {
		if (!strcmp(list->name[i], name))
			return true;
	}

	char **more = reallocarray(list->name, list->n + 1, sizeof(*more));

	list->failed = !more;
	if (!more)
		return false;
	list->name = more;
	more[list->n] = strdup(name);
	list->failed = !more[list->n];
	list->n += !list->failed;
	return !list->failed;
}

static void list_deinit(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->name[i]);
	free(list->name);
}

static void show_value(struct records *out, const char *kind, const char *name,
		       const struct dc_value *value, struct dc_error *err)
{
	char *text = NULL;

	if (!err)
		err = dc_value_text(value, 0, &text);
	record_begin(out, kind);
	record_text(out, "name", name);
	if (err) {
		record_none(out, "value");
		record_text(out, "why", err->message);
	} else {
		record_text(out, "value", text);
		if (!strcmp(kind, "register") && value->type.kind == DC_TYPE_INTEGER) {
			char *hex = NULL;

			dc_error_destroy(dc_value_text(value, 'x', &hex));
			record_text(out, "hex", hex);
			free(hex);
		}
		record_text(out, "type", value->type.name);
	}
	record_end(out);
	free(text);
	dc_error_destroy(err);
}

// Each by itself: what is optimised out must not hide the others.
static int show_all(struct shell *shell, const struct list *list, const struct dc_scope *scope,
		    const char *kind, const char *prefix)
{
	struct dc_call_options options = shell->usual.call;

	options.no_number = true;
	for (size_t i = 0; i < list->n; i++) {
		struct dc_expression *expression;
		struct dc_result result = { 0 };
		char *text;

		if (asprintf(&text, "%s%s", prefix, list->name[i]) < 0)
			return report_memory(shell->out);

		struct dc_error *err = dc_parse(shell->session, text, scope, &expression);

		if (!err) {
			err = dc_evaluate(shell->session, expression, &options, &result);
			dc_expression_destroy(expression);
		}
		free(text);
		// Nothing else can be told of a target that is gone.
		if (err && dc_code_status(err->code) > 3)
			return report_failure(shell->out, list->name[i], err);
		show_value(shell->out, kind, list->name[i], result.value, err);
		dc_result_deinit(&result);
	}
	return 0;
}

static int show_names(struct shell *shell, enum dc_names which, const struct dc_scope *scope)
{
	__attribute__((cleanup(list_deinit))) struct list list = { 0 };
	struct dc_error *err = dc_names(shell->session, which, scope, collect, &list);

	if (err)
		return report_failure(shell->out, NULL, err);
	if (list.failed)
		return report_memory(shell->out);
	if (!list.n)
		report_note(shell->out, which == DC_NAMES_ARGUMENTS ? "no arguments" : "no locals");
	return show_all(shell, &list, scope, "variable", "");
}

int command_info_locals(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	return show_names(words->shell, DC_NAMES_LOCALS, &words->scope);
}

int command_info_args(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	return show_names(words->shell, DC_NAMES_ARGUMENTS, &words->scope);
}

int shell_show_locals(struct shell *shell, unsigned frame)
{
	__attribute__((cleanup(list_deinit))) struct list list = { 0 };
	struct dc_scope scope = shell->usual.scope;
	char number[16];

	snprintf(number, sizeof(number), "%u", frame);
	scope.thread = shell_thread(shell);
	scope.frame = number;

	struct dc_error *err = dc_names(shell->session, DC_NAMES_ARGUMENTS, &scope, collect, &list);

	if (!err)
		err = dc_names(shell->session, DC_NAMES_LOCALS, &scope, collect, &list);
	// Frames without debug information have no names.
	if (err) {
		dc_error_destroy(err);
		return 0;
	}
	return show_all(shell, &list, &scope, "variable", "");
}

// ---- registers ------------------------------------------------------------------------------------

static int show_registers(const struct words *words, bool all, struct dc_session *session,
			  struct records *out)
{
	__attribute__((cleanup(list_deinit))) struct list list = { 0 };
	struct dc_error *err = NULL;
	struct dc_departure departure;

	for (size_t i = 0; i < words->nr; i++)
		collect(words->operands[i] + (*words->operands[i] == '$'), &list);
	if (!words->nr)
		err = dc_names(session, DC_NAMES_REGISTERS, &words->scope, collect, &list);
	if (!err && all)
		err = dc_names(session, DC_NAMES_VECTOR_REGISTERS, &words->scope, collect, &list);
	// One borrowing, so that they are those of one instant.
	if (!err)
		err = dc_attach(session, &words->scope, &words->call);
	if (err)
		return report_failure(out, NULL, err);

	int status = show_all(words->shell, &list, &words->scope, "register", "$");

	err = dc_detach(session, &departure);
	return err ? report_failure(out, NULL, err) : status;
}

int command_info_registers(struct dc_session *session, const struct words *words,
			   struct records *out)
{
	return show_registers(words, false, session, out);
}

int command_info_all_registers(struct dc_session *session, const struct words *words,
			       struct records *out)
{
	return show_registers(words, true, session, out);
}
