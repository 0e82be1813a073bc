// SPDX-License-Identifier: MIT
// What the runtime keeps of a goroutine, and its stack, are read twice: equal, they are those of one
// wait.
#include "debugger/stack/goroutines/parked.h"

#include "debugger/stack/goroutines/descriptor.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <string.h>

enum { COPIED = 1 << 20 }; // bytes

struct look {
	struct process *process;
	const struct debugcall_descriptor *d;
	// All that the runtime keeps of it, and its stack, both read twice.
	unsigned char object[2][DESCRIPTOR_OBJECT_MAX];
	unsigned char *stack[2];
};

// A copy of its stack, which belongs to the registers if it has waited all the while: a goroutine
// that waits anew has a new ticket, or a new time, or what it did shows on its stack.
static struct dc_error *copy(struct look *look, const struct goroutine *g,
			     struct snapshot *snapshot, bool *waited)
{
	struct process *process = look->process;
	size_t size = look->d->g.size;
	struct goroutine now;
	struct dc_error *err = memory_read(process, g->addr, look->object[0], size);

	*waited = false;
	*snapshot = (struct snapshot){ .unknown = ~(uint32_t)REGISTERS_SAVED,
				       .stack = look->stack[0] };
	if (!err)
		err = goroutine_read(process, look->d, g->addr, &now);
	if (err || now.id != g->id || now.waited_ns < 0 ||
	    !goroutine_registers(process, look->d, &now, &snapshot->regs))
		return err;

	uint64_t sp = registers_sp(&snapshot->regs);

	if (sp >= now.stack_high)
		return NULL;

	size_t wanted = now.stack_high - sp < COPIED ? now.stack_high - sp : COPIED;

	snapshot->stack_start = sp;
	snapshot->stack_size = memory_read_some(process, sp, look->stack[0], wanted);

	size_t again = memory_read_some(process, sp, look->stack[1], wanted);

	err = memory_read(process, g->addr, look->object[1], size);
	*waited = !err && again == snapshot->stack_size &&
		  !memcmp(look->stack[0], look->stack[1], again) &&
		  !memcmp(look->object[0], look->object[1], size);
	return err;
}

struct dc_error *parked_walk(struct process *process, struct unwind *unwind,
			     const struct debugcall_descriptor *d, const struct goroutine *g,
			     struct unwound *frames, size_t *n, bool *complete, const char **why)
{
	enum { LOOKS = 8 };
	_cleanup_free_ unsigned char *stacks = malloc(2 * (size_t)COPIED);
	struct look look = { .process = process, .d = d, .stack = { stacks, stacks + COPIED } };
	struct snapshot snapshot;
	struct dc_error *err = stacks ? NULL : &dc_out_of_memory;
	bool waited = false;

	*n = 0;
	*complete = false;
	*why = g->waited_ns < 0 ? "it may run at any moment" : "moving: it woke meanwhile";
	for (int i = 0; !err && !waited && g->waited_ns >= 0 && i < LOOKS; i++)
		err = copy(&look, g, &snapshot, &waited);
	if (err || !waited)
		return err;
	err = unwind_walk(unwind, &snapshot, frames, UNWIND_MAX, n, complete);
	// Beyond the copy it may have changed since.
	if (unwind_strayed(unwind)) {
		*n = 0;
		*complete = false;
		*why = "its stack is deeper than what is copied";
	} else if (!err) {
		*why = *complete ? NULL : unwind_why_incomplete(unwind);
	}
	return err;
}
