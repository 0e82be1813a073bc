// SPDX-License-Identifier: MIT
// May this thread be borrowed here? A scan of the stack finds what may be a return address into
// unsafe code; a walk tells the live ones from what earlier calls left behind.
#include "debugger/inject/safepoint/safepoint.h"
#include "debugger/inject/safepoint/callee_reach.h"

#include "debugger/stack/goroutines/descriptor.h"
#include "debugger/inject/safepoint/unsafe.h"
#include "debugger/inject/safepoint/unsafe_names.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"
#include "debugger/target/waits.h"

#include <inttypes.h>
#include <string.h>

struct safepoints {
	struct process *process;
	struct symbols *symbols;
	struct unsafe_table table;
	uint64_t runtime_start, runtime_end; // of the target's own runtime, if it has one
};

static void find_runtime(struct safepoints *safepoints)
{
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct debugcall_descriptor descriptor = { 0 };
	bool found = false;
	// One that is damaged is not believed.
	_cleanup_error_ struct dc_error *err = maps_read(safepoints->process, &maps);

	if (!err)
		err = descriptor_find(safepoints->process, &maps, &descriptor, &found);
	if (!err && found) {
		safepoints->runtime_start = descriptor.text_start;
		safepoints->runtime_end = descriptor.text_end;
	}
}

struct dc_error *safepoints_create(struct process *process, struct symbols *symbols,
				   struct safepoints **ret)
{
	struct safepoints *safepoints = calloc(1, sizeof(*safepoints));

	if (!safepoints)
		return &dc_out_of_memory;
	safepoints->process = process;
	safepoints->symbols = symbols;

	struct dc_error *err = unsafe_table_create(process, symbols, &safepoints->table);

	if (err) {
		free(safepoints);
		return err;
	}
	find_runtime(safepoints);
	*ret = safepoints;
	return NULL;
}

void safepoints_destroy(struct safepoints *safepoints)
{
	if (!safepoints)
		return;
	unsafe_table_deinit(&safepoints->table);
	free(safepoints);
}

static void judge(struct verdict *ret, enum safety safety, const char *how,
		  const struct unsafe_range *range)
{
	ret->safety = safety;
	if (range->kind == UNSAFE_RESTORER) {
		snprintf(ret->reason, sizeof(ret->reason), "%s a signal handler", how);
		return;
	}

	const char *what = range->what + strspn(range->what, "_");

	if (!strncmp(what, "libc_", 5))
		what += 5;
	snprintf(ret->reason, sizeof(ret->reason), "%s %s (%s)", how, what, range->module);
}

// In a system call that stdio makes: it holds the FILE, and nothing else is half done.
static bool moves_data(const struct user_regs_struct *regs)
{
	return waits_of(registers_syscall(regs)) & WAIT_STDIO;
}

// Where no symbol tells an allocator from the program, a thread in one of the calls that allocators
// make may hold a lock of one.
static bool serves_allocators(const struct user_regs_struct *regs)
{
	return waits_of(registers_syscall(regs)) & WAIT_ALLOCATOR;
}

// The live part of the stack. The red zone below it holds no frames, and above the first thread's
// frames lie arguments and the auxiliary vector, with an entry point that looks like a return.
static const unsigned char *live_stack(const struct safepoints *safepoints,
				       const struct snapshot *snapshot, size_t *n)
{
	uint64_t below = registers_sp(&snapshot->regs) - snapshot->stack_start;
	uint64_t end = safepoints->process->start_stack;

	if (!snapshot->stack || below > snapshot->stack_size) {
		*n = 0;
		return NULL;
	}
	*n = snapshot->stack_size - below;
	if (*n > SAFEPOINT_SCAN)
		*n = SAFEPOINT_SCAN;
	if (end > registers_sp(&snapshot->regs) && end - registers_sp(&snapshot->regs) < *n)
		*n = end - registers_sp(&snapshot->regs);
	return snapshot->stack + below;
}

struct hits {
	const struct unsafe_range *always, *stdio; // the innermost of each; NULL: none
};

