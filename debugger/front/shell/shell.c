// SPDX-License-Identifier: MIT
// The shell's life: its target, and its lines in order.
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

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- the target -----------------------------------------------------------------------------------

void shell_forget_process(struct shell *shell)
{
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
	shell_forget_process(shell);
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
	bool again = !line[strspn(line, BLANKS)];
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
		int failed = run_script(shell, &options->scripts[i]);

		status = status ?: failed;
		if (failed && !shell->settings.keeps_going)
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
		shell.settings.no_patch |= options->words.no_patch;
		status = run_sources(&shell, options);
	}
	if (shell.leaves)
		status = shell.leave_status;
	shell_deinit(&shell);
	return status;
}
