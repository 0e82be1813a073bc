// SPDX-License-Identifier: MIT
// The signals the runtime uses, and sigaction without libc: handlers are not wrapped by sanitizers.
#ifndef RUNTIME_BASE_SIGNAL_H
#define RUNTIME_BASE_SIGNAL_H

#include "runtime/base/base.h"

#include <signal.h>

enum {
	GORT__SIG_PAUSE = SIGURG, // sysmon asks an M without a P to wait in the handler
	GORT__SIG_THREADS = 40, // gort_all_threads_syscall; glibc owns 32 and 33
	GORT__SIG_FREEZE = 41, // the fatal path stops an M wherever it is
};

typedef void gort__handler(int sig, siginfo_t *info, void *ucontext);

// Installs h with SA_SIGINFO | SA_ONSTACK | SA_RESTART | flags and the signals of mask blocked
// meanwhile. old (may be NULL) gets what was there, in the kernel's layout.
struct gort__sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};
gort__hidden int gort__sigaction(int sig, gort__handler *h, unsigned long flags, uint64_t mask,
				 struct gort__sigaction *old);
// What is installed.
gort__hidden void gort__sigaction_now(int sig, struct gort__sigaction *now);
// Runs the handler that is noted in to, if it is one, as the kernel would.
gort__hidden void gort__sigaction_pass(const struct gort__sigaction *to, int sig, siginfo_t *info,
				       void *ucontext);
gort__hidden int gort__sigaction_restore(int sig, const struct gort__sigaction *old);

// Raw masks of the 64 signals; bit sig - 1. how: SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK.
gort__hidden uint64_t gort__sigmask(int how, uint64_t mask);
gort__hidden int gort__tgkill(int tid, int sig);

// Of a mask.
#define GORT__SIG_BIT(sig) (UINT64_C(1) << ((sig)-1))

enum {
	GORT__SIG_LIBC_CANCEL = 32, // how libc cancels a thread,
	GORT__SIG_LIBC_SETID = 33, // and has every thread change its ids
};

// Everything but what libc needs for setuid and cancellation.
#define GORT__SIG_ALL \
	(~(GORT__SIG_BIT(GORT__SIG_LIBC_CANCEL) | GORT__SIG_BIT(GORT__SIG_LIBC_SETID)))
// What no thread of the runtime blocks: all are reached by these.
#define GORT__SIG_OWN (GORT__SIG_BIT(GORT__SIG_THREADS) | GORT__SIG_BIT(GORT__SIG_FREEZE))

#endif
