// SPDX-License-Identifier: MIT
// Sets of signals, and what signals do to a program that does not handle them (signal(7)).
#ifndef DEBUGGER_TARGET_SIGNALS_H
#define DEBUGGER_TARGET_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define SIGNAL_BIT(signo) (UINT64_C(1) << ((signo)-1))
// Signals that instructions raise. Forced on a thread that blocks them, they would reset their
// handlers for the whole process.
#define SIGNALS_OF_FAULTS                                                                     \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGILL) | \
	 SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSYS))

// One of them that is in the set; 0: none.
static inline int signal_fault_among(uint64_t set)
{
	return set & SIGNALS_OF_FAULTS ? __builtin_ctzll(set & SIGNALS_OF_FAULTS) + 1 : 0;
}

// Ends a process that does not handle it.
static inline bool signal_is_fatal(int signo)
{
	switch (signo) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
	case SIGCONT:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU: return false;
	default: return true;
	}
}

#endif
