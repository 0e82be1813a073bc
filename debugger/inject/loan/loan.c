// SPDX-License-Identifier: MIT
// Holding a thread, the pad that it maps, and giving both back.
#include "debugger/inject/loan/loan.h"

#include "debugger/arch/x86_64/cpu.h"
#include "debugger/base/cleanup.h"
#include "debugger/inject/loan/filters.h"
#include "debugger/inject/outcome.h"
#include "debugger/target/gadgets.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <time.h>

// For a way home, whatever is in it, and what the kernel needs besides.
enum { FRAME_ROOM_MIN = 16 * 1024 };

struct dc_error *loan_init(struct loan *loan, struct tracer *tracer, struct process *process,
			   struct safepoints *safepoints, struct unwind *unwind,
			   const struct borrow_options *options)
{
	*loan = (struct loan){ .tracer = tracer, .process = process, .options = options };
	loan->chooser = (struct chooser){
		.tracer = tracer,
		.process = process,
		.safepoints = safepoints,
		.unwind = unwind,
		.space = &loan->space,
		.tracee = &loan->tracee,
		.force = options->force,
		.avoids_stdio = options->avoids_stdio,
		.vm = options->vm,
	};
	cpu_features(); // asked for once, which takes time in a virtual machine

	struct dc_error *err = address_space_read(process, &loan->space);

	if (!err)
		err = gadgets_find(process, &loan->space.maps, &loan->gadgets);
	if (!err)
		err = tracee_init(&loan->tracee, tracer, process, &loan->gadgets);
	if (err)
		address_space_deinit(&loan->space);
	return err;
}

static struct dc_error *run_look(void *arg)
{
	struct loan *loan = arg;
	struct tracee *tracee = &loan->tracee;
	const struct tracee *follower = events_find(tracer_events(loan->tracer),
						    loan->options->thread);
	enum tracee_stop stop;

	if (!follower || follower->running)
		return NULL;

	struct dc_error *err = tracee_stop(tracee, loan->options->thread, &stop);

	// A thread in a mode that calls are refused in can be looked at all the same.
	if (err && tracee->tid && err->code == DC_REFUSED) {
		dc_error_destroy(err);
		err = NULL;
	}
	if (err || stop != TRACEE_STOPPED)
		return err;
	loan->tid = tracee->tid;
	loan->state = tracee_state(tracee);
	err = tracee_keep(tracee);
	if (err)
		dc_error_destroy(tracee_release(tracee));
	return err;
}

struct dc_error *loan_look(struct loan *loan, struct tracer *tracer, struct process *process,
			   const struct borrow_options *options)
{
	struct dc_error *err;

	*loan = (struct loan){ .tracer = tracer, .process = process, .options = options };
	err = tracee_init(&loan->tracee, tracer, process, &loan->gadgets);
	return err ? err : tracer_run(tracer, run_look, loan);
}

void loan_deinit(struct loan *loan)
{
	pad_deinit(&loan->pad);
	tracee_deinit(&loan->tracee);
	address_space_deinit(&loan->space);
}

// ---- a thread -------------------------------------------------------------------------------------

static int choose_handshake(const struct thread_info *info, uint64_t mask)
{
	// SIGCONT would end a stop that is on its way.
	static const int candidates[] = { SIGURG, SIGWINCH, SIGCHLD };
	uint64_t taken = info->sig_caught | mask | info->sig_pending | info->shared_pending;

	for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates); i++)
		if (!(taken & SIGNAL_BIT(candidates[i])))
			return candidates[i];
	// One that the thread blocks may be waited for elsewhere: ours must not be taken for it.
	return 0;
}

// The thread is held at a safe point: what is needed to call on it.
static struct dc_error *settle(struct loan *loan)
{
	struct tracee *tracee = &loan->tracee;
	const struct thread_info *info = &loan->chooser.info;
	struct dc_error *err = NULL;

