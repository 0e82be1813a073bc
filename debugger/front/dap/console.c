// SPDX-License-Identifier: MIT
// Lines of the debug console that are commands: the program's own, with the text that they print.
#include "debugger/front/commands.h"
#include "debugger/front/dap/dap.h"

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

static void run(struct request *request, struct dc_session *session, const struct command *command,
		const struct words *words)
{
	struct records out = RECORDS_INIT(render, false);
	char *text = NULL;
	size_t size;

	console = open_memstream(&text, &size);
	if (!console) {
		request_complain(request, "out of memory");
		return;
	}
	int status = command_run(command, session, words, &out);
	bool closed = !fclose(console);

	while (closed && size && text[size - 1] == '\n')
		text[--size] = '\0';
	if (!closed)
		request_complain(request, "out of memory");
	else if (status)
		request_complain(request, "%s", text);
	else
		request->body = json_pack("{so* si}", "result", json_text(text),
					  "variablesReference", 0);
	free(text);
}

// The first word's command; *rest: what follows it.
static const struct command *find(const char *line, const char **rest)
{
	size_t n = strcspn(line, " \t");
	char word[64];

	*rest = line + n + strspn(line + n, " \t");
	if (!n || n >= sizeof(word))
		return NULL;
	snprintf(word, sizeof(word), "%.*s", (int)n, line);
	return command_find(word);
}

bool dap_console(struct request *request, struct dc_session *session, const char **line)
{
	const char *rest;
	const struct command *command = find(*line, &rest);
	struct words words = { .operands = &rest, .call = request->dap->call };
	char complaint[256];

	if (!command)
		return false;
	// "call f()" and "print f()" are what the expression is.
	if (command == &commands[0]) {
		*line = rest;
		return false;
	}
	words.nr = *rest != '\0';
	if (command_accepts(command, &words, complaint))
		run(request, session, command, &words);
	else
		request_complain(request, "as the command %s: %s", command->name, complaint);
	return true;
}