// Return addresses from `from` (an address) up. One that equals a range's start is a pointer to the
// function, not a return into it; what precedes a return address is the call.
static struct hits scan(const struct safepoints *safepoints, const struct snapshot *snapshot,
			uint64_t from)
{
	struct hits hits = { NULL, NULL };
	size_t n;
	const unsigned char *stack = live_stack(safepoints, snapshot, &n);
	uint64_t skip = from > registers_sp(&snapshot->regs) ? from - registers_sp(&snapshot->regs)
							     : 0;

	for (size_t i = (skip + 7) & ~(size_t)7; i + 8 <= n; i += 8) {
		uint64_t word;

		memcpy(&word, stack + i, sizeof(word));

		const struct unsafe_range *range = unsafe_find(&safepoints->table, word - 1);

		if (!range)
			continue;
		if (range->kind != UNSAFE_STDIO) {
			hits.always = range;
			return hits;
		}
		if (!hits.stdio)
			hits.stdio = range;
	}
	return hits;
}

static void set(struct verdict *ret, enum safety safety, const char *reason)
{
	ret->safety = safety;
	snprintf(ret->reason, sizeof(ret->reason), "%s", reason);
}

static const char MAYBE_STDIO[] = "may wait inside stdio: no symbol tells";

// What the registers alone rule out; true: settled.
static bool judge_place(const struct safepoints *safepoints, const struct user_regs_struct *regs,
			struct verdict *ret)
{
	enum { RESTORER_SIZE = 9 };
	const struct unsafe_range *range = unsafe_find(&safepoints->table, registers_pc(regs));

	if (!registers_are_64bit(regs)) {
		set(ret, SAFETY_UNSAFE, "runs 32-bit code");
		return true;
	}
	// The range of a restorer ends where its code begins.
	for (uint64_t back = 1; back <= RESTORER_SIZE && !range; back++) {
		range = unsafe_find(&safepoints->table, registers_pc(regs) - back);
		if (range && range->kind != UNSAFE_RESTORER) {
			range = NULL;
			break;
		}
	}
	if (range && (range->kind != UNSAFE_STDIO || !moves_data(regs))) {
		judge(ret, SAFETY_UNSAFE, "inside", range);
		return true;
	}
	if (safepoints->table.is_blind &&
	    (registers_syscall(regs) < 0 || serves_allocators(regs))) {
		set(ret, SAFETY_UNSAFE,
		    "no symbol tells the program's allocator from its other code, so only a thread "
		    "that waits in a system call is safe");
		return true;
	}
	return false;
}

void safepoints_scan(const struct safepoints *safepoints, const struct snapshot *snapshot,
		     uint64_t rseq_start, uint64_t rseq_end, struct verdict *ret)
{
	const struct user_regs_struct *regs = &snapshot->regs;
	size_t n;

	*ret = (struct verdict){ .safety = SAFETY_SAFE };
	if (rseq_start < rseq_end && registers_pc(regs) >= rseq_start &&
	    registers_pc(regs) < rseq_end) {
		set(ret, SAFETY_UNSAFE, "inside a restartable sequence");
		return;
	}
	if (!live_stack(safepoints, snapshot, &n) || !n) {
		set(ret, SAFETY_UNSAFE, "its stack cannot be read");
		return;
	}
	if (judge_place(safepoints, regs, ret))
		return;

	struct hits hits = scan(safepoints, snapshot, registers_sp(regs));
	const struct unsafe_range *here = unsafe_find(&safepoints->table, registers_pc(regs));

	if (here && !hits.stdio)
		hits.stdio = here;
	if (safepoints->table.is_blind && moves_data(regs) && !hits.always)
		set(ret, SAFETY_GUARDED, MAYBE_STDIO);
	else if (hits.always)
		judge(ret, SAFETY_SUSPECT, "may be inside", hits.always);
	else if (hits.stdio && moves_data(regs))
		judge(ret, SAFETY_GUARDED, "waits in stdio, inside", hits.stdio);
	else if (hits.stdio)
		judge(ret, SAFETY_SUSPECT, "may be inside", hits.stdio);
}