	loan->setid_signal = thread_setid_signal(loan->process,
						 registers_thread_pointer(&tracee->regs));
	// A thread of the program that was looked at is wanted, not of one that came after it. What
	// tells of a libc was read from its memory.
	if (!loan->setid_signal && memory_is_gone(loan->process))
		err = outcome_changed(loan->process, "became another program");
	if (loan->has_errno && registers_thread_pointer(&tracee->regs))
		tracee->errno_addr = registers_thread_pointer(&tracee->regs) +
				     (uint64_t)loan->errno_offset;
	if (!err)
		err = tracee_keep(tracee);
	if (err)
		return err;
	loan->info = *info;
	loan->tid = tracee->tid;
	loan->state = tracee_state(tracee);
	loan->stack = address_space_stack(&loan->space, &tracee->regs);
	loan->handshake = choose_handshake(info, tracee->mask);
	tracee->handshake.pid = info->inner_pid;
	tracee->handshake.tid = info->inner_tid;
	// Filters are asked about the pad's calls only.
	if (!info->seccomp || loan->options->assume_seccomp_ok)
		tracee->handshake.signo = loan->handshake;
	// It stays true once a name was refused; the next slice may have another filter.
	loan->pad.may_name = loan->pad.may_loop = true;
	if (info->seccomp == 2 && !loan->options->assume_seccomp_ok)
		return filters_allow_pad(tracee->tid, info, loan->handshake, &loan->pad.may_name,
					 &loan->pad.may_loop);
	return NULL;
}

static struct dc_error *run_settle(void *arg)
{
	struct loan *loan = arg;
	struct dc_error *err = settle(loan);

	if (err)
		dc_error_destroy(tracee_release(&loan->tracee));
	return err;
}

static bool was_given_back(const struct loan *loan)
{
	return loan->state == DC_STATE_RUNNING || loan->state == DC_STATE_STOPPED ||
	       loan->state == DC_STATE_STANDS;
}

struct dc_error *loan_hold(struct loan *loan, pid_t thread, int64_t wait_ns,
			   const struct chooser_filter *filter)
{
	struct choice choice = {
		.thread = thread,
		.wait_ns = wait_ns,
		.is_impatient = wait_ns < loan->options->wait_ns,
		.filter = filter,
	};
	bool is_back = !loan->tid || was_given_back(loan);

	if (!is_back || loan->pad.kept)
		return error_in_state(
			error_make(DC_REFUSED, "thread %d is not borrowed any more", loan->tid),
			loan->state);

	struct dc_error *err = chooser_hold(&loan->chooser, &choice);

	return err ? err : tracer_run(loan->tracer, run_settle, loan);
}

bool loan_has_own_stack(const struct loan *loan)
{
	enum { OWN_STACK_MIN = 256 * 1024 };

	return loan->stack.low &&
	       registers_sp(&loan->tracee.found) > loan->stack.low + OWN_STACK_MIN;
}

static bool has_room_for_frame(const struct thread_stack *stack, const struct tracee *tracee)
{
	return stack->low && registers_sp(&tracee->regs) > stack->low + FRAME_ROOM_MIN;
}

// ---- the pad --------------------------------------------------------------------------------------

// By a thread that was stopped for it, if it will do. *done false: it was not held, or will not.
static struct dc_error *by_candidate(struct loan *loan, const struct candidate *candidate,
				     struct tracee *helper,
				     struct dc_error *(*step)(struct loan *, struct tracee *),
				     bool *done)
{
	enum tracee_stop stop;
	struct dc_error *err;

	helper->awake_at = candidate->awake_at;
	err = tracee_stop(helper, candidate->tid, &stop);

	if (err && err->code == DC_ATTACH) {
		// Another debugger was quicker; there may be others.
		dc_error_destroy(err);
		return NULL;
	}
	if (err || stop != TRACEE_STOPPED)
		return err;

	struct thread_stack stack = address_space_stack(&loan->space, &helper->regs);
	bool may_name, may_loop;

	*done = has_room_for_frame(&stack, helper) && !chooser_in_sequence(helper);
	if (*done)
		err = tracee_keep(helper);
	if (!err && *done && candidate->info.seccomp == 2 && !loan->options->assume_seccomp_ok)
		err = filters_allow_pad(helper->tid, &candidate->info, 0, &may_name, &may_loop);
	if (!err && *done)
		err = step(loan, helper);

	struct dc_error *release = helper->tid ? tracee_release(helper) : NULL;

	if (!err && *done)
		return release;
	dc_error_destroy(release);
	return err;
}

// Another thread does for us what needs room on a stack: mapping the pad, or unmapping it.
static struct dc_error *by_helper(struct loan *loan,
				  struct dc_error *(*step)(struct loan *, struct tracee *))
{
	_cleanup_(candidates_deinit) struct candidates candidates = { 0 };
	_cleanup_(tracee_deinit) struct tracee helper = { 0 };
	struct dc_error *err = candidates_read(loan->process, 0, &candidates);

	if (!err)
		err = tracee_init(&helper, loan->tracer, loan->process, &loan->gadgets);
	for (size_t i = 0; !err && i < candidates.n; i++) {
		const struct candidate *candidate = &candidates.candidate[i];
		bool done = false;

		if (candidate->rank == RANK_NOT_NOW || candidate->tid == loan->tracee.tid)
			continue;
		err = by_candidate(loan, candidate, &helper, step, &done);
		if (done)
			return err;
	}
	return err ? err
		   : error_make(
			     DC_REFUSED,
			     "no thread of process %d stands on a stack of its own with room to "
			     "make a landing pad (code that switches stacks by itself has others)",
			     loan->process->pid);
}

