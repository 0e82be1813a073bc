// SPDX-License-Identifier: MIT
// One line of a shell: the command, definition or expression that it is, run.
#include "debugger/front/shell/shell.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/progress.h"
#include "debugger/front/shell/running.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// Definitions that call themselves.
enum { DEPTH_MAX = 100 };

// ---- one line -------------------------------------------------------------------------------------

struct definition *shell_definition(struct shell *shell, const char *name, size_t length)
{
	struct definition *definition = shell->definitions;

	while (definition && (strncmp(definition->name, name, length) || definition->name[length]))
		definition = definition->next;
	return definition;
}

// A line that begins with a command's name may be an expression all the same: "x = 5", "add(1, 2)",
// "n->next". What a command's own operands can begin with is the command's.
static bool reads_as_expression(const char *line, const struct command_match *match)
{
	static const char *const operators[] = { "=",  "+=", "-=", "*=", "/=", "%=", "<", ">", "|=",
						 "&&", "||", "!=", "^",	 "?",  ",",  ")", "]" };
	const struct command *command = match->command;
	const char *rest = line + match->length;

	if (!strchr(BLANKS, *rest) && !strchr("!|", *line)) {
		if (*rest == '/' &&
		    (!command || command->takes_format || command->operand == OPERAND_EXPRESSION))
			return !command;
		// "p(1)", "x&table", as in gdb.
		return !(match->is_exact && command && command->operand == OPERAND_EXPRESSION &&
			 strchr("(&*$\"'", *rest));
	}
	if (command && (command->operand == OPERAND_TEXT || command->operand == OPERAND_REGEX))
		return false;
	rest += strspn(rest, BLANKS);
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		if (!strncmp(rest, operators[i], strlen(operators[i])))
			return true;
	}
	return false;
}

// "brek main" is a command that is not known; "brek" may be one.
static bool reads_as_command(const char *line)
{
	size_t n = 0;

	while (isalnum((unsigned char)line[n]) || line[n] == '_' || line[n] == '-')
		n++;
	if (!n || isdigit((unsigned char)*line))
		return false;
	if (!line[n])
		return true;
	if (!strchr(BLANKS, line[n]))
		return false;
	n += strspn(line + n, BLANKS);
	return isalnum((unsigned char)line[n]) || strchr("_\"'$/", line[n]);
}

static void list_candidates(const struct command_match *match, char *text, size_t size)
{
	size_t n = 0;

	*text = '\0';
	for (size_t i = 0; i < match->nr_candidates && i < 8 && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%.*s", i ? ", " : "",
				      (int)strcspn(match->candidates[i], " "),
				      match->candidates[i]);
	if (match->nr_candidates > 8 && n < size)
		snprintf(text + n, size - n, ", …");
}

static int refuse_command(struct shell *shell, const char *line, const struct command_match *match)
{
	char candidates[256];
	int length = (int)match->length < 100 ? (int)match->length : 100;

	if (match->nr_candidates > 1) {
		list_candidates(match, candidates, sizeof(candidates));
		return report_message(shell->out, DC_USAGE, "'%.*s' is not one command: %s", length,
				      line, candidates);
	}
	if (match->is_group && match->second_length == 0)
		return report_message(shell->out, DC_USAGE, "%s of what? (help %s lists them)",
				      match->group, match->group);
	if (match->nearest)
		return report_message(shell->out, DC_USAGE,
				      "no command '%.*s'; the nearest is '%s' (help lists them)",
				      length, line, match->nearest);
	return report_message(shell->out, DC_USAGE, "no command '%.*s' (help lists them)", length,
			      line);
}

// Whatever it names, it is no expression; said as a command that is not known, when it reads so.
static bool is_no_expression(struct shell *shell, const char *line)
{
	struct dc_expression *expression;
	struct dc_scope scope = shell->usual.scope;

	if (!reads_as_command(line))
		return false;
	if (!shell->session)
		return true;
	scope.no_stop = true;

	struct dc_error *err = dc_parse(shell->session, line, &scope, &expression);

	if (!err) {
		dc_expression_destroy(expression);
		return false;
	}
	// A name that is known, with another fault, is one.
	bool unknown = err->code == DC_NAME || err->code == DC_SYNTAX;

	dc_error_destroy(err);
	return unknown;
}

