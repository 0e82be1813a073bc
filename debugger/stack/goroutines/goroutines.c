// SPDX-License-Identifier: MIT
// Walks along the runtime's lists. They only ever grow at their heads, so a walk needs no lock;
// what a damaged target has there instead is bounded.
#include "debugger/stack/goroutines/goroutines.h"

#include "debugger/stack/goroutines/descriptor.h"
#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <inttypes.h>
#include <string.h>

enum { MACHINES_MAX = 1 << 20, GOROUTINES_MAX = 1 << 26 };

static uint64_t word(const unsigned char *object, size_t offset)
{
	uint64_t value;

	memcpy(&value, object + offset, sizeof(value));
	return value;
}

static uint32_t half(const unsigned char *object, size_t offset)
{
	uint32_t value;

	memcpy(&value, object + offset, sizeof(value));
	return value;
}

struct walk {
	struct process *process;
	size_t size, next; // of an object; its link
	uint64_t at, mark; // mark: an earlier object, moved on at each power of two
	size_t steps, until, max;
	unsigned char object[DESCRIPTOR_OBJECT_MAX];
};

static struct dc_error *walk_begin(struct walk *walk, struct process *process, uint64_t head,
				   size_t size, size_t next, size_t max)
{
	*walk = (struct walk){
		.process = process, .size = size, .next = next, .until = 1, .max = max
	};
	return memory_read(process, head, &walk->at, sizeof(walk->at));
}

// Reads the object at walk->at, which it leaves in *addr; false at the end of the list.
static struct dc_error *walk_step(struct walk *walk, uint64_t *addr, bool *more)
{
	struct dc_error *err;

	*addr = walk->at;
	*more = walk->at != 0;
	if (!*more)
		return NULL;
	if (walk->at == walk->mark || walk->steps >= walk->max)
		return error_make(DC_VALUE, "the runtime's list at 0x%" PRIx64 " is damaged",
				  walk->at);
	if (++walk->steps == walk->until) {
		walk->until *= 2;
		walk->mark = walk->at;
	}
	err = memory_read(walk->process, walk->at, walk->object, walk->size);
	if (!err)
		walk->at = word(walk->object, walk->next);
	return err;
}

// ---- Ms -------------------------------------------------------------------------------------------

static struct machine machine_of(const struct debugcall_descriptor *d, uint64_t addr,
				 const unsigned char *object)
{
	return (struct machine){
		.addr = addr,
		.id = word(object, d->m.id),
		.tid = (pid_t)half(object, d->m.tid),
		.current = word(object, d->m.current),
		.in_runtime = half(object, d->m.in_runtime) != 0,
	};
}

struct dc_error *machine_read(struct process *process, const struct debugcall_descriptor *d,
			      uint64_t addr, struct machine *ret)
{
	unsigned char object[DESCRIPTOR_OBJECT_MAX];
	struct dc_error *err = memory_read(process, addr, object, d->m.size);

	if (!err)
		*ret = machine_of(d, addr, object);
	return err;
}

struct dc_error *machines_read(struct process *process, const struct debugcall_descriptor *d,
			       struct machines *ret)
{
	struct walk walk;
	struct dc_error *err = walk_begin(&walk, process, d->all_m, d->m.size, d->m.next,
					  MACHINES_MAX);
	size_t room = 0;

	*ret = (struct machines){ 0 };
	while (!err) {
		uint64_t addr;
		bool more;

		err = walk_step(&walk, &addr, &more);
		if (err || !more)
			break;
		if (ret->n == room) {
			struct machine *grown;

			room = room ? 2 * room : 16;
			grown = reallocarray(ret->machine, room, sizeof(*grown));
			if (!grown) {
				err = &dc_out_of_memory;
				break;
			}
			ret->machine = grown;
		}
		ret->machine[ret->n++] = machine_of(d, addr, walk.object);
	}
	if (err)
		machines_deinit(ret);
	return err;
}

void machines_deinit(struct machines *machines)
{
	free(machines->machine);
	*machines = (struct machines){ 0 };
}

const struct machine *machines_with(const struct machines *machines, pid_t tid)
{
	for (size_t i = 0; tid && i < machines->n; i++)
		if (machines->machine[i].tid == tid)
			return &machines->machine[i];
	return NULL;
}

// ---- goroutines -----------------------------------------------------------------------------------

static void read_text(struct process *process, uint64_t addr, char *text, size_t size)
{
	size_t n = addr ? memory_read_some(process, addr, text, size - 1) : 0;

	text[n] = '\0';
}

static struct goroutine goroutine_of(struct process *process, const struct debugcall_descriptor *d,
				     uint64_t addr, const unsigned char *object, int64_t now)
{
	struct goroutine g = {
		.addr = addr,
		.id = word(object, d->g.id),
		.status = half(object, d->g.status),
		.is_system = object[d->g.flags] & DEBUGCALL_G_SYSTEM,
		.m = word(object, d->g.m),
		.locked_m = word(object, d->g.locked_m),
		.stack_low = word(object, d->g.stack_low),
		.stack_high = word(object, d->g.stack_high),
		.saved_sp = word(object, d->g.saved_sp),
		.creator_id = word(object, d->g.creator_id),
		.creator_pc = word(object, d->g.creator_pc),
		.waited_ns = -1,
	};

	if (g.status == d->status_waiting) {
		int64_t since = (int64_t)word(object, d->g.wait_since);

		g.waits = true;
		memcpy(&g.wait_reason, object + d->g.wait_reason, sizeof(g.wait_reason));
		g.waited_ns = now > since ? now - since : 0;
	}
	read_text(process, word(object, d->g.label), g.label, sizeof(g.label));
	return g;
}