static uint64_t call_stack_size(const struct loan *loan)
{
	return loan->info.locked_bytes ? PAD_CALL_STACK_LOCKED : PAD_CALL_STACK;
}

static struct dc_error *map_all(struct loan *loan, struct tracee *tracee)
{
	return pad_map(&loan->pad, tracee, call_stack_size(loan));
}

static struct dc_error *unmap_all(struct loan *loan, struct tracee *tracee)
{
	return pad_unmap(&loan->pad, tracee, loan->options->drop_literals);
}

struct dc_error *loan_ready_pad(struct loan *loan)
{
	struct tracee *tracee = &loan->tracee;
	struct pad *pad = &loan->pad;

	if (has_room_for_frame(&loan->stack, tracee))
		return pad_map(pad, tracee, loan_has_own_stack(loan) ? 0 : call_stack_size(loan));
	// A frame on a stack of unknown size would overwrite what lies below.
	if (!pad->stack.addr) {
		struct dc_error *err = by_helper(loan, map_all);

		if (err)
			return err;
	}
	tracee->home_top = pad->base + PAD_HOME + PAD_HOME_SIZE;
	return NULL;
}

struct dc_error *loan_literal(struct loan *loan, const void *bytes, size_t n, uint64_t *addr)
{
	struct dc_error *err = loan_ready_pad(loan);

	return err ? err : pad_literal(&loan->pad, &loan->tracee, bytes, n, addr);
}

static struct dc_error *map_room(struct loan *loan, struct tracee *tracee)
{
	return pad_map_room(&loan->pad, tracee);
}

// Its mapping is one of its own, which does not need the pad.
struct dc_error *loan_room(struct loan *loan, uint64_t size, uint64_t align, uint64_t *addr)
{
	struct tracee *tracee = &loan->tracee;
	struct dc_error *err = NULL;

	if (!loan->pad.room.addr)
		err = has_room_for_frame(&loan->stack, tracee) ? map_room(loan, tracee)
							       : by_helper(loan, map_room);
	return err ? err : pad_take_room(&loan->pad, size, align, addr);
}

// ---- giving back ----------------------------------------------------------------------------------

// The thread unmaps the pad on its way home; its last step is seen by the pad's absence.
static struct dc_error *go_through_unmap(struct loan *loan, const struct remote_syscall *unmap)
{
	enum { LIMIT_S = 10, LOOK_NS = 20 * 1000 };
	uint64_t base = loan->pad.base, word;
	struct dc_error *err = tracee_release_through(&loan->tracee, unmap);
	int64_t limit = tracer_now() + LIMIT_S * INT64_C(1000000000);

	if (err)
		return err;
	while (memory_read_some(loan->process, base, &word, sizeof(word)) == sizeof(word)) {
		struct thread_info info;

		err = process_thread_info(loan->process, loan->tid, &info);
		// Ended, or stopped by job control: what is left of it happens without us.
		if (err || info.state == 'T')
			break;
		if (tracer_now() > limit)
			return error_make(DC_REFUSED, "thread %d has not unmapped the landing pad",
					  loan->tid);
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	}
	dc_error_destroy(err);
	pad_unmapped(&loan->pad, loan->options->drop_literals);
	return NULL;
}

struct dc_error *loan_end(struct loan *loan)
{
	struct tracee *tracee = &loan->tracee;
	struct pad *pad = &loan->pad;
	struct dc_error *err = NULL, *release = NULL;
	bool by_itself = tracee->tid && has_room_for_frame(&loan->stack, tracee);
	struct remote_syscall unmap;

	if (by_itself && tracee_may_go_alone(tracee) &&
	    pad_unmap_at_once(pad, loan->options->drop_literals, &unmap)) {
		loan->state = tracee_state(tracee);
		return go_through_unmap(loan, &unmap);
	}

	if (by_itself && pad_is_mapped(pad))
		err = tracee_restore_errno(tracee) ?: unmap_all(loan, tracee);
	if (tracee->tid) {
		loan->state = tracee_state(tracee);
		release = tracee_release(tracee);
	}
	if (!err && !release && pad_is_mapped(pad) && !pad->kept && was_given_back(loan))
		err = by_helper(loan, unmap_all);
	if (!err)
		return release;
	dc_error_destroy(release);
	return err;
}
