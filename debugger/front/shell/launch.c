// SPDX-License-Identifier: MIT
// The program that the shell launches, and the commands run, start, file and kill.
#include "debugger/front/shell/launch.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/line.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/running.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- its words ------------------------------------------------------------------------------------

static void free_words(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

static char **copy_words(const char *first, const char *const *rest, size_t n)
{
	char **words = calloc(n + 2, sizeof(*words));
	bool good = words && (words[0] = strdup(first));

	for (size_t i = 0; good && i < n; i++)
		good = (words[i + 1] = strdup(rest[i])) != NULL;
	if (good)
		return words;
	free_words(words);
	return NULL;
}

static int set_words(struct shell *shell, char **words)
{
	if (!words)
		return report_memory(shell->out);
	free_words(shell->program);
	shell->program = words;
	return 0;
}

int shell_launch_name(struct shell *shell, const char *const *argv)
{
	size_t n = 0;

	while (argv[n + 1])
		n++;
	return set_words(shell, copy_words(argv[0], argv + 1, n));
}

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

int shell_launch_begin(struct shell *shell)
{
	// The shell's lines are not the program's to read, nor is its terminal.
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct dc_launch launch;
	struct dc_error *err;

	if (shell->session)
		shell_detach(shell);
	dc_launch_init(&launch);
	launch.argv = (const char *const *)shell->program;
	launch.own_group = true;
	launch.fds[0] = nothing;
	err = dc_launch(&launch, &shell->session_options, NULL, &shell->session);
	if (nothing >= 0)
		close(nothing);
	if (err) {
		shell->session = NULL;
		return report_failure(shell->out, NULL, err);
	}
	shell->is_ours = shell->is_fresh = true;
	interrupt_session(shell->session);
	err = shell_control(shell);
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

	if (!shell->session || !shell->at_terminal)
		return true;
	snprintf(question, sizeof(question), "Process %d is killed then. Go on?", shell->pid);
	return line_confirm(question);
}

void shell_launch_deinit(struct shell *shell)
{
	shell_launch_forget(shell);
	free_words(shell->program);
	shell->program = NULL;
}

// ---- commands -------------------------------------------------------------------------------------

int command_file(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	return set_words(words->shell,
			 copy_words(words->operands[0], words->operands + 1, words->nr - 1));
}

// Up to where the program stands before its first instruction. *goes_on: nobody has said no.
static int begin(const struct words *words, bool *goes_on, struct records *out)
{
	struct shell *shell = words->shell;
	int status = 0;

	*goes_on = true;
	if (!shell->program)
		return report_message(out, DC_USAGE, "which program? (file PROGRAM)");
	if (words->nr)
		status = set_words(shell,
				   copy_words(shell->program[0], words->operands, words->nr));
	if (status || (shell->is_fresh && !words->nr))
		return status;
	*goes_on = !shell->is_ours || shell_launch_may_end(shell);
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