static int64_t read_now(struct process *process, const struct debugcall_descriptor *d)
{
	int64_t now = 0;

	return memory_read_some(process, d->now, &now, sizeof(now)) == sizeof(now) ? now : 0;
}

struct dc_error *goroutine_read(struct process *process, const struct debugcall_descriptor *d,
				uint64_t addr, struct goroutine *ret)
{
	unsigned char object[DESCRIPTOR_OBJECT_MAX];
	struct dc_error *err = memory_read(process, addr, object, d->g.size);

	if (!err)
		*ret = goroutine_of(process, d, addr, object, read_now(process, d));
	return err;
}

struct dc_error *goroutine_find(struct process *process, const struct debugcall_descriptor *d,
				uint64_t id, uint64_t *addr)
{
	struct walk walk;
	struct dc_error *err = walk_begin(&walk, process, d->all_g, d->g.size, d->g.next,
					  GOROUTINES_MAX);
	bool more = true;

	while (!err && more) {
		err = walk_step(&walk, addr, &more);
		if (!err && more && word(walk.object, d->g.id) == id &&
		    half(walk.object, d->g.status) != d->status_dead)
			return NULL;
	}
	*addr = 0;
	return err;
}

bool goroutine_registers(struct process *process, const struct debugcall_descriptor *d,
			 const struct goroutine *g, struct user_regs_struct *ret)
{
	const struct debugcall_saved *saved = &d->saved;
	unsigned char frame[DESCRIPTOR_OBJECT_MAX];

	if (memory_read_some(process, g->saved_sp, frame, saved->size) != saved->size)
		return false;
	*ret = (struct user_regs_struct){
		.rsp = g->saved_sp + saved->size,
		.rbx = word(frame, saved->rbx),
		.rbp = word(frame, saved->rbp),
		.r12 = word(frame, saved->r12),
		.r13 = word(frame, saved->r13),
		.r14 = word(frame, saved->r14),
		.r15 = word(frame, saved->r15),
		.rip = word(frame, saved->pc),
	};
	return true;
}

void goroutine_word(struct process *process, uint64_t texts, uint64_t nr_texts, uint64_t i,
		    char *ret, size_t size)
{
	uint64_t text = 0;

	if (i < nr_texts)
		memory_read_some(process, texts + i * sizeof(text), &text, sizeof(text));
	read_text(process, text, ret, size);
	if (!*ret)
		snprintf(ret, size, "?");
}

static struct dc_error *read_texts(struct process *process, uint64_t addr, size_t n,
				   char (**ret)[32])
{
	uint64_t texts[DESCRIPTOR_TEXTS_MAX];
	struct dc_error *err = memory_read(process, addr, texts, n * sizeof(*texts));

	if (err)
		return err;
	*ret = calloc(n ?: 1, sizeof(**ret));
	if (!*ret)
		return &dc_out_of_memory;
	for (size_t i = 0; i < n; i++)
		read_text(process, texts[i], (*ret)[i], sizeof((*ret)[i]));
	return NULL;
}

static struct dc_error *read_list(struct process *process, const struct debugcall_descriptor *d,
				  struct goroutines *ret)
{
	struct walk walk;
	int64_t now = read_now(process, d);
	struct dc_error *err = walk_begin(&walk, process, d->all_g, d->g.size, d->g.next,
					  GOROUTINES_MAX);
	size_t room = 0;

	while (!err) {
		uint64_t addr;
		bool more;

		err = walk_step(&walk, &addr, &more);
		if (err || !more)
			break;
		if (half(walk.object, d->g.status) == d->status_dead)
			continue;
		if (ret->n == room) {
			struct goroutine *grown;

			room = room ? 2 * room : 64;
			grown = reallocarray(ret->goroutine, room, sizeof(*grown));
			if (!grown)
				return &dc_out_of_memory;
			ret->goroutine = grown;
		}
		ret->goroutine[ret->n++] = goroutine_of(process, d, addr, walk.object, now);
	}
	return err;
}

struct dc_error *goroutines_read(struct process *process, const struct debugcall_descriptor *d,
				 struct goroutines *ret)
{
	struct dc_error *err;

	*ret = (struct goroutines){ .nr_statuses = d->nr_statuses,
				    .nr_wait_reasons = d->nr_wait_reasons };
	err = read_texts(process, d->statuses, d->nr_statuses, &ret->statuses);
	if (!err)
		err = read_texts(process, d->wait_reasons, d->nr_wait_reasons, &ret->wait_reasons);
	if (!err)
		err = read_list(process, d, ret);
	if (err)
		goroutines_deinit(ret);
	return err;
}

void goroutines_deinit(struct goroutines *goroutines)
{
	free(goroutines->goroutine);
	free(goroutines->statuses);
	free(goroutines->wait_reasons);
	*goroutines = (struct goroutines){ 0 };
}
