// SPDX-License-Identifier: MIT
// The command handle, and what becomes of a thread that stops at a signal.
#include "debugger/front/shell/signals.h"

#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/running.h"
#include "debugger/front/shell/terminal.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static uint64_t bit(int signo)
{
	return UINT64_C(1) << (signo - 1);
}

void signals_init(struct signals *signals)
{
	struct dc_control_options usual;

	dc_control_options_init(&usual);
	*signals = (struct signals){ .stop = usual.stop_signals,
				     .print = usual.stop_signals,
				     .pass = UINT64_MAX };
}

void signals_expect(struct shell *shell)
{
	struct signals *signals = &shell->signals;
	uint64_t typed = (bit(SIGINT) | bit(SIGTSTP)) & ~signals->told;
	bool is_shared = shell->is_ours && !shell->reads_input &&
			 !shell->arguments_of_run.terminal && terminal_is_ours();

	signals->stop = is_shared ? signals->stop | typed : signals->stop & ~typed;
	signals->print = is_shared ? signals->print | typed : signals->print & ~typed;
	signals->pass = is_shared ? signals->pass & ~typed : signals->pass | typed;
}

uint64_t signals_that_stop(const struct shell *shell)
{
	const struct signals *signals = &shell->signals;

	return signals->stop | signals->print | ~signals->pass;
}

static bool is_at_signal(const struct dc_stop *stop)
{
	return stop->reason == DC_STOP_SIGNAL && stop->signo > 0 && stop->signo <= 64;
}

void signals_drop(struct shell *shell, const struct dc_stop *stop)
{
	if (is_at_signal(stop) && !(shell->signals.pass & bit(stop->signo)))
		dc_error_destroy(dc_set_signal(shell->session, stop->thread, 0));
}

bool signals_pass_by(struct shell *shell, const struct dc_stop *stop,
		     void (*say)(struct shell *, const struct dc_stop *))
{
	// One that is caught was asked for.
	if (!is_at_signal(stop) || stop->breakpoint || shell->signals.stop & bit(stop->signo))
		return false;
	if (shell->signals.print & bit(stop->signo))
		say(shell, stop);
	signals_drop(shell, stop);
	dc_error_destroy(dc_continue(shell->session, stop->all_stand ? 0 : stop->thread));
	return true;
}

int signal_number(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (isdigit((unsigned char)*text))
		return !*end && number < NSIG ? (int)number : 0;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (int signo = 1; signo < NSIG; signo++) {
		const char *name = sigabbrev_np(signo);

		if (name && !strcasecmp(name, text))
			return signo;
	}
	return 0;
}

// ---- handle ---------------------------------------------------------------------------------------

// What stops is told; what is not told does not stop.
static bool take_action(struct signals *signals, const char *word, uint64_t which)
{
	bool is_no = !strncmp(word, "no", 2);
	const char *what = is_no ? word + 2 : word;

	if (!strcmp(what, "stop")) {
		signals->stop = is_no ? signals->stop & ~which : signals->stop | which;
		signals->print |= is_no ? 0 : which;
	} else if (!strcmp(what, "print")) {
		signals->print = is_no ? signals->print & ~which : signals->print | which;
		signals->stop &= is_no ? ~which : UINT64_MAX;
	} else if (!strcmp(what, "pass") || !strcmp(what, "ignore")) {
		bool passes = is_no != !strcmp(what, "pass");

		signals->pass = passes ? signals->pass | which : signals->pass & ~which;
	} else {
		return false;
	}
	signals->told |= which;
	return true;
}

static void say_handling(struct shell *shell, uint64_t which)
{
	const struct signals *signals = &shell->signals;
	struct records *out = shell->out;

	for (int signo = 1; signo < NSIG; signo++) {
		const char *name = sigabbrev_np(signo);

		// Those without a name are told when they are asked for.
		if (!(which & bit(signo)) || (!name && which == UINT64_MAX))
			continue;
		record_begin(out, "handling");
		if (name)
			record_format(out, "name", "SIG%s", name);
		else
			record_format(out, "name", "%d", signo);
		record_flag(out, "stop", signals->stop & bit(signo));
		record_flag(out, "print", signals->print & bit(signo));
		record_flag(out, "pass", signals->pass & bit(signo));
		record_text(out, "description", sigdescr_np(signo));
		record_end(out);
	}
}

int command_handle(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct signals signals = shell->signals;
	uint64_t which = 0;
	size_t i = 0;

	// "stop" is what is done, STOP is a signal.
	for (; i < words->nr && !take_action(&(struct signals){ 0 }, words->operands[i], 0); i++) {
		int signo = signal_number(words->operands[i]);

		if (!strcmp(words->operands[i], "all"))
			// A debugger's own needs are asked for by name.
			which |= ~(bit(SIGTRAP) | bit(SIGINT) | bit(SIGKILL) | bit(SIGSTOP));
		else if (signo == SIGKILL || signo == SIGSTOP)
			return report_message(out, DC_USAGE, "nobody handles SIG%s",
					      sigabbrev_np(signo));
		else if (signo)
			which |= bit(signo);
		else
			break;
	}
	if (words->nr && !which)
		return report_message(out, DC_USAGE, "no signal '%.100s'", words->operands[0]);
	for (; i < words->nr; i++) {
		if (!take_action(&signals, words->operands[i], which))
			return report_message(
				out, DC_USAGE,
				"handle wants signals, then stop, print, pass or no…, not '%.100s'",
				words->operands[i]);
	}
	shell->signals = signals;

	struct dc_error *err = session && dc_is_controlled(session) ? shell_control(shell) : NULL;

	if (err)
		return report_failure(out, NULL, err);
	say_handling(shell, words->nr ? which : UINT64_MAX);
	return 0;
}
