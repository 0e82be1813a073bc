// SPDX-License-Identifier: MIT
// The sleep is a poll() of nothing, above a way home: one system call, which leaves nothing behind.
#include "debugger/target/handover.h"

#include "debugger/arch/x86_64/sigframe.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/gadgets.h"
#include "debugger/target/memory.h"
#include "debugger/target/seccomp.h"
#include "debugger/target/thread_stack.h"

#include <linux/audit.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>

// How long it waits; and what tells its sleep from others, in an argument that poll() has not. The
// next one says where its registers are.
enum { WAIT_MS = 10000, MARK = 0x68616e64, MARK_ARGUMENT = 4, FRAME_ARGUMENT = 5 };

static struct remote_syscall sleep_of(uint64_t frame)
{
	return (struct remote_syscall){ SYS_poll, { 0, 0, WAIT_MS, 0, MARK, frame } };
}

// Below the stack pointer there is stack, and nobody else's memory.
static struct dc_error *check_room(struct process *process, const struct maps *maps,
				   const struct user_regs_struct *regs)
{
	const struct thread_stack none = { 0 };
	struct rlimit limit = { .rlim_cur = 8 << 20 };
	uint64_t sp = registers_sp(regs);

	prlimit(process->pid, RLIMIT_STACK, NULL, &limit);

	struct thread_stack stack = thread_stack_at(
		process, maps, &none, registers_thread_pointer(regs), sp, limit.rlim_cur);

	if (stack.high && sp - stack.low >= 2 * SIGFRAME_ROOM)
		return NULL;
	return error_make(DC_REFUSED, "there is no room that is certainly its own below its stack");
}

static bool allows(const struct seccomp *seccomp, const struct remote_syscall *call)
{
	struct seccomp_data data = { .nr = (int)call->nr, .arch = AUDIT_ARCH_X86_64 };

	for (int i = 0; i < 6; i++)
		data.args[i] = call->args[i];

	uint32_t action = seccomp_decide(seccomp, &data) & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

static struct dc_error *check_filters(struct process *process, pid_t tid)
{
	_cleanup_(seccomp_deinit) struct seccomp seccomp = { 0 };
	const struct remote_syscall sleep = sleep_of(0), home = { .nr = SYS_rt_sigreturn };
	struct thread_info info;
	struct dc_error *err = process_thread_info(process, tid, &info);

	if (err || !info.seccomp)
		return err;
	err = seccomp_fetch(tid, &seccomp);
	if (!err && (!allows(&seccomp, &sleep) || !allows(&seccomp, &home)))
		err = error_make(DC_REFUSED, "its seccomp filter forbids poll or rt_sigreturn");
	return err;
}

static struct dc_error *fall_asleep(struct tracee *tracee, const struct maps *maps)
{
	struct dc_error *err = tracee_begin_hold(tracee);

	if (!err)
		err = tracee_keep(tracee);
	if (!err)
		err = check_room(tracee->process, maps, &tracee->regs);
	if (!err)
		err = check_filters(tracee->process, tracee->tid);
	if (!err)
		err = tracee_write_home(tracee);
	if (err) {
		dc_error_destroy(tracee_leave(tracee));
		return err;
	}

	const struct remote_syscall sleep = sleep_of(tracee->way->context);

	return tracee_release_through(tracee, &sleep);
}

struct dc_error *handover_leave(struct tracer *tracer, struct process *process, pid_t tid)
{
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct gadgets gadgets;
	struct tracee tracee = { 0 };
	struct dc_error *err = maps_read(process, &maps);

	if (!err)
		err = gadgets_find(process, &maps, &gadgets);
	if (!err)
		err = tracee_init(&tracee, tracer, process, &gadgets);
	if (err) {
		ptrace(PTRACE_DETACH, tid, NULL, NULL);
		return err;
	}
	tracee_reset(&tracee);
	tracee.tid = tid;
	tracee.since = tracer_now();
	events_add(tracer_events(tracer), &tracee);
	err = fall_asleep(&tracee, &maps);
	tracee_deinit(&tracee);
	return err;
}

struct dc_error *handover_take(struct tracee *tracee, bool *ret)
{
	unsigned char context[SIGFRAME_CONTEXT];
	struct user_regs_struct regs;
	uint64_t args[6];
	struct dc_error *err = registers_get(tracee->tid, &regs);

	*ret = false;
	if (err)
		return err;
	registers_arguments(&regs, args);
	if ((registers_syscall(&regs) != SYS_poll &&
	     registers_syscall(&regs) != SYS_restart_syscall) ||
	    args[MARK_ARGUMENT] != MARK)
		return NULL;
	err = memory_read(tracee->process, args[FRAME_ARGUMENT], context, sizeof(context));
	if (err)
		return err;
	// All else is as it was: that was one system call, which changes nothing.
	sigframe_get_context(context, &regs);
	err = registers_set(tracee->tid, &regs);
	*ret = !err;
	return err;
}
