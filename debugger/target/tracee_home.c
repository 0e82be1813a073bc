// SPDX-License-Identifier: MIT
// What a held thread was doing: kept, its way home written into the target, and put back.
#include "debugger/target/tracee.h"

#include "debugger/base/trace.h"
#include "debugger/target/memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static bool read_errno(const struct tracee *tracee, int32_t *ret)
{
	*ret = 0;
	return tracee->errno_addr && memory_read_some(tracee->process, tracee->errno_addr, ret,
						      sizeof(*ret)) == sizeof(*ret);
}

struct dc_error *tracee_restore_errno(const struct tracee *tracee)
{
	int32_t now;

	if (!tracee->kept || !read_errno(tracee, &now) || now == tracee->errno_own)
		return NULL;
	return memory_write(tracee->process, tracee->errno_addr, &tracee->errno_own, sizeof(now));
}

void tracee_note_written(struct tracee *tracee, uint64_t addr, size_t n)
{
	if (tracee->errno_addr - addr < n || addr - tracee->errno_addr < sizeof(tracee->errno_own))
		read_errno(tracee, &tracee->errno_own);
}

struct dc_error *tracee_keep(struct tracee *tracee)
{
	struct dc_error *err = registers_get_xstate(tracee->tid, tracee->xstate,
						    &tracee->xstate_size);

	if (!err)
		err = registers_get_mask(tracee->tid, &tracee->mask);
	if (err)
		return err;
	memcpy(tracee->xstate_found, tracee->xstate, tracee->xstate_size);
	if (!read_errno(tracee, &tracee->errno_own))
		tracee->errno_addr = 0;
	tracee->errno_found = tracee->errno_own;
	tracee->kept = true;
	return NULL;
}

// The caller context may be changed between two calls, by an assignment to a register or to errno.
static bool context_changed(const struct tracee *tracee)
{
	return tracee->errno_own != tracee->errno_found ||
	       memcmp(&tracee->regs, &tracee->found, sizeof(tracee->regs)) != 0 ||
	       memcmp(tracee->xstate, tracee->xstate_found, tracee->xstate_size) != 0;
}

struct user_regs_struct tracee_caller_context(const struct tracee *tracee)
{
	struct user_regs_struct regs = tracee->regs;

	if (registers_pc(&regs) != registers_pc(&tracee->found) ||
	    registers_result(&regs) != registers_result(&tracee->found))
		// Somebody sent it elsewhere, or gave the system call a result.
		registers_forget_syscall(&regs);
	else if (tracee->restart_lost && restart_is_timed(&regs))
		restart_never(&regs);
	return regs;
}

struct dc_error *tracee_write_home(struct tracee *tracee)
{
	bool changed = context_changed(tracee);

	if (tracee->way_written && !changed)
		return NULL;

	// While it is written the thread must not stand in what lies there.
	struct dc_error *err = tracee_restore(tracee);
	struct user_regs_struct regs = tracee_caller_context(tracee);

	if (!err)
		err = sigframe_build(&regs, tracee->xstate, tracee->xstate_size, tracee->mask,
				     tracee->gadgets, tracee->home_top, tracee->way);
	if (!err)
		err = memory_write(tracee->process, tracee->way->start, tracee->way->bytes,
				   tracee->way->size);
	tracee->way_written = !err;
	tracee->way_in_chain = false;
	return err;
}

bool tracee_may_chain(const struct tracee *tracee)
{
	return tracee->chain && tracee->handshake.signo && !restart_is_timed(&tracee->regs);
}

struct dc_error *tracee_enter_chain(struct tracee *tracee, const struct chain_request *wanted)
{
	struct chain *chain = tracee->chain;
	struct dc_error *err = NULL;

	// In the place of another one, or of a way home that is another: the same.
	if (tracee->leads_home || context_changed(tracee) ||
	    (tracee->way_written && !tracee->way_in_chain))
		err = tracee_restore_context(tracee);

	struct user_regs_struct home = tracee_caller_context(tracee);
	struct chain_request request = *wanted;

