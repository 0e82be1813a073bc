// SPDX-License-Identifier: MIT
// The chaining handler of SIGINT. Its own code and what it calls use general registers only: the
// disposition is taken before a caller's vector registers are saved.
#include "runtime/host/sigint.h"
#include "runtime/base/raw.h"
#include "runtime/base/trace.h"
#include "runtime/host/host.h"
#include "runtime/sched/core.h"

#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static struct {
	uint32_t lock; // the holder's thread id
	uint32_t users;
	struct gort__sigaction program;
} owned;

static int32_t thread_id(void)
{
	return (int32_t)gort__raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

// ---- what a SIGINT is ---------------------------------------------------------------------------

// Behind the tgkill of a status that nobody has heard yet: whoever hears one leaves a mark in rax.
static bool is_said(const struct debugcall *call, const ucontext_t *uc)
{
	const char *pc = (const char *)uc->uc_mcontext.gregs[REG_RIP];
	uint32_t flag;

	if (!call)
		return false;
	flag = gort__load(call->speaker.flag);
	return flag && flag != DEBUGCALL_UNHEARD && uc->uc_mcontext.gregs[REG_RAX] == 0 &&
	       (pc == gort__handshake_first || pc == gort__handshake_returned ||
		pc == gort__handshake_last);
}

static bool is_ours(const struct debugcall *call, const siginfo_t *info)
{
	return info->si_code == SI_TKILL && info->si_pid == call->speaker.pid;
}

static void hear(struct debugcall *call, int sig, siginfo_t *info, ucontext_t *uc)
{
	debugcall_client *client = (debugcall_client *)(uintptr_t)gort__load(
		&debugcall_descriptor.client);

	uc->uc_mcontext.gregs[REG_RAX] = DEBUGCALL_HEARD;
	if (client)
		client(sig, info, uc);
	else
		gort__store(call->speaker.flag, DEBUGCALL_UNHEARD);
}

static void to_program(int sig, siginfo_t *info, void *context)
{
	struct gort__sigaction program = owned.program;

	if (program.handler == (void *)SIG_DFL) {
		gort__sigaction_restore(sig, &program);
		gort__tgkill(thread_id(), sig);
		gort__sigmask(SIG_UNBLOCK, GORT__SIG_BIT(sig));
		return;
	}
	gort__sigaction_pass(&program, sig, info, context);
}

// Of several that are pending the kernel, too, keeps one for the thread and one for the process.
static void keep(struct gort__sigints *kept, const siginfo_t *info)
{
	bool *has = info->si_code == SI_TKILL ? &kept->has_thread : &kept->has_process;
	siginfo_t *to = info->si_code == SI_TKILL ? &kept->thread : &kept->process;

	if (!*has)
		*to = *info;
	*has = true;
}

static void on_sigint(int sig, siginfo_t *info, void *context)
{
	struct m *m = gort__self();
	struct debugcall *call = m ? m->call : NULL;
	const ucontext_t *uc = context;
	const void *pc = (const void *)uc->uc_mcontext.gregs[REG_RIP];

	if (is_said(call, uc)) {
		// Of one kind the kernel keeps one for a thread: when another process sent one just
		// before, ours was dropped, and that one stands for both.
		gort__trace("SIGINT", "is a handshake", info->si_pid, pc);
		hear(call, sig, info, context);
		if (is_ours(call, info))
			return;
	}
	// Only we have it unblocked: whoever waits for it by sigwait or a signalfd gets it
	// afterwards.
	if (call && gort__load(&call->quiet) && (call->speaker.mask & GORT__SIG_BIT(SIGINT))) {
		gort__trace("SIGINT", "is kept for later, from", info->si_pid, pc);
		keep(&call->kept, info);
	} else {
		gort__trace("SIGINT", "is the program's, from", info->si_pid, pc);
		to_program(sig, info, context);
	}
}

void gort__sigints_return(struct gort__sigints *kept, int32_t pid, int32_t tid)
{
	// With its siginfo where the kernel lets us; else as a plain one.
	if (kept->has_thread &&
	    gort__raw(SYS_rt_tgsigqueueinfo, pid, tid, SIGINT, (long)&kept->thread, 0, 0))
		gort__raw(SYS_tgkill, pid, tid, SIGINT, 0, 0, 0);
	if (kept->has_process &&
	    gort__raw(SYS_rt_sigqueueinfo, pid, SIGINT, (long)&kept->process, 0, 0, 0))
		gort__raw(SYS_kill, pid, SIGINT, 0, 0, 0, 0);
	kept->has_thread = kept->has_process = false;
}

// ---- whose the disposition is -------------------------------------------------------------------

// Held for two system calls. False when this very thread was interrupted while it held it, or when
// the holder does not go on, as a thread that another debugger stopped.
static bool lock(void)
{
	enum { TRIES = 1 << 22 };
	uint32_t self = (uint32_t)thread_id();

	for (int i = 0; i < TRIES; i++) {
		uint32_t holder = 0;
		if (gort__cas(&owned.lock, &holder, self))
			return true;
		if (holder == self)
			return false;
		gort__relax();
	}
	return false;
}

static void unlock(void)
{
	gort__store_release(&owned.lock, 0);
}

static bool is_installed(const struct gort__sigaction *sa)
{
	return sa->handler == (void *)on_sigint;
}

// With the lock: whatever the program has set, also while calls are under way, comes behind ours.
static void take(void)
{
	struct gort__sigaction now;

	gort__sigaction_now(SIGINT, &now);
	if (is_installed(&now))
		return;
	owned.program = now;
	// A handshake that is ignored vanishes, unless its client is a handler in this process.
	if (now.handler != (void *)SIG_IGN || debugcall_descriptor.client)
		gort__sigaction(SIGINT, on_sigint, 0, ~0ull, NULL);
}

bool gort__sigint_own(void)
{
	if (!lock())
		return false;
	take();
	owned.users++;
	unlock();
	return true;
}

void gort__sigint_renew(void)
{
	if (!lock())
		return;
	take();
	unlock();
}

void gort__sigint_disown(void)
{
	struct gort__sigaction now;

	while (!lock())
		gort__relax();
	gort__sigaction_now(SIGINT, &now);
	if (--owned.users == 0 && is_installed(&now))
		gort__sigaction_restore(SIGINT, &owned.program);
	unlock();
}
