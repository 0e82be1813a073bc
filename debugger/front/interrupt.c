// SPDX-License-Identifier: MIT
// Signals to the program while it may hold a thread of another.
#include "debugger/front/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static struct dc_session *_Atomic current;
static atomic_int interrupts;

static void interrupted(int signo)
{
	struct dc_session *session = atomic_load(&current);

	(void)signo;
	// Without a session nothing is held. A second interrupt means that the first is not getting
	// anywhere; leaving is safe then too, the borrowed thread finds home by itself.
	if (!session || atomic_fetch_add(&interrupts, 1))
		_exit(dc_code_status(DC_CANCELLED));
	dc_cancel(session);
}

void interrupt_install(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	static const int pauses[] = { SIGTSTP, SIGTTIN, SIGTTOU };
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
