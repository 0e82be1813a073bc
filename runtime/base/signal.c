// SPDX-License-Identifier: MIT
// Signal calls straight to the kernel.
#include "runtime/base/signal.h"
#include "runtime/base/raw.h"

#include <sys/syscall.h>
#include <unistd.h>

extern gort__hidden void gort__sigreturn(void);

#ifndef SA_RESTORER // libc keeps it to itself
#define SA_RESTORER 0x04000000
#endif

// Of the kernel's set, not of libc's.
enum { SIGSET_BYTES = sizeof(uint64_t) };

int gort__sigaction(int sig, gort__handler *h, unsigned long flags, uint64_t mask,
		    struct gort__sigaction *old)
{
	struct gort__sigaction sa = {
		.handler = (void *)h,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_RESTORER | flags,
		.restorer = (void *)gort__sigreturn,
		.mask = mask & GORT__SIG_ALL,
	};

	return (int)gort__raw(SYS_rt_sigaction, sig, (long)&sa, (long)old, SIGSET_BYTES, 0, 0);
}

void gort__sigaction_now(int sig, struct gort__sigaction *now)
{
	gort__raw(SYS_rt_sigaction, sig, 0, (long)now, SIGSET_BYTES, 0, 0);
}

void gort__sigaction_pass(const struct gort__sigaction *to, int sig, siginfo_t *info,
			  void *ucontext)
{
	void *handler = to->handler;

	if (handler == (void *)SIG_DFL || handler == (void *)SIG_IGN)
		return;
	gort__sigmask(SIG_BLOCK, to->mask);
	((gort__handler *)handler)(sig, info, ucontext);
}

int gort__sigaction_restore(int sig, const struct gort__sigaction *old)
{
	return (int)gort__raw(SYS_rt_sigaction, sig, (long)old, 0, SIGSET_BYTES, 0, 0);
}

uint64_t gort__sigmask(int how, uint64_t mask)
{
	uint64_t old = 0;

	gort__raw(SYS_rt_sigprocmask, how, (long)&mask, (long)&old, SIGSET_BYTES, 0, 0);
	return old;
}

int gort__tgkill(int tid, int sig)
{
	return (int)gort__raw(SYS_tgkill, getpid(), tid, sig, 0, 0, 0);
}
