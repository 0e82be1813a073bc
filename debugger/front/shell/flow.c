// SPDX-License-Identifier: MIT
// Commands that run other lines: files, conditions, loops, what a person defines.
#include "debugger/front/interrupt.h"
#include "debugger/front/lua/lua.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

int command_source(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *name = words->operands[0];
	bool is_lua = lua_is_script(name);
	struct source source = { .name = name, .file = is_lua ? NULL : fopen(name, "re") };

	(void)session;
	if (is_lua)
		return lua_run_file(words->shell, name);
	if (!source.file)
		return report_message(out, DC_USAGE, "cannot read %.200s: %s", name,
				      strerror(errno));

	int status = shell_obey_source(words->shell, &source);

	fclose(source.file);
	return status;
}

static int truth(struct shell *shell, const char *text, bool *ret)
{
	if (!shell->session)
		return report_message(shell->out, DC_USAGE, "there is no process (attach PID)");
	interrupt_session(shell->session);

	struct dc_error *err = shell_truth(shell, text, ret);

	interrupt_session(NULL);
	return err ? report_failure(shell->out, text, err) : 0;
}

static int run_lines(struct shell *shell, const struct lines *lines)
{
	struct source source = { .name = shell->source->name ? shell->source->name : "line",
				 .lines = lines };

	return shell_obey_source(shell, &source);
}

int command_if(struct dc_session *session, const struct words *words, struct records *out)
{
	struct lines body = { 0 }, otherwise = { 0 };
	bool is_true;
	int status = source_block(words->shell, "if", &body, &otherwise);

	(void)session;
	(void)out;
	if (!status)
		status = truth(words->shell, words->operands[0], &is_true);
	if (!status)
		status = run_lines(words->shell, is_true ? &body : &otherwise);
	lines_deinit(&body);
	lines_deinit(&otherwise);
	return status;
}

int command_while(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct lines body = { 0 };
	bool is_true;
	int status = source_block(shell, "while", &body, NULL);

	(void)session;
	(void)out;
	while (!status && !interrupt_came()) {
		status = truth(shell, words->operands[0], &is_true);
		if (status || !is_true)
			break;
		status = run_lines(shell, &body);

		bool breaks = shell->loop == LOOP_BREAK;

		shell->loop = LOOP_GOES_ON;
		if (breaks || shell->leaves)
			break;
	}
	if (!status && interrupt_came())
		status = dc_code_status(DC_CANCELLED);
	lines_deinit(&body);
	return status;
}

static int leave_round(const struct words *words, int how, struct records *out)
{
	if (!words->shell->source || !words->shell->source->lines)
		return report_message(out, DC_USAGE, "there is no while around it");
	words->shell->loop = how;
	return 0;
}

int command_loop_break(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	return leave_round(words, LOOP_BREAK, out);
}

int command_loop_continue(struct dc_session *session, const struct words *words,
			  struct records *out)
{
	(void)session;
	return leave_round(words, LOOP_CONTINUE, out);
}

// ---- definitions ----------------------------------------------------------------------------------

static bool is_name(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_')
		return false;
	while (isalnum((unsigned char)*text) || *text == '_' || *text == '-')
		text++;
	return !*text;
}

// A definition of that name, empty; NULL and *status: it cannot be.
static struct definition *make(struct shell *shell, const char *name, int *status)
{
	struct definition *definition = shell_definition(shell, name, strlen(name));
	struct command_match match;

	command_match(name, &match);
	if (!is_name(name)) {
		*status = report_message(shell->out, DC_USAGE, "'%.100s' is no name for a command",
					 name);
		return NULL;
	}
	// The lines of a block are found by these words.
	if (match.is_exact && match.command->runs_lines) {
		*status = report_message(shell->out, DC_USAGE, "%s cannot be another command",
					 name);
		return NULL;
	}
	if (definition) {
		lines_deinit(&definition->body);
		free(definition->text);
		definition->text = NULL;
		return definition;
	}
	definition = calloc(1, sizeof(*definition));
	if (definition)
		definition->name = strdup(name);
	if (!definition || !definition->name) {
		free(definition);
		*status = report_memory(shell->out);
		return NULL;
	}
	definition->next = shell->definitions;
	shell->definitions = definition;
	return definition;
}

int command_define(struct dc_session *session, const struct words *words, struct records *out)
{
	struct lines body = { 0 };
	int status = source_block(words->shell, "define", &body, NULL);
	struct definition *definition = status ? NULL
					       : make(words->shell, words->operands[0], &status);

	(void)session;
	(void)out;
	if (definition)
		definition->body = body;
	else
		lines_deinit(&body);
	return status;
}

static char *join(const struct lines *lines)
{
	size_t n = 1;

	for (size_t i = 0; i < lines->n; i++)
		n += strlen(lines->text[i]) + 1;

	char *text = malloc(n), *at = text;

	for (size_t i = 0; text && i < lines->n; i++)
		at += sprintf(at, "%s%s", i ? "\n" : "", lines->text[i]);
	if (text)
		*at = '\0';
	return text;
}

int command_document(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *name = words->operands[0];
	struct lines lines = { 0 };
	int status = source_block(words->shell, "document", &lines, NULL);
	struct definition *definition = shell_definition(words->shell, name, strlen(name));

	(void)session;
	if (!status && !definition) {
		status = report_message(out, DC_USAGE, "no command '%.100s' was defined", name);
	} else if (!status) {
		free(definition->document);
		definition->document = join(&lines);
	}
	lines_deinit(&lines);
	return status;
}

static int list_aliases(struct shell *shell)
{
	for (const struct definition *each = shell->definitions; each; each = each->next) {
		if (!each->text)
			continue;
		record_begin(shell->out, "alias");
		record_text(shell->out, "name", each->name);
		record_text(shell->out, "command", each->text);
		record_end(shell->out);
	}
	return 0;
}

int command_alias(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *text = words->nr ? words->operands[0] : NULL;
	const char *equals = text ? strchr(text, '=') : NULL;
	char name[64];
	int status = 0;

	(void)session;
	if (!text)
		return list_aliases(words->shell);
	if (!equals || sscanf(text, "%63[^= \t]", name) != 1 ||
	    strspn(text + strlen(name), " \t") != (size_t)(equals - text) - strlen(name))
		return report_message(out, DC_USAGE, "alias wants NAME = COMMAND");
	equals += 1 + strspn(equals + 1, " \t");
	if (!*equals)
		return report_message(out, DC_USAGE, "alias wants NAME = COMMAND");

	struct definition *definition = make(words->shell, name, &status);

	if (definition) {
		definition->text = strdup(equals);
		if (!definition->text)
			status = report_memory(out);
	}
	return status;
}

// ---- the system's shell ---------------------------------------------------------------------------

int command_shell(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *shell = getenv("SHELL");
	const char *line = words->nr ? words->operands[0] : shell && *shell ? shell : "/bin/sh";

	(void)session;
	fflush(stdout);
	interrupt_hand_over(true);

	int status = system(line);

	interrupt_hand_over(false);
	if (status < 0)
		return report_message(out, DC_SYSTEM, "cannot run a shell: %s", strerror(errno));
	if (WIFSIGNALED(status))
		return report_message(out, DC_SYSTEM, "the shell was ended by signal %d",
				      WTERMSIG(status));
	if (WEXITSTATUS(status))
		return report_message(out, DC_SYSTEM, "the shell ended with status %d",
				      WEXITSTATUS(status));
	return 0;
}
