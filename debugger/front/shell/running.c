// SPDX-License-Identifier: MIT
// Commands that let threads run, and what is said when one stops.
#include "debugger/front/shell/running.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/children.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/launch.h"
#include "debugger/front/shell/line.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/terminal.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// A program of ours is one whole, a service is others'.
static bool stops_all(const struct shell *shell)
{
	return shell->settings.stops_all || shell->is_ours;
}

void shell_control_options(const struct shell *shell, struct dc_control_options *ret)
{
	dc_control_options_init(ret);
	ret->stop_all = stops_all(shell);
	ret->stop_signals = signals_that_stop(shell);
	ret->children = children_wanted(shell);
}

struct dc_error *shell_control(struct shell *shell)
{
	struct dc_control_options options;

	shell_control_options(shell, &options);

	struct dc_error *err = dc_control(shell->session, &options);

	// Events are kept from here on, and told while a line is edited.
	if (!err)
		line_watch(dc_event_fd(shell->session), shell_tell_events, shell);
	return err;
}

static bool see_thread(const struct dc_thread *thread, void *arg)
{
	pid_t *wanted = arg;

	if (!thread->stands || (*wanted && thread->tid != *wanted))
		return true;
	*wanted = -thread->tid;
	return false;
}

pid_t shell_standing(struct shell *shell)
{
	pid_t tid = shell->usual.scope.thread;

	if (!dc_is_controlled(shell->session))
		return 0;
	dc_error_destroy(dc_threads(shell->session, see_thread, &tid));
	if (tid > 0) {
		tid = 0;
		dc_error_destroy(dc_threads(shell->session, see_thread, &tid));
	}
	return tid < 0 ? -tid : 0;
}

void shell_choose(struct shell *shell, pid_t tid)
{
	shell->usual.scope.thread = tid;
	shell->usual.scope.goroutine = 0;
	// Where it stands is meant, whosever code that is.
	strcpy(shell->frame, "0");
	shell->usual.scope.frame = shell->frame;
	shell->listed_to = shell->listed_from = 0;
}

// ---- what a stop says -----------------------------------------------------------------------------

static const char *reason_of(const struct dc_stop *stop)
{
	switch (stop->reason) {
	case DC_STOP_BREAKPOINT: return "breakpoint";
	case DC_STOP_WATCHPOINT: return "watchpoint";
	case DC_STOP_SCOPE: return "scope";
	case DC_STOP_SIGNAL: return "signal";
	case DC_STOP_STEP: return "step";
	case DC_STOP_EXEC: return "exec";
	case DC_STOP_SYSCALL: return "syscall";
	case DC_STOP_FORK: return "fork";
	case DC_STOP_VFORK: return "vfork";
	case DC_STOP_LOADED: return "load";
	default: return "interrupt";
	}
}

struct watched {
	struct records *out;
	unsigned number;
};

static bool say_watched(const struct dc_breakpoint *breakpoint, void *arg)
{
	const struct watched *watched = arg;

	if (breakpoint->number != watched->number)
		return true;
	record_text(watched->out, "watched", breakpoint->place);
	return false;
}

static void say_values(struct shell *shell, const struct dc_stop *stop)
{
	struct watched watched = { shell->out, stop->breakpoint };

	dc_error_destroy(dc_breakpoints(shell->session, say_watched, &watched));
	record_text(shell->out, "was", stop->was);
	record_text(shell->out, "is", stop->is);
}

// What a function gave that a step has led out of, as any result is told.
static void say_returned(struct shell *shell, unsigned number)
{
	char *text = NULL;

	dc_error_destroy(dc_print_result(shell->session, number, &text));
	record_count(shell->out, "result", number);
	record_text(shell->out, "returned", text);
	free(text);
}