	request.gadgets = tracee->gadgets;
	request.home = &home;
	request.xstate = tracee->xstate;
	request.xstate_size = tracee->xstate_size;
	request.mask = tracee->mask;
	request.top = tracee->home_top;
	request.pid = tracee->handshake.pid;
	request.tid = tracee->handshake.tid;
	request.signo = tracee->handshake.signo;
	request.errno_addr = tracee->errno_addr;
	request.errno_own = tracee->errno_own;
	if (!err)
		err = chain_build(&request, chain);
	if (!err)
		err = memory_write(tracee->process, chain->start, chain->bytes, chain->size);
	if (!err)
		err = registers_set(tracee->tid, &chain->entry);
	if (err)
		return err;
	tracee->moved = tracee->masked = tracee->ran = true;
	tracee->way_written = tracee->way_in_chain = true;
	tracee->way->start = chain->home;
	tracee->way->context = chain->home + sizeof(uint64_t);
	// Once the registers are set, what was found comes back by itself. Without the mask a storm
	// of signals would keep the thread at its first instruction.
	return registers_set_mask(tracee->tid, request.callee_mask);
}

struct dc_error *tracee_syscall(struct tracee *tracee, const struct remote_syscall *call,
				int64_t *result)
{
	struct dc_error *err = NULL;

	trace(TRACE_TARGET, "makes for us system call", tracee->tid, call->nr, 0);
	if (tracee_may_chain(tracee)) {
		err = remote_syscall_by_chain(tracee, call, result);
		if (!err || err->code != DC_REFUSED)
			return err;
		dc_error_destroy(err);
	}
	err = tracee_write_home(tracee);
	if (err)
		return err;
	tracee->moved = tracee->masked = true;
	return remote_syscall(tracee, call, result);
}

struct dc_error *tracee_ask(struct tracee *tracee, const char *what, struct remote_syscall request,
			    int64_t *result)
{
	struct dc_error *err = tracee_syscall(tracee, &request, result);

	if (err || *result >= 0 || *result < -4095)
		return err;
	return error_make(DC_REFUSED, "process %d may not %s: %s", tracee->process->pid, what,
			  strerror((int)-*result));
}

struct dc_error *tracee_map(struct tracee *tracee, uint64_t size, int protection, uint64_t *addr)
{
	int64_t result = 0;
	struct dc_error *err = tracee_ask(
		tracee, "map memory for the pad",
		(struct remote_syscall){ SYS_mmap,
					 { 0, size, (uint64_t)protection,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
					   (uint64_t)-1, 0 } },
		&result);

	*addr = err ? 0 : (uint64_t)result;
	return err;
}

struct dc_error *tracee_restore_context(struct tracee *tracee)
{
	struct user_regs_struct regs = tracee_caller_context(tracee);
	struct dc_error *err = NULL;

	if (tracee->kept) {
		bool changed = context_changed(tracee);

		if (tracee->ran || changed)
			err = registers_set_xstate(tracee->tid, tracee->xstate,
						   tracee->xstate_size);
		if (!err && tracee->masked)
			err = registers_set_mask(tracee->tid, tracee->mask);
		if (!err && (tracee->moved || changed))
			err = registers_set(tracee->tid, &regs);
	}
	tracee->leads_home = false;
	if (!err)
		tracee->ran = tracee->masked = tracee->moved = false;
	return err;
}

struct dc_error *tracee_restore(struct tracee *tracee)
{
	// First: until the registers are set the thread would go home by itself, and do the same.
	struct dc_error *err = tracee_restore_errno(tracee);

	return err ? err : tracee_restore_context(tracee);
}

struct dc_error *tracee_release(struct tracee *tracee)
{
	if (tracee->leads_home && tracee_may_go_alone(tracee) && !context_changed(tracee))
		return tracee_leave(tracee);

	struct dc_error *err = tracee_restore(tracee);

	if (err) {
		// Where it stands, it goes home by itself.
		dc_error_destroy(tracee_leave(tracee));
		return err;
	}
	return tracee_leave(tracee);
}

struct dc_error *tracee_release_through(struct tracee *tracee, const struct remote_syscall *call)
{
	struct dc_error *err = tracee_write_home(tracee);

	if (!err)
		err = tracee_restore_errno(tracee);
	if (!err) {
		struct user_regs_struct entry = remote_syscall_entry(tracee, call);

		err = registers_set(tracee->tid, &entry);
	}
	if (!err)
		return tracee_leave(tracee);
	dc_error_destroy(tracee_release(tracee));
	return err;
}
