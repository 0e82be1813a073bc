// SPDX-License-Identifier: MIT
// The debug console's lines that are no expressions: the shell's commands, with the text that they
// print, and what a line may go on with.
#include "debugger/front/dap/dap.h"
#include "debugger/front/shell/complete.h"
#include "debugger/front/shell/shell.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What renders has nowhere else to be told where to.
static _Thread_local FILE *console;

// glibc's standard streams are variables, and nobody else here prints: the client has the real ones.
static void render(const struct record *record, bool quiet)
{
	FILE *out = stdout, *err = stderr;

	stdout = stderr = console;
	text_render(record, quiet);
	stdout = out;
	stderr = err;
}

// One shell for all lines, because some commands go on where the one before ended. NULL: no memory.
static struct shell *shell_of(struct request *request, struct dc_session *session,
			      const struct frame_reference *frame, struct dap_place *place)
{
	struct dap *dap = request->dap;

	if (!dap->shell) {
		dap->shell = calloc(1, sizeof(*dap->shell));
		if (dap->shell && !settings_init(&dap->shell->settings)) {
			free(dap->shell);
			dap->shell = NULL;
		}
	}
	if (!dap->shell) {
		request_complain(request, "out of memory");
		return NULL;
	}
	dap_place_init(place, frame, false);
	dap->shell->session = session;
	dap->shell->pid = dap->pid;
	dap->shell->usual.call = dap->call;
	if (frame)
		dap->shell->usual.scope = place->scope;
	return dap->shell;
}

void dap_forget_console(struct dap *dap)
{
	if (!dap->shell)
		return;
	// The session is not its own.
	dap->shell->session = NULL;
	shell_deinit(dap->shell);
	free(dap->shell);
	dap->shell = NULL;
}

static void obey(struct request *request, struct shell *shell, const char *line)
{
	struct records out = RECORDS_INIT(render, false);
	char *text = NULL;
	size_t size;

	console = open_memstream(&text, &size);
	if (!console) {
		request_complain(request, "out of memory");
		return;
	}
	shell->out = &out;
	int status = shell_obey(shell, line, false);
	bool closed = !fclose(console);

	shell->out = NULL;
	// The scope was this line's.
	shell->usual.scope = (struct dc_scope){ 0 };
	while (closed && size && text[size - 1] == '\n')
		text[--size] = '\0';
	if (!closed)
		request_complain(request, "out of memory");
	else if (status)
		request_complain(request, "as a command: %s", text);
	else
		request->body = json_pack("{so* si}", "result", json_text(text),
					  "variablesReference", 0);
	free(text);
}

// Those that need no target are about the shell itself, or lead away from the process.
static bool is_for_us(const struct command *command)
{
	return (!command->needs_no_target || !strcmp(command->name, "help") ||
		!strcmp(command->name, "apropos")) &&
	       strcmp(command->name, "detach") != 0 && !command->only_command_line;
}

bool dap_console(struct request *request, struct dc_session *session,
		 const struct frame_reference *frame, const char *line)
{
	struct command_match match;
	struct dap_place place;
	struct shell *shell;

	command_match(line, &match);
	if (!match.command || !match.is_exact || !is_for_us(match.command))
		return false;
	shell = shell_of(request, session, frame, &place);
	if (shell)
		obey(request, shell, line);
	return true;
}

const char *dap_plain_expression(const char *line)
{
	static const char *const words[] = { "call", "print" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);

		if (!strncmp(line, words[i], n) && (line[n] == ' ' || line[n] == '\t'))
			return line + n + strspn(line + n, " \t");
	}
	return line;
}

// ---- Completion ----

struct candidates {
	json_t *targets;
	size_t start, length; // of the word that is being written
	size_t base; // of the client's columns
};

static void add_candidate(const char *line, void *arg)
{
	struct candidates *candidates = arg;

	json_array_append_new(candidates->targets,
			      json_pack("{so sI sI}", "label", json_text(line + candidates->start),
					"start", (json_int_t)(candidates->start + candidates->base),
					"length", (json_int_t)candidates->length));
}

// The line's word before the cursor; the shell gives whole lines.
static void complete(struct request *request, struct shell *shell, const char *text)
{
	size_t end = strlen(text), start = end;
	struct candidates candidates = { .targets = json_array(),
					 .base = !request->dap->columns_from_0 };

	while (start && (isalnum((unsigned char)text[start - 1]) || text[start - 1] == '_'))
		start--;
	candidates.start = start;
	candidates.length = end - start;
	complete_for(shell);
	complete_text(text, add_candidate, &candidates);
	complete_for(NULL);
	shell->usual.scope = (struct dc_scope){ 0 };
	request->body = json_pack("{so}", "targets", candidates.targets);
}

struct dc_error *dap_completions(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	const char *given = argument_text(request, request->arguments, "text", true);
	int64_t column = argument_integer(request, request->arguments, "column", true, 1);
	const struct frame_reference *frame = dap_frame(request);
	struct dap_place place;
	struct shell *shell;
	char *text;

	if (request->complaint)
		return NULL;
	column -= !request->dap->columns_from_0;
	if (column < 0 || column > (int64_t)strlen(given))
		column = (int64_t)strlen(given);
	text = strndup(given, (size_t)column);
	shell = text ? shell_of(request, session, frame, &place) : NULL;
	if (shell)
		complete(request, shell, text);
	else
		request_complain(request, "out of memory");
	free(text);
	return NULL;
}
