// SPDX-License-Identifier: MIT
// The shell's life: its target, its lines in order, and what each means.
#include "debugger/front/shell/shell.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/lua/lua.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/complete.h"
#include "debugger/front/shell/launch.h"
#include "debugger/front/shell/line.h"
#include "debugger/front/shell/output.h"
#include "debugger/front/shell/progress.h"
#include "debugger/front/shell/running.h"
#include "debugger/front/shell/trust.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Definitions that call themselves, files that read themselves.
enum { DEPTH_MAX = 100 };

static const char blanks[] = " \t\r\n\v\f";

// ---- the target -----------------------------------------------------------------------------------

void shell_detach(struct shell *shell)
{
	interrupt_session(NULL);
	line_watch(-1, NULL, NULL);
	if (shell->is_ours)
		shell_launch_leave(shell, false);
	dc_close(shell->session);
	shell->session = NULL;
	// They are for the next run.
	if (!shell->kept)
		shell_forget_scripts(shell);
	shell->is_fresh = false;
	shell->last_breakpoint = shell->stopped_at = 0;
	shell->pid = 0;
	shell->usual.scope = (struct dc_scope){ 0 };
	*shell->frame = '\0';
	free(shell->threads);
	shell->threads = NULL;
	shell->nr_threads = 0;
	free(shell->listed_file);
	shell->listed_file = NULL;
	shell->examine_at = 0;
}