static void say_stop(struct shell *shell, const struct dc_stop *stop)
{
	struct records *out = shell->out;

	record_begin(out, "stop");
	record_text(out, "reason", reason_of(stop));
	record_integer(out, "thread", stop->thread);
	if (stop->breakpoint)
		record_count(out, "breakpoint", stop->breakpoint);
	if (stop->reason == DC_STOP_WATCHPOINT)
		say_values(shell, stop);
	if (stop->reason == DC_STOP_SYSCALL) {
		record_integer(out, "syscall", stop->syscall);
		record_text(out, "syscall_name", stop->syscall_name);
		if (stop->is_return)
			record_integer(out, "result_of_syscall", stop->result);
	}
	if (stop->child)
		record_integer(out, "child", stop->child);
	if (stop->signo) {
		const char *name = sigabbrev_np(stop->signo);

		record_format(out, "signal", "SIG%s", name ? name : "?");
		record_text(out, "description", sigdescr_np(stop->signo));
		record_address(out, "address", stop->addr);
	}
	report_frame(out, "frame", &stop->frame);
	if (stop->returned)
		say_returned(shell, stop->returned);
	record_text(out, "problem", stop->problem);
	record_end(out);
	if (stop->frame.file)
		shell_show_line(shell, stop->frame.file, stop->frame.line);
}

static int arrive(struct shell *shell, const struct dc_stop *stop)
{
	signals_drop(shell, stop);
	shell_choose(shell, stop->thread);
	say_stop(shell, stop);
	shell_show_displays(shell);
	shell->stopped_at = stop->reason == DC_STOP_SCOPE ? 0 : stop->breakpoint;
	shell->last_breakpoint = shell->stopped_at;
	return 0;
}

// How a program of ours ends is a result like another.
static int gone(struct shell *shell, int how)
{
	const char *name = how != -1 && WIFSIGNALED(how) ? sigabbrev_np(WTERMSIG(how)) : NULL;
	bool exited = how != -1 && WIFEXITED(how);
	pid_t pid = shell->pid;

	if (shell->is_ours && exited) {
		shell_launch_leave(shell, true);
		shell_detach(shell);
		record_begin(shell->out, "exit");
		record_integer(shell->out, "pid", pid);
		record_integer(shell->out, "status", WEXITSTATUS(how));
		record_end(shell->out);
		return 0;
	}
	if (shell->is_ours)
		shell_launch_leave(shell, true);
	shell_detach(shell);
	if (exited)
		return report_message(shell->out, DC_TARGET_ENDED,
				      "process %d ended, with status %d", pid, WEXITSTATUS(how));
	return report_message(shell->out, DC_TARGET_ENDED, "process %d ended%s%s", pid,
			      name ? " by SIG" : "", name ? name : "");
}

// A thread that is looked at is borrowed for it: that is no stop of the program's.
static bool is_stop(const struct dc_event *event)
{
	return event->kind == DC_EVENT_STOPPED && event->stop.reason != DC_STOP_ATTACHED;
}

void shell_tell_events(void *arg)
{
	struct shell *shell = arg;
	struct dc_event event;

	while (shell->session && dc_next_event(shell->session, &event)) {
		if (is_stop(&event) && signals_pass_by(shell, &event.stop, say_stop)) {
			continue;
		} else if (is_stop(&event)) {
			signals_drop(shell, &event.stop);
			say_stop(shell, &event.stop);
			if (!shell->usual.scope.thread ||
			    shell_standing(shell) != shell->usual.scope.thread)
				shell_choose(shell, event.stop.thread);
		} else if (event.kind == DC_EVENT_RETURNED) {
			shell_say_returned_call(shell, &event);
		} else if (event.kind == DC_EVENT_CHILD) {
			children_follow(shell, &event, true);
		} else if (event.kind == DC_EVENT_TARGET_ENDED) {
			gone(shell, event.status);
		} else if (event.kind == DC_EVENT_TARGET_EXECED) {
			report_note(shell->out, "the process became another program");
		}
	}
}