// ---- one command ----------------------------------------------------------------------------------

struct operands {
	char **list;
	size_t n;
};

static void operands_deinit(struct operands *operands)
{
	for (size_t i = 0; i < operands->n; i++)
		free(operands->list[i]);
	free(operands->list);
}

// Words between blanks; quotes keep blanks.
static bool split(const char *rest, struct operands *ret)
{
	size_t length = strlen(rest);

	ret->list = calloc(length / 2 + 2, sizeof(*ret->list));
	if (!ret->list)
		return false;
	for (;;) {
		rest += strspn(rest, BLANKS);
		if (!*rest)
			return true;

		char *word = malloc(strlen(rest) + 1);
		size_t n = 0;
		char quote = 0;

		if (!word)
			return false;
		for (; *rest && (quote || !strchr(BLANKS, *rest)); rest++) {
			if (quote ? *rest == quote : *rest == '"' || *rest == '\'')
				quote = quote ? 0 : *rest;
			else
				word[n++] = *rest;
		}
		word[n] = '\0';
		ret->list[ret->n++] = word;
	}
}

static bool one_operand(const char *rest, struct operands *ret)
{
	size_t length;

	rest += strspn(rest, BLANKS);
	length = strlen(rest);
	while (length && strchr(BLANKS, rest[length - 1]))
		length--;
	ret->list = calloc(1, sizeof(*ret->list));
	if (!ret->list || !length)
		return ret->list;
	ret->list[0] = strndup(rest, length);
	ret->n = ret->list[0] != NULL;
	return ret->n;
}

static const char *take_format(const char *rest, char format[32])
{
	size_t n = strcspn(rest + 1, " \t");

	snprintf(format, 32, "%.*s", (int)(n < 31 ? n : 31), rest + 1);
	return rest + 1 + n;
}

static int run_with(struct shell *shell, const struct command *command, const struct words *words)
{
	char complaint[256];

	if (!command_accepts(command, words, complaint))
		return report_message(shell->out, DC_USAGE, "%s", complaint);
	if (!command->needs_no_target && !shell->session)
		return report_message(shell->out, DC_USAGE, "%s: there is no process (attach PID)",
				      command->name);
	interrupt_session(shell->session);
	if (!command->needs_no_target && !command->runs_lines && command->group != GROUP_RUNNING)
		progress_begin(command->name);
	// One that came between the end of the line and here is meant for this.
	if (interrupt_came() && shell->session)
		dc_cancel(shell->session);

	int status = command_run(command, shell->session, words, shell->out);

	progress_end();
	interrupt_session(NULL);
	return status;
}

// An interrupt that came when nothing ran any more must not end what runs next.
static void spend_interrupt(struct shell *shell, int status)
{
	struct dc_expression *expression = NULL;

	if (!interrupt_came() || status == dc_code_status(DC_CANCELLED) || !shell->session)
		return;
	dc_error_destroy(dc_parse(shell->session, "0", NULL, &expression));
	dc_expression_destroy(expression);
}

static int run_command(struct shell *shell, const struct command *command, const char *line,
		       const char *rest, bool again)
{
	__attribute__((cleanup(operands_deinit))) struct operands operands = { 0 };
	struct words words = shell->usual;
	char format[32];

	words.shell = shell;
	words.again = again;
	if (command->takes_format && rest[strspn(rest, BLANKS)] == '/') {
		rest = take_format(rest + strspn(rest, BLANKS), format);
		words.format = format;
	}
	if (command->operand == OPERAND_WORDS ? !split(rest, &operands)
					      : !one_operand(rest, &operands))
		return report_memory(shell->out);
	words.operands = (const char *const *)operands.list;
	words.nr = operands.n;

	bool whole = shell->json && !command->runs_lines;

	if (whole)
		records_hold(shell->out);

	int status = run_with(shell, command, &words);

	if (whole)
		records_hand_on(shell->out, json_render_command,
				&(struct json_command){ line, status });
	if (!command->runs_lines)
		spend_interrupt(shell, status);
	// Where the callee stands is said at once.
	if (status == dc_code_status(DC_PENDING) && command == command_at(0) && shell->session)
		shell_tell_events(shell);
	return status || !shell->stopped_at ? status : shell_run_scripts(shell);
}

