// SPDX-License-Identifier: MIT
// Signals to the program while it may hold a thread of another.
#include "debugger/front/interrupt.h"

#include <stdatomic.h>
#include <unistd.h>

static struct dc_session *_Atomic current;
static atomic_int interrupts, ending;
static atomic_bool keeps_shell, resized, paused;

static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static const int pauses[] = { SIGTSTP, SIGTTIN, SIGTTOU };

static void interrupted(int signo)
{
	struct dc_session *session = atomic_load(&current);
	bool shell = atomic_load(&keeps_shell);
	int before = atomic_fetch_add(&interrupts, 1);

	if (shell && signo != SIGINT)
		atomic_store(&ending, signo);
	if (shell && !session)
		return;
	// Without a session nothing is held. A second interrupt means that the first is not getting
	// anywhere; leaving is safe then too, the borrowed thread finds home by itself.
	if (!session || before)
		_exit(dc_code_status(DC_CANCELLED));
	dc_cancel(session);
}

static void noted(int signo)
{
	atomic_store(signo == SIGWINCH ? &resized : &paused, true);
}

void interrupt_install(void)
{
	struct sigaction action = { .sa_handler = interrupted, .sa_flags = SA_RESTART };
	struct sigaction before;
	sigset_t set;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		// nohup and background jobs of plain shells ignore some of these; that is kept.
		if (!sigaction(ends[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(ends[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	// Each stop of a thread that is held would wake this program's main thread, in the way of
	// the one that waits for it.
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP },
		  NULL);
	// Ctrl-Z would suspend us, and with us the thread we hold.
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++)
		sigaddset(&set, pauses[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void interrupt_session(struct dc_session *session)
{
	atomic_store(&current, session);
}

void interrupt_keep_shell(void)
{
	struct sigaction action = { .sa_handler = noted };

	sigemptyset(&action.sa_mask);
	sigaction(SIGWINCH, &action, NULL);
	sigaction(SIGTSTP, &action, NULL);
	atomic_store(&keeps_shell, true);
}

void interrupt_forget(void)
{
	atomic_store(&interrupts, 0);
}

bool interrupt_came(void)
{
	return atomic_load(&interrupts) > 0;
}

int interrupt_end(void)
{
	return atomic_load(&ending);
}

void interrupt_hold(sigset_t *while_waiting)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sigaddset(&set, ends[i]);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, while_waiting);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sigdelset(while_waiting, ends[i]);
	sigdelset(while_waiting, SIGWINCH);
	sigdelset(while_waiting, SIGTSTP);
}

void interrupt_hand_over(bool does)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++)
		sigaddset(&set, pauses[i]);
	// A new program inherits what is blocked.
	sigprocmask(does ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

bool interrupt_take_resize(void)
{
	return atomic_exchange(&resized, false);
}

bool interrupt_take_pause(void)
{
	return atomic_exchange(&paused, false);
}