// True: it is what is waited for, a stop of one thread (0: of any) or the end.
static bool take_event(struct shell *shell, pid_t only, const struct dc_event *event, int *status)
{
	struct dc_error *err;

	switch (event->kind) {
	case DC_EVENT_STOPPED:
		if (!is_stop(event))
			return false;
		if (signals_pass_by(shell, &event->stop, say_stop) ||
		    skips_go_on(shell, &event->stop, &err))
			return false;
		if (err)
			report_failure(shell->out, NULL, err);
		if (!only || event->stop.thread == only || event->stop.all_stand) {
			*status = arrive(shell, &event->stop);
			return true;
		}
		say_stop(shell, &event->stop);
		return false;
	case DC_EVENT_RETURNED:
		shell_say_returned_call(shell, event);
		if (only && event->thread != only)
			return false;
		shell_choose(shell, event->thread);
		*status = event->failure ? dc_code_status(DC_PENDING) : 0;
		return true;
	case DC_EVENT_CHILD:
		// A step ends with its process.
		if (!children_follow(shell, event, !only) || !only)
			return false;
		*status = shell_say_frame(shell);
		return true;
	case DC_EVENT_TARGET_ENDED: *status = gone(shell, event->status); return true;
	case DC_EVENT_TARGET_EXECED:
		report_note(shell->out, "the process became another program");
		return false;
	default: return false;
	}
}

// Ctrl-C stops the thread that is meant; a script it ends.
static int wait_events(struct shell *shell, pid_t only)
{
	struct dc_event event;
	int status;

	for (;;) {
		if (!dc_wait_event(shell->session, -1, &event)) {
			struct dc_expression *none = NULL;

			if (!interrupt_came())
				return report_message(shell->out, DC_SYSTEM,
						      "the process's events cannot be waited for");
			// What was cancelled is the wait, and nothing after it.
			dc_error_destroy(dc_parse(shell->session, "0", NULL, &none));
			dc_expression_destroy(none);
			if (interrupt_end() || !shell->source || !shell->at_terminal)
				return report_message(shell->out, DC_CANCELLED,
						      "no thread has stopped");
			interrupt_forget();

			struct dc_error *err = dc_interrupt(shell->session, shell_thread(shell));

			if (err)
				return report_failure(shell->out, NULL, err);
			continue;
		}
		if (take_event(shell, only, &event, &status))
			return status;
	}
}

int shell_wait_for_stop(struct shell *shell, pid_t only)
{
	shell->is_fresh = false;
	fflush(stdout);
	int status = wait_events(shell, only);

	terminal_take_back();
	return status;
}

// ---- standing still -------------------------------------------------------------------------------

static bool add_runner(const struct dc_thread *thread, void *arg)
{
	struct standstill *still = arg;
	pid_t *more;

	if (thread->stands)
		return true;
	more = reallocarray(still->tid, still->n + 1, sizeof(*more));
	if (!more)
		return false;
	still->tid = more;
	more[still->n++] = thread->tid;
	return true;
}

static struct dc_error *await_all(struct shell *shell, struct standstill *still)
{
	enum { PATIENCE_S = 5 };
	struct standstill running = { 0 };
	struct dc_event event;
	struct dc_error *err;

	for (;;) {
		free(running.tid);
		running = (struct standstill){ 0 };
		err = dc_threads(shell->session, add_runner, &running);
		// One that is born meanwhile goes on in the end, too.
		for (size_t i = 0; !err && i < running.n; i++) {
			bool known = false;

			for (size_t k = 0; k < still->n; k++)
				known |= still->tid[k] == running.tid[i];
			if (known)
				continue;
			add_runner(&(struct dc_thread){ .tid = running.tid[i] }, still);
			err = dc_interrupt(shell->session, running.tid[i]);
		}
		if (err || !running.n)
			break;
		if (!dc_wait_event(shell->session, PATIENCE_S * INT64_C(1000000000), &event))
			break;
		if (is_stop(&event) && event.stop.reason != DC_STOP_INTERRUPTED)
			say_stop(shell, &event.stop);
		if (event.kind == DC_EVENT_TARGET_ENDED)
			break;
	}
	free(running.tid);
	return err;
}

struct dc_error *shell_stand_still(struct shell *shell, struct standstill *ret)
{
	*ret = (struct standstill){ .was_controlled = dc_is_controlled(shell->session) };

