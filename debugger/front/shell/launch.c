// SPDX-License-Identifier: MIT
// The program that the shell launches, and the commands that begin and end it.
#include "debugger/front/shell/launch.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/line.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/running.h"
#include "debugger/front/shell/signals.h"
#include "debugger/front/shell/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- breakpoints from one run to the next ---------------------------------------------------------

struct kept {
	unsigned number, new_number;
	struct dc_breakpoint_options options;
	struct kept *next;
};

void shell_launch_forget(struct shell *shell)
{
	struct kept *kept;

	while ((kept = shell->kept)) {
		shell->kept = kept->next;
		free((char *)kept->options.place);
		free((char *)kept->options.condition);
		free(kept);
	}
}

// A watched object may be elsewhere in the next run, as a thread is.
static bool keep(const struct dc_breakpoint *breakpoint, void *arg)
{
	struct kept ***end = arg, *kept;

	if (breakpoint->kind != DC_BREAK || breakpoint->thread)
		return true;
	kept = calloc(1, sizeof(*kept));
	if (!kept)
		return false;
	kept->number = breakpoint->number;
	kept->options = (struct dc_breakpoint_options){
		.place = strdup(breakpoint->place),
		.condition = breakpoint->condition ? strdup(breakpoint->condition) : NULL,
		.ignore = breakpoint->ignore,
		.temporary = breakpoint->temporary,
		.disabled = !breakpoint->enabled,
		.pending = true,
	};
	**end = kept;
	*end = &kept->next;
	return true;
}

static int set_again(struct shell *shell)
{
	struct dc_error *err = NULL;
	int status = 0;

	for (struct kept *kept = shell->kept; kept; kept = kept->next) {
		err = dc_breakpoint_set(shell->session, &kept->options, &kept->new_number);
		if (err)
			status = report_failure(shell->out, kept->options.place, err);
	}
	// Numbers begin anew; what is done at a breakpoint goes with it.
	for (struct breakpoint_script *script = shell->scripts; script; script = script->next) {
		const struct kept *kept = shell->kept;

		while (kept && kept->number != script->number)
			kept = kept->next;
		script->number = kept ? kept->new_number : 0;
	}
	shell_launch_forget(shell);
	return status;
}

// ---- its life -------------------------------------------------------------------------------------

static bool take_first(const struct dc_thread *thread, void *arg)
{
	*(pid_t *)arg = thread->tid;
	return false;
}