// *by_scan: the verdict rests on words of the stack that the walk did not get to.
static struct dc_error *confirm(const struct safepoints *safepoints, struct unwind *unwind,
				const struct snapshot *snapshot, struct verdict *ret, bool *by_scan)
{
	const struct user_regs_struct *regs = &snapshot->regs;
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	const struct unsafe_range *stdio = NULL;
	size_t n;
	bool complete;

	if (!frames)
		return &dc_out_of_memory;
	*ret = (struct verdict){ .safety = SAFETY_SAFE };
	*by_scan = false;
	if (judge_place(safepoints, regs, ret))
		return NULL;

	struct dc_error *err = unwind_walk(unwind, snapshot, frames, UNWIND_MAX, &n, &complete);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		const struct unsafe_range *range = unsafe_find(&safepoints->table,
							       frames[i].frame.pc);

		if (frames[i].is_signal_frame) {
			set(ret, SAFETY_UNSAFE, "inside a signal handler");
			return NULL;
		}
		if (range && range->kind == UNSAFE_ALWAYS) {
			judge(ret, SAFETY_UNSAFE, "inside", range);
			return NULL;
		}
		if (range && range->kind == UNSAFE_STDIO && !stdio)
			stdio = range;
	}
	if (!complete) {
		// Above the last frame reached, the scan's word is all there is.
		enum { RSP = 7 };
		struct hits hits = scan(safepoints, snapshot,
					n ? frames[n - 1].frame.regs[RSP] : 0);

		if (hits.always) {
			*by_scan = true;
			judge(ret, SAFETY_UNSAFE, "may be inside", hits.always);
			return NULL;
		}
		if (!stdio) {
			*by_scan = hits.stdio != NULL;
			stdio = hits.stdio;
		}
	}
	if (safepoints->table.is_blind && moves_data(regs))
		set(ret, SAFETY_GUARDED, MAYBE_STDIO);
	else if (stdio && moves_data(regs))
		judge(ret, SAFETY_GUARDED, "waits in stdio, inside", stdio);
	else if (stdio)
		judge(ret, SAFETY_UNSAFE, "inside", stdio);
	return NULL;
}

struct dc_error *safepoints_confirm(const struct safepoints *safepoints, struct unwind *unwind,
				    const struct snapshot *snapshot, struct verdict *ret)
{
	bool by_scan;

	return confirm(safepoints, unwind, snapshot, ret, &by_scan);
}

struct dc_error *safepoints_way_out(const struct safepoints *safepoints, struct unwind *unwind,
				    const struct snapshot *snapshot, uint64_t *pc)
{
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	bool complete;
	size_t n;

	*pc = 0;
	// Where nothing tells unsafe code, there is no way out of it.
	if (safepoints->table.is_blind)
		return NULL;
	if (!frames)
		return &dc_out_of_memory;

	struct dc_error *err = unwind_walk(unwind, snapshot, frames, UNWIND_MAX, &n, &complete);

	for (size_t i = 0; !err && i + 1 < n; i++) {
		// What a signal interrupted is no call, and a guess no place to wait at.
		if (frames[i].is_signal_frame || frames[i].is_guess)
			break;
		if (unsafe_find(&safepoints->table, frames[i].frame.pc))
			*pc = frames[i + 1].frame.regs[REGISTER_RIP];
	}
	return err;
}

struct dc_error *safepoints_asleep(const struct safepoints *safepoints, struct unwind *unwind,
				   const struct thread_info *info, struct verdict *ret)
{
	struct snapshot snapshot = {
		.regs = registers_known_from(info->pc, info->sp, info->syscall),
		.unknown = ~(uint32_t)REGISTERS_PLACE,
		.stack_start = info->sp - RED_ZONE,
	};

	if (!info->in_syscall) {
		*ret = (struct verdict){ .safety = SAFETY_SUSPECT };
		set(ret, SAFETY_SUSPECT, "running: decided at the stop");
		return NULL;
	}

	_cleanup_free_ unsigned char *stack = malloc(RED_ZONE + SAFEPOINT_SCAN);

	if (!stack)
		return &dc_out_of_memory;
	snapshot.stack = stack;
	snapshot.stack_size = memory_read_some(safepoints->process, snapshot.stack_start, stack,
					       RED_ZONE + SAFEPOINT_SCAN);
	safepoints_scan(safepoints, &snapshot, 0, 0, ret);
	if (ret->safety != SAFETY_SUSPECT && ret->safety != SAFETY_GUARDED)
		return NULL;

	bool by_scan;
	struct dc_error *err = confirm(safepoints, unwind, &snapshot, ret, &by_scan);

	// /proc tells no frame pointer; with it the walk may get past what is only left on the
	// stack.
	if (!err && by_scan)
		ret->safety = SAFETY_SUSPECT;
	return err;
}

bool safepoints_has_runtime(const struct safepoints *safepoints)
{
	return safepoints->runtime_end > safepoints->runtime_start;
}

bool safepoints_callee_avoids_stdio(const struct safepoints *safepoints, uint64_t addr)
{
	return callee_avoids_stdio(safepoints->process, safepoints->symbols,
				   safepoints->runtime_start, safepoints->runtime_end, addr);
}