	struct dc_error *err = shell_control(shell);

	return err ? err : await_all(shell, ret);
}

struct dc_error *shell_move_on(struct shell *shell, struct standstill *still)
{
	struct dc_event event;
	struct dc_error *err = NULL;

	// What was told of the standstill is no news.
	while (still->n && dc_next_event(shell->session, &event)) {
		if (is_stop(&event) && event.stop.reason != DC_STOP_INTERRUPTED)
			say_stop(shell, &event.stop);
	}
	if (!still->was_controlled)
		err = dc_uncontrol(shell->session);
	for (size_t i = 0; still->was_controlled && !err && i < still->n; i++)
		err = dc_continue(shell->session, still->tid[i]);
	free(still->tid);
	return err;
}

// What a launched program reads is typed for it, and Ctrl-C is its: from before it runs.
static void lend_terminal(const struct shell *shell)
{
	if (shell->is_ours && !shell->reads_input)
		terminal_lend(getpgid(shell->pid));
}

static struct dc_error *or_take_back(struct dc_error *err)
{
	if (err)
		terminal_take_back();
	return err;
}

struct dc_error *shell_resume(struct shell *shell, pid_t thread)
{
	lend_terminal(shell);
	return or_take_back(dc_continue(shell->session, thread));
}

static struct dc_error *shell_step(struct shell *shell, const struct dc_step_options *options)
{
	lend_terminal(shell);
	return or_take_back(dc_step(shell->session, options));
}

// ---- letting run ----------------------------------------------------------------------------------

static bool parse_count(const struct words *words, unsigned long *ret)
{
	char *end;

	*ret = 1;
	if (!words->nr)
		return true;
	*ret = strtoul(words->operands[0], &end, 10);
	return isdigit((unsigned char)*words->operands[0]) && !*end && *ret && *ret < UINT32_MAX;
}

static int no_count(const struct words *words, struct records *out)
{
	return report_message(out, DC_USAGE, "a number is wanted, not '%.100s'",
			      words->operands[0]);
}

int shell_go_on(struct shell *shell)
{
	struct dc_error *err = shell_resume(shell, 0);

	return err ? report_failure(shell->out, NULL, err) : shell_wait_for_stop(shell, 0);
}

// Where all stop together, the others run with one that goes on: it may wait for them.
static bool goes_alone(const struct shell *shell, bool is_step)
{
	const char *locking = shell->settings.locking;

	return !stops_all(shell) || !strcmp(locking, "on") || (is_step && !strcmp(locking, "step"));
}

int command_continue(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	bool is_said = words->nr && !strcmp(words->operands[0], "all");
	bool all = is_said || !goes_alone(shell, false);
	unsigned long count = 1;
	struct dc_error *err = NULL;
	struct dc_event event;
	int status;
	pid_t tid;

	if (!is_said && !parse_count(words, &count))
		return no_count(words, out);
	if (!dc_is_controlled(session))
		return report_message(
			out, DC_USAGE,
			"nothing would stop it: the process runs, and has no breakpoint");
	tid = shell_standing(shell);
	// A stop that nobody was told of, as between "break" and "continue", is the next one.
	while (dc_next_event(session, &event)) {
		if (is_stop(&event) && event.stop.thread != tid && tid && !all)
			err = shell_resume(shell, tid);
		if (err)
			return report_failure(out, NULL, err);
		if (take_event(shell, 0, &event, &status))
			return status;
	}
	// "continue 3" goes by the breakpoint that it stands at twice.
	if (count > 1 && shell->last_breakpoint)
		err = dc_breakpoint_ignore(session, shell->last_breakpoint, count - 1);
	if (!err && tid)
		err = shell_resume(shell, all ? 0 : tid);
	return err ? report_failure(out, NULL, err) : shell_wait_for_stop(shell, 0);
}