int shell_attach(struct shell *shell, const char *who)
{
	struct dc_options options = shell->session_options;
	struct dc_session *session;
	struct dc_error *err = dc_find_process(who, &options.pid);

	progress_begin("attach");
	if (!err)
		err = dc_open(&options, &session);
	progress_end();
	if (err)
		return report_failure(shell->out, NULL, err);
	if (shell->session)
		shell_detach(shell);
	shell_launch_forget(shell);
	shell_forget_scripts(shell);
	shell->session = session;
	shell->pid = options.pid;
	signals_expect(shell);
	return 0;
}

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

	if (!strchr(blanks, *rest) && !strchr("!|", *line)) {
		if (*rest == '/' &&
		    (!command || command->takes_format || command->operand == OPERAND_EXPRESSION))
			return !command;
		// "p(1)", "x&table", as in gdb.
		return !(match->is_exact && command && command->operand == OPERAND_EXPRESSION &&
			 strchr("(&*$\"'", *rest));
	}
	if (command && (command->operand == OPERAND_TEXT || command->operand == OPERAND_REGEX))
		return false;
	rest += strspn(rest, blanks);
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
	if (!strchr(blanks, line[n]))
		return false;
	n += strspn(line + n, blanks);
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
		rest += strspn(rest, blanks);
		if (!*rest)
			return true;

		char *word = malloc(strlen(rest) + 1);
		size_t n = 0;
		char quote = 0;

		if (!word)
			return false;
		for (; *rest && (quote || !strchr(blanks, *rest)); rest++) {
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

	rest += strspn(rest, blanks);
	length = strlen(rest);
	while (length && strchr(blanks, rest[length - 1]))
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
	if (command->takes_format && rest[strspn(rest, blanks)] == '/') {
		rest = take_format(rest + strspn(rest, blanks), format);
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

	return !strncmp(line, word, n) && !line[n + strspn(line + n, blanks)];
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

	line += strspn(line, blanks);
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

// ---- all lines ------------------------------------------------------------------------------------

// Enter alone repeats what looks on, never a call.
static bool repeats(const char *line)
{
	struct command_match match;

	command_match(line, &match);
	return match.command && match.command->repeats;
}

static int obey_person(struct shell *shell, char *line, char **last)
{
	bool again = !line[strspn(line, blanks)];
	int status;

	if (again && !*last)
		return 0;
	if (!again) {
		line_remember(line);
		output_begin_command();
		free(*last);
		*last = repeats(line) ? strdup(line) : NULL;
		return shell_obey(shell, line, false);
	}
	output_begin_command();
	line = strdup(*last);
	status = line ? shell_obey(shell, line, true) : report_memory(shell->out);
	free(line);
	return status;
}

static void say_place(struct source *source, char place[256], struct records *out)
{
	if (source->is_terminal || !source->name) {
		out->place = NULL;
		return;
	}
	snprintf(place, 256, "%s:%d", source->name, source->line);
	out->place = place;
}

static int obey_next(struct shell *shell, struct source *source, char **last, bool *more)
{
	enum source_state state;
	char *line;
	int status = 0;

	state = source_next(shell, source, false, &line);
	switch (state) {
	case SOURCE_INTERRUPTED: output_begin_command(); return 0;
	case SOURCE_END:
		// Ctrl-D, unless the terminal is gone.
		*more = source->is_terminal && shell->is_ours && !interrupt_end() &&
			!shell_launch_may_end(shell);
		return 0;
	case SOURCE_BAD:
		*more = false;
		say_place(source, (char[256]){ 0 }, shell->out);
		status = line ? report_message(shell->out, DC_USAGE, "%s", line)
			      : report_memory(shell->out);
		free(line);
		return status;
	case SOURCE_LINE: break;
	}

	char place[256];

	say_place(source, place, shell->out);
	if (shell->settings.echoes && !source->is_terminal && !shell->json)
		printf("+%s\n", line);
	status = source->is_terminal ? obey_person(shell, line, last)
				     : shell_obey(shell, line, false);
	if (fflush(stdout) && errno == EPIPE)
		shell->out->unwanted = true;
	free(line);
	return status;
}

int shell_obey_source(struct shell *shell, struct source *source)
{
	struct source *outer = shell->source;
	const char *place = shell->out->place;
	char *last = NULL;
	int status = 0, first = 0;
	bool more = true;

	shell->source = source;
	while (more && !shell->leaves && shell->loop == LOOP_GOES_ON) {
		status = obey_next(shell, source, &last, &more);
		first = first ? first : status;
		if (source->is_terminal) {
			if (interrupt_end())
				break;
			continue;
		}
		if (interrupt_came()) {
			first = first ? first : dc_code_status(DC_CANCELLED);
			break;
		}
		// Nobody is there any more to read it.
		if (shell->out->unwanted || (status && !shell->settings.keeps_going))
			break;
	}
	free(last);
	shell->source = outer;
	shell->out->place = place;
	return first;
}

static int run_script(struct shell *shell, const struct script *script)
{
	struct source source = { .name = NULL };
	bool is_input = !strcmp(script->text, "-");

	if (!script->is_file) {
		source.text = script->text;
		return shell_obey_source(shell, &source);
	}
	if (lua_is_script(script->text))
		return lua_run_file(shell, script->text);
	source.name = is_input ? "stdin" : script->text;
	source.file = is_input ? stdin : fopen(script->text, "re");
	if (!source.file)
		return report_message(shell->out, DC_USAGE, "cannot read %s: %s", script->text,
				      strerror(errno));

	int status = shell_obey_source(shell, &source);

	if (!is_input)
		fclose(source.file);
	return status;
}

// ---- init files -----------------------------------------------------------------------------------

// Their failures are told and end nothing: a shell must be there to mend them.
static void run_init(struct shell *shell, const char *path, bool is_project)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why;

	if (fd < 0)
		return;
	if (!trust_is_ours(fd, &why)) {
		report_note(shell->out, "%s is not read: it %s", path, why);
		close(fd);
		return;
	}
	if (is_project && !trust_has(fd, path)) {
		report_note(shell->out, "%s is not read: debugcall trust %s has it read as it is",
			    path, path);
		close(fd);
		return;
	}

	struct source source = { .name = path, .file = fdopen(fd, "r") };

	if (!source.file) {
		close(fd);
		return;
	}
	shell_obey_source(shell, &source);
	fclose(source.file);
}

static void run_inits(struct shell *shell)
{
	char path[TRUST_PATH_MAX];

	run_init(shell, "/etc/debugcall/init", false);
	if (trust_config_path("init", path))
		run_init(shell, path, false);
	run_init(shell, "./.debugcall", true);
}

static void greet(struct shell *shell)
{
	struct dc_check check;
	struct dc_error *err = shell->session && !shell->is_ours
				       ? dc_check(shell->session, NULL, NULL, &check)
				       : NULL;

	if (err) {
		report_failure(shell->out, NULL, err);
		return;
	}
	if (shell->out->quiet)
		return;
	if (shell->is_ours) {
		report_note(shell->out, "%s, process %d, stands before its first instruction (run)",
			    shell->arguments_of_run.program, shell->pid);
	} else if (shell->session) {
		report_note(shell->out, "%s, process %d, %zu thread%s; it runs on", check.program,
			    check.pid, check.nr_threads, check.nr_threads == 1 ? "" : "s");
		dc_check_deinit(&check);
	}
	report_note(shell->out, "what is no command is an expression; help lists commands");
}

static int run_terminal(struct shell *shell)
{
	struct source source = { .is_terminal = true };

	line_begin(complete_line, complete_breaks,
		   shell->settings.no_history ? 0 : shell->settings.history_size);
	complete_for(shell);
	interrupt_keep_shell();
	output_begin(shell);
	greet(shell);
	shell->at_terminal = true;
	shell_obey_source(shell, &source);
	complete_for(NULL);
	line_end();
	if (shell->session && !shell->out->quiet)
		report_note(shell->out, "process %d %s", shell->pid,
			    shell->is_ours ? "is killed" : "runs on");
	return interrupt_end() ? 128 + interrupt_end() : 0;
}

static bool has_person(const struct options *options)
{
	return !options->batch && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

// Lines come from standard input that is no terminal with a person at it.
static bool reads_input(const struct options *options)
{
	for (size_t i = 0; i < options->nr_scripts; i++) {
		if (options->scripts[i].is_file && !strcmp(options->scripts[i].text, "-"))
			return true;
	}
	return !options->batch && !options->nr_scripts && !has_person(options);
}

static int run_sources(struct shell *shell, struct options *options)
{
	int status = 0;

	for (size_t i = 0; i < options->nr_scripts && !shell->leaves; i++) {
		status = run_script(shell, &options->scripts[i]);
		if (status)
			return status;
	}
	if (shell->leaves || options->batch)
		return status;
	if (has_person(options))
		return run_terminal(shell);
	// Whoever gave commands as options has said all; else they come from there.
	if (options->nr_scripts)
		return status;
	return run_script(shell, &(struct script){ .is_file = true, .text = "-" });
}

void shell_deinit(struct shell *shell)
{
	struct definition *definition;
	struct display *display;

	lua_end(shell);
	shell_detach(shell);
	output_end();
	shell_launch_deinit(shell);
	shell_forget_scripts(shell);
	skips_deinit(shell);
	while ((definition = shell->definitions)) {
		shell->definitions = definition->next;
		free(definition->name);
		free(definition->text);
		free(definition->document);
		lines_deinit(&definition->body);
		free(definition);
	}
	while ((display = shell->displays)) {
		shell->displays = display->next;
		free(display->expression);
		free(display);
	}
	settings_deinit(&shell->settings);
	free(shell->logging.file);
}

int shell_run(struct options *options, struct records *out)
{
	struct shell shell = { .session_options = options->session,
			       .out = out,
			       .json = options->json,
			       .usual = options->words };
	int status = settings_init(&shell.settings) ? 0 : report_memory(out);

	out->numbered = true;
	shell.reads_input = reads_input(options);
	signals_init(&shell.signals);
	progress_allow(has_person(options));
	if (!status && options->who)
		status = shell_attach(&shell, options->who);
	if (!status && options->program) {
		status = arguments_name(&shell, options->program);
		if (!status)
			status = shell_launch_begin(&shell);
		interrupt_session(NULL);
	} else if (!status) {
		shell.usual.scope = options->words.scope;
	}
	if (!status) {
		// What a person likes must not change what a script does.
		if (!options->no_init && has_person(options))
			run_inits(&shell);
		shell.settings.keeps_going |= options->keeps_going;
		status = run_sources(&shell, options);
	}
	if (shell.leaves)
		status = shell.leave_status;
	shell_deinit(&shell);
	return status;
}