static void close_all(const int fds[3])
{
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static int launch(struct shell *shell, const int fds[3])
{
	const struct arguments *arguments = &shell->arguments_of_run;
	char **environment = arguments_environment(arguments);
	struct dc_launch launch;
	struct dc_control_options control;

	if (!environment)
		return report_memory(shell->out);
	dc_launch_init(&launch);
	launch.argv = (const char *const *)arguments->words;
	launch.environment = (const char *const *)environment;
	launch.directory = arguments->directory;
	launch.terminal = arguments->terminal;
	launch.own_group = true;
	memcpy(launch.fds, fds, sizeof(launch.fds));
	shell->is_ours = true;
	shell->arguments_of_run.is_changed = false;
	signals_expect(shell);
	shell_control_options(shell, &control);

	struct dc_error *err = dc_launch(&launch, &shell->session_options, &control,
					 &shell->session);

	arguments_free(environment);
	if (!err)
		return 0;
	shell->session = NULL;
	shell->is_ours = false;
	return report_failure(shell->out, NULL, err);
}

int shell_launch_begin(struct shell *shell)
{
	// The shell's lines are not the program's to read.
	int input = shell->reads_input && !shell->arguments_of_run.terminal
			    ? open("/dev/null", O_RDONLY | O_CLOEXEC)
			    : -1,
	    fds[3];
	int status;

	if (shell->session)
		shell_detach(shell);
	status = arguments_open(shell, input, fds);
	if (!status)
		status = launch(shell, fds);
	if (fds[0] != input && input >= 0)
		close(input);
	close_all(fds);
	if (status)
		return status;
	shell->is_fresh = true;
	terminal_forget();
	interrupt_session(shell->session);

	struct dc_error *err = shell_control(shell);

	if (!err)
		err = dc_threads(shell->session, take_first, &shell->pid);
	if (err)
		return report_failure(shell->out, NULL, err);
	shell_choose(shell, shell->pid);
	return set_again(shell);
}

void shell_launch_leave(struct shell *shell, bool has_ended)
{
	enum { PATIENCE_S = 5 };
	struct kept **end = &shell->kept;
	struct dc_event event = { .kind = DC_EVENT_STOPPED };

	shell->is_ours = false;
	shell_launch_forget(shell);
	dc_error_destroy(dc_breakpoints(shell->session, keep, &end));
	if (has_ended)
		return;
	dc_error_destroy(dc_kill(shell->session));
	while (event.kind != DC_EVENT_TARGET_ENDED &&
	       dc_wait_event(shell->session, PATIENCE_S * INT64_C(1000000000), &event))
		;
}

bool shell_launch_may_end(struct shell *shell)
{
	char question[64];

	if (!shell->session || !shell->at_terminal || !shell->settings.confirm)
		return true;
	snprintf(question, sizeof(question), "Process %d is killed then. Go on?", shell->pid);
	return line_confirm(question);
}

void shell_launch_deinit(struct shell *shell)
{
	shell_launch_forget(shell);
	arguments_deinit(&shell->arguments_of_run);
}

// ---- commands -------------------------------------------------------------------------------------

int command_file(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	return arguments_set_program(words->shell, words->operands[0]);
}

int command_args(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	return words->nr ? arguments_set(words->shell, words->operands[0])
			 : setting_show(words->shell, "args");
}

int command_cwd(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	return words->nr ? arguments_set_directory(words->shell, words->operands[0])
			 : setting_show(words->shell, "cwd");
}

int command_tty(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	return words->nr ? arguments_set_terminal(words->shell, words->operands[0])
			 : setting_show(words->shell, "inferior-tty");
}

int command_env(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	if (words->nr)
		return arguments_set_variable(words->shell, words->operands[0]);
	arguments_say_environment(words->shell);
	return 0;
}

int command_unset_environment(struct dc_session *session, const struct words *words,
			      struct records *out)
{
	(void)session;
	(void)out;
	return arguments_unset_variable(words->shell, words->nr ? words->operands[0] : "");
}

// Up to where the program stands before its first instruction. *goes_on: nobody has said no.
static int begin(const struct words *words, bool *goes_on, struct records *out)
{
	struct shell *shell = words->shell;
	int status = 0;

	*goes_on = true;
	if (!shell->arguments_of_run.program)
		return report_message(out, DC_USAGE, "which program? (file PROGRAM)");
	if (words->nr)
		status = arguments_set(shell, words->operands[0]);
	if (status || (shell->is_fresh && !shell->arguments_of_run.is_changed))
		return status;
	// One that has not run yet is not missed.
	*goes_on = !shell->is_ours || shell->is_fresh || shell_launch_may_end(shell);
	return *goes_on ? shell_launch_begin(shell) : 0;
}

int command_run_program(struct dc_session *session, const struct words *words, struct records *out)
{
	bool goes_on;
	int status = begin(words, &goes_on, out);

	(void)session;
	return status || !goes_on ? status : shell_go_on(words->shell);
}

int command_start(struct dc_session *session, const struct words *words, struct records *out)
{
	bool goes_on;
	unsigned number;
	int status = begin(words, &goes_on, out);

	(void)session;
	if (!status && goes_on)
		status = shell_break(words->shell, "main", true, 0, &number);
	return status || !goes_on ? status : shell_go_on(words->shell);
}

int command_starti(struct dc_session *session, const struct words *words, struct records *out)
{
	bool goes_on;
	int status = begin(words, &goes_on, out);

	(void)session;
	return status || !goes_on ? status : shell_say_frame(words->shell);
}

int command_kill(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	pid_t pid = shell->pid;
	struct dc_error *err;

	if (!shell_launch_may_end(shell))
		return 0;
	err = dc_kill(session);
	if (err)
		return report_failure(out, NULL, err);
	shell_detach(shell);
	report_note(out, "process %d was killed", pid);
	return 0;
}
