// SPDX-License-Identifier: MIT
// A thread stands before a call by the kernel's own stop at its entry: when we die the call is made.
#include "debugger/control/syscalls.h"

#include "debugger/arch/x86_64/restart.h"
#include "debugger/target/memory.h"

#include <linux/sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

static bool has(const struct syscall_set *set, long nr)
{
	return nr >= 0 && nr < SYSCALLS_MAX && set->bits[nr / 64] >> (nr % 64) & 1;
}

void syscalls_catch(struct control *control, const struct syscall_set *set, bool forks)
{
	bool any = forks, was = control->how == RESUME_SYSCALL;

	for (size_t i = 0; i < sizeof(set->bits) / sizeof(*set->bits); i++)
		any |= set->bits[i] != 0;
	control->syscalls = *set;
	control->catches_forks = forks;
	control->how = any ? RESUME_SYSCALL : RESUME_RUN;
	// Those that run go on in the other way from their next stop on; who wants none any more can
	// wait for that.
	for (struct thread *at = control->threads; at; at = at->next) {
		at->tracee.how = control->how;
		if (any && !was && !at->stands)
			ptrace(PTRACE_INTERRUPT, at->tracee.tid, NULL, NULL);
	}
}

bool syscalls_entered(struct thread *thread, const struct event *event, struct stop *ret)
{
	struct user_regs_struct regs;
	struct dc_error *err = registers_get(thread->tracee.tid, &regs);

	thread->syscall = event->syscall;
	thread->flags = err ? 0 : regs.rdi;
	dc_error_destroy(err);
	if (!has(&thread->control->syscalls, event->syscall))
		return false;
	*ret = (struct stop){ .kind = STOP_SYSCALL, .syscall = event->syscall, .pc = event->pc };
	return true;
}

bool syscalls_clone_flags(struct process *process, long nr, uint64_t first, uint64_t *ret)
{
	*ret = nr == SYS_vfork ? CLONE_VM | CLONE_VFORK : first;
	switch (nr) {
	case SYS_fork: *ret = 0; return true;
	case SYS_vfork:
	case SYS_clone: return true;
	// It has its flags in memory.
	case SYS_clone3: return memory_read_some(process, first, ret, sizeof(*ret)) == sizeof(*ret);
	default: return false;
	}
}

// Which of its two ways a process is made by; a thread is not one.
static bool is_fork(const struct thread *thread, bool *is_vfork)
{
	uint64_t flags;

	if (!syscalls_clone_flags(thread->control->process, thread->syscall, thread->flags, &flags))
		return false;
	*is_vfork = flags & CLONE_VFORK;
	return !(flags & CLONE_THREAD);
}

bool syscalls_left(struct thread *thread, const struct event *event, struct stop *ret)
{
	const struct control *control = thread->control;
	struct user_regs_struct regs;
	struct dc_error *err = registers_get(thread->tracee.tid, &regs);
	long nr = thread->syscall;
	bool is_vfork, is_over = !err && !restart_is_pending(&regs);

	dc_error_destroy(err);
	*ret = (struct stop){
		.syscall = nr, .is_return = true, .result = event->result, .pc = event->pc
	};
	// One that a signal interrupts is begun again.
	if (nr < 0 || !is_over)
		return false;
	if (control->catches_forks && event->result > 0 && is_fork(thread, &is_vfork)) {
		ret->kind = is_vfork ? STOP_VFORK : STOP_FORK;
		return true;
	}
	ret->kind = STOP_SYSCALL;
	return has(&control->syscalls, nr);
}