static int run_definition(struct shell *shell, struct definition *definition, const char *rest)
{
	__attribute__((cleanup(operands_deinit))) struct operands operands = { 0 };
	const struct words *before = shell->arguments;
	struct source source = { .name = definition->name, .lines = &definition->body };
	struct words words = { 0 };

	if (!split(rest, &operands))
		return report_memory(shell->out);
	words.operands = (const char *const *)operands.list;
	words.nr = operands.n;
	shell->arguments = &words;

	int status = shell_obey_source(shell, &source);

	shell->arguments = before;
	return status;
}

// $arg0 … and $argc as the words that the definition was given. NULL: no memory.
static char *fill_in(const char *line, const struct words *arguments)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while (*line) {
		char *end = NULL;

		if (!strncmp(line, "$argc", 5) && !isalnum((unsigned char)line[5])) {
			fprintf(out, "%zu", arguments->nr);
			line += 5;
			continue;
		}
		if (!strncmp(line, "$arg", 4) && isdigit((unsigned char)line[4])) {
			unsigned long i = strtoul(line + 4, &end, 10);

			if (i < arguments->nr)
				fputs(arguments->operands[i], out);
			line = end;
			continue;
		}
		fputc(*line++, out);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static size_t name_length(const char *line)
{
	size_t n = 0;

	while (isalnum((unsigned char)line[n]) || line[n] == '_' || (n && line[n] == '-'))
		n++;
	return n;
}

static bool is_alone(const char *line, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(line, word, n) && !line[n + strspn(line + n, BLANKS)];
}

static int obey_filled(struct shell *shell, const char *line, bool again)
{
	size_t length = name_length(line);
	struct definition *definition = length ? shell_definition(shell, line, length) : NULL;
	struct command_match match;

	if (definition && strchr(" \t", line[length])) {
		char *text;

		if (!definition->text)
			return run_definition(shell, definition, line + length);
		if (asprintf(&text, "%s%s", definition->text, line + length) < 0)
			return report_memory(shell->out);

		int status = shell_obey(shell, text, again);

		free(text);
		return status;
	}
	if (is_alone(line, "end") || is_alone(line, "else"))
		return report_message(shell->out, DC_USAGE, "there is no block around it");
	command_match(line, &match);
	if (match.length && !reads_as_expression(line, &match)) {
		if (match.command)
			return run_command(shell, match.command, line, line + match.length, again);
		if (match.is_group || (match.nr_candidates > 1 && is_no_expression(shell, line)))
			return refuse_command(shell, line, &match);
	}
	if (is_no_expression(shell, line))
		return refuse_command(shell, line, &match);
	return run_command(shell, command_at(0), line, line, again);
}

int shell_obey(struct shell *shell, const char *line, bool again)
{
	char *filled = NULL;
	int status;

	line += strspn(line, BLANKS);
	if (!*line || *line == '#')
		return 0;
	if (shell->depth >= DEPTH_MAX)
		return report_message(shell->out, DC_USAGE, "more than %d commands within another",
				      DEPTH_MAX);
	if (shell->arguments && strstr(line, "$arg")) {
		filled = fill_in(line, shell->arguments);
		if (!filled)
			return report_memory(shell->out);
		line = filled;
	}
	shell->depth++;
	status = obey_filled(shell, line, again);
	shell->depth--;
	free(filled);
	return status;
}
