// SPDX-License-Identifier: MIT
// Many breakpoints at once: at all functions of a pattern, and as commands in a file.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/running.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// ---- rbreak ---------------------------------------------------------------------------------------

struct functions {
	char **name;
	size_t n;
	bool failed;
};

// Those of the program and its libraries that have lines: where there are none nobody looks.
static bool add_function(const struct dc_function *function, void *arg)
{
	struct functions *functions = arg;

	if (!function->prototype ||
	    (functions->n && !strcmp(functions->name[functions->n - 1], function->name)))
		return true;

	char **more = reallocarray(functions->name, functions->n + 1, sizeof(*more));

	if (more) {
		functions->name = more;
		more[functions->n] = strdup(function->name);
	}
	functions->failed = !more || !more[functions->n];
	functions->n += !functions->failed;
	return !functions->failed;
}

int command_rbreak(struct dc_session *session, const struct words *words, struct records *out)
{
	struct functions functions = { 0 };
	struct dc_error *err = dc_functions(session, words->operands[0], add_function, &functions);
	size_t set = 0;
	int status = 0;

	if (err)
		status = report_failure(out, NULL, err);
	else if (functions.failed)
		status = report_memory(out);
	else if (!functions.n)
		status = report_message(out, DC_NAME,
					"no function with debug information matches '%.100s'",
					words->operands[0]);
	while (!status && set < functions.n) {
		status = shell_break_and_say(words->shell, functions.name[set]);
		set += !status;
	}
	if (status && set)
		report_note(out, "%zu of %zu functions have a breakpoint", set, functions.n);
	for (size_t i = 0; i < functions.n; i++)
		free(functions.name[i]);
	free(functions.name);
	return status;
}

// ---- save -----------------------------------------------------------------------------------------

struct saving {
	struct shell *shell;
	FILE *file;
	size_t n;
};

static bool save(const struct dc_breakpoint *breakpoint, void *arg)
{
	struct saving *saving = arg;
	const struct breakpoint_script *script = saving->shell->scripts;
	const char *condition = breakpoint->condition;
	FILE *out = saving->file;

	// Threads are others next time.
	fprintf(out, "%s %s", shell_break_command(breakpoint),
		breakpoint->place ? breakpoint->place : "");
	if (condition)
		fprintf(out, " if%s%s", *condition == ' ' ? "" : " ", condition);
	fputc('\n', out);
	if (!breakpoint->enabled)
		fputs("disable $bpnum\n", out);
	if (breakpoint->ignore)
		fprintf(out, "ignore $bpnum %ju\n", (uintmax_t)breakpoint->ignore);
	while (script && script->number != breakpoint->number)
		script = script->next;
	if (script) {
		fputs("commands\n", out);
		for (size_t i = 0; i < script->lines.n; i++)
			fprintf(out, "%s\n", script->lines.text[i]);
		fputs("end\n", out);
	}
	saving->n++;
	return true;
}

int command_save_breakpoints(struct dc_session *session, const struct words *words,
			     struct records *out)
{
	const char *name = words->operands[0];
	struct saving saving = { .shell = words->shell };
	struct dc_error *err = NULL;

	if (!dc_is_controlled(session))
		return report_message(out, DC_USAGE, "there is no breakpoint");
	saving.file = fopen(name, "we");
	if (!saving.file)
		return report_message(out, DC_USAGE, "cannot write %.200s: %s", name,
				      strerror(errno));
	err = dc_breakpoints(session, save, &saving);

	bool failed = ferror(saving.file);

	failed |= fclose(saving.file) != 0;
	if (err)
		return report_failure(out, NULL, err);
	if (failed)
		return report_message(out, DC_SYSTEM, "cannot write %.200s: %s", name,
				      strerror(errno));
	report_note(out, "%zu breakpoint%s in %.200s, for source", saving.n,
		    saving.n == 1 ? "" : "s", name);
	return 0;
}