int command_interrupt(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	bool all = words->nr &&
		   (!strcmp(words->operands[0], "all") || !strcmp(words->operands[0], "-a"));
	struct dc_error *err = shell_control(shell);

	if (words->nr && !all)
		return report_message(out, DC_USAGE, "interrupt wants all, or nothing");
	if (!err)
		err = dc_interrupt(session, all ? 0 : shell_thread(shell));
	return err ? report_failure(out, NULL, err) : shell_wait_for_stop(shell, 0);
}

static int step(const struct words *words, enum dc_step how, unsigned frame, struct records *out)
{
	struct shell *shell = words->shell;
	unsigned long count;

	if (!parse_count(words, &count))
		return no_count(words, out);

	pid_t tid = shell_standing(shell);

	if (!tid)
		return report_message(
			out, DC_USAGE,
			"no thread stands still (interrupt stops one, break waits for it)");

	struct dc_step_options options = { .thread = tid,
					   .how = how,
					   .count = count,
					   .frame = frame,
					   .alone = goes_alone(shell, true) };

	// Each step's end is looked at where one may lead into what is skipped.
	shell->stepping = (struct stepping){ 0 };
	if (how == DC_STEP_INTO && shell->skips) {
		shell->stepping = (struct stepping){ .thread = tid,
						     .left = count,
						     .alone = options.alone };
		options.count = 1;
	}

	struct dc_error *err = shell_step(shell, &options);
	int status = err ? report_failure(out, NULL, err) : shell_wait_for_stop(shell, tid);

	shell->stepping.thread = 0;
	return status;
}

#define STEP(name, how)                                                           \
	int command_##name(struct dc_session *session, const struct words *words, \
			   struct records *out)                                   \
	{                                                                         \
		(void)session;                                                    \
		return step(words, how, 0, out);                                  \
	}
STEP(step, DC_STEP_INTO)
STEP(next, DC_STEP_OVER)
STEP(stepi, DC_STEP_INSTRUCTION)
STEP(nexti, DC_STEP_INSTRUCTION_OVER)

int command_finish(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;

	(void)session;
	return step(words, DC_STEP_OUT,
		    *shell->frame ? (unsigned)strtoul(shell->frame, NULL, 10) : 0, out);
}

int command_advance(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	pid_t tid = shell_standing(shell);
	unsigned number;

	(void)session;
	if (!tid)
		return report_message(out, DC_USAGE, "no thread stands still");

	int status = shell_break(shell, words->operands[0], true, tid, &number);

	if (status)
		return status;

	struct dc_error *err = shell_resume(shell, goes_alone(shell, false) ? tid : 0);

	return err ? report_failure(out, NULL, err) : shell_wait_for_stop(shell, tid);
}

int command_until(struct dc_session *session, const struct words *words, struct records *out)
{
	struct words none = *words;

	if (words->nr)
		return command_advance(session, words, out);
	none.nr = 0;
	return step(&none, DC_STEP_UNTIL, 0, out);
}

int command_signal(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	const char *name = words->operands[0];
	pid_t tid = shell_standing(shell);
	int signo = signal_number(name);

	if (!signo && strcmp(name, "0") != 0)
		return report_message(out, DC_USAGE,
				      "signal wants 0 or one such as INT, not '%.100s'", name);
	if (!tid)
		return report_message(out, DC_USAGE, "no thread stands still");

	struct dc_error *err = dc_set_signal(session, tid, signo);

	if (!err)
		err = shell_resume(shell, tid);
	return err ? report_failure(out, NULL, err) : shell_wait_for_stop(shell, 0);
}

int shell_run_scripts(struct shell *shell)
{
	int status = 0;

	// One that lets the thread run until the next stop does not end in another one within it.
	if (shell->in_script)
		return 0;
	while (!status && shell->session && shell->stopped_at) {
		struct breakpoint_script *script = shell->scripts;

		while (script && script->number != shell->stopped_at)
			script = script->next;
		shell->stopped_at = 0;
		if (!script)
			break;

		struct source source = { .name = "commands", .lines = &script->lines };

		shell->in_script = true;
		status = shell_obey_source(shell, &source);
		shell->in_script = false;
	}
	shell->stopped_at = 0;
	return status;
}
