// SPDX-License-Identifier: MIT
// What arch/x86/kernel/signal.c does with an interrupted call, done to registers that are kept.
#include "debugger/arch/x86_64/restart.h"

#include <errno.h>
#include <sys/syscall.h>

struct user_regs_struct restart_entry(const struct user_regs_struct *regs, uint64_t pc, uint64_t sp,
				      long nr, const uint64_t args[6])
{
	struct user_regs_struct entry = *regs;

	entry.rip = pc;
	entry.rsp = sp;
	entry.rax = (uint64_t)nr;
	entry.orig_rax = (uint64_t)-1;
	entry.rdi = args[0];
	entry.rsi = args[1];
	entry.rdx = args[2];
	entry.r10 = args[3];
	entry.r8 = args[4];
	entry.r9 = args[5];
	return entry;
}

bool restart_is_pending(const struct user_regs_struct *regs)
{
	if ((int64_t)regs->orig_rax < 0)
		return false;
	switch ((int64_t)regs->rax) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK: return true;
	default: return false;
	}
}

bool restart_is_timed(const struct user_regs_struct *regs)
{
	return (int64_t)regs->orig_rax >= 0 && (int64_t)regs->rax == -ERESTART_RESTARTBLOCK;
}

bool restart_is_refused(const struct user_regs_struct *regs)
{
	return (int64_t)regs->orig_rax >= 0 && (int64_t)regs->rax == -EINTR;
}

void restart_unless_handled(struct user_regs_struct *regs)
{
	regs->rax = (uint64_t)-ERESTARTNOHAND;
}

void restart_by_hand(struct user_regs_struct *regs)
{
	enum { FUTEX_WAIT_BITSET = 9, FUTEX_COMMAND = 127 };

	if (!restart_is_pending(regs))
		return;
	// The note is gone after rt_sigreturn. Only in one call is the time absolute, so that the
	// same call waits until the same moment.
	if (restart_is_timed(regs) &&
	    (regs->orig_rax != SYS_futex || (regs->rsi & FUTEX_COMMAND) != FUTEX_WAIT_BITSET)) {
		regs->rax = (uint64_t)-EINTR;
		return;
	}
	regs->rax = regs->orig_rax;
	regs->rip -= SYSCALL_SIZE;
}

void restart_never(struct user_regs_struct *regs)
{
	regs->rax = (uint64_t)-EINTR;
	regs->orig_rax = (uint64_t)-1;
}
