// SPDX-License-Identifier: MIT
// Mapping the pad with as few system calls as possible: one mapping, whose data part the pad's own
// setup makes writable and not executable. From below: guard and call stack, if one is needed, code,
// data, literals.
#include "debugger/inject/loan/pad.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA	     0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

enum { PAGE = 4096 };

void pad_deinit(struct pad *pad)
{
	free(pad->literals);
	*pad = (struct pad){ 0 };
}

static bool within(const struct pad_mapping *mapping, uint64_t addr)
{
	return addr - mapping->addr < mapping->size;
}

bool pad_covers(const struct pad *pad, uint64_t addr)
{
	if (pad->base && addr - pad->base < PAD_SIZE)
		return true;
	for (size_t i = 0; i < pad->nr_literals; i++)
		if (within(&pad->literals[i], addr))
			return true;
	return within(&pad->stack, addr) || within(&pad->room, addr);
}

static struct dc_error *protect(struct tracee *tracee, uint64_t addr, uint64_t size, int protection)
{
	int64_t result;

	return tracee_ask(
		tracee, "change the protection of its memory",
		(struct remote_syscall){ SYS_mprotect, { addr, size, (uint64_t)protection } },
		&result);
}

static struct dc_error *unmap(struct tracee *tracee, uint64_t addr, uint64_t size)
{
	int64_t result;

	return tracee_ask(tracee, "unmap the landing pad",
			  (struct remote_syscall){ SYS_munmap, { addr, size } }, &result);
}

// A name is a comfort: kernels without them still have everything else.
static struct dc_error *name_literals(struct pad *pad, struct tracee *tracee,
				      const struct pad_mapping *mapping)
{
	int64_t result;
	struct remote_syscall request = {
		SYS_prctl,
		{ PR_SET_VMA, PR_SET_VMA_ANON_NAME, mapping->addr, mapping->size,
		  pad_address(pad, (const unsigned char *)pad_name_literals) }
	};

	return pad->may_name ? tracee_syscall(tracee, &request, &result) : NULL;
}

bool pad_names_literals(struct pad *pad)
{
	pad->is_named |= pad->may_name && pad->literals[0].used;
	return pad->is_named;
}

static struct dc_error *add_literals(struct pad *pad, uint64_t addr, uint64_t size)
{
	struct pad_mapping *grown = realloc(pad->literals,
					    (pad->nr_literals + 1) * sizeof(*pad->literals));

	if (!grown)
		return &dc_out_of_memory;
	pad->literals = grown;
	grown[pad->nr_literals++] = (struct pad_mapping){ addr, size, 0 };
	return NULL;
}

static struct dc_error *map_stack(struct pad *pad, struct tracee *tracee, uint64_t size)
{
	uint64_t addr;
	struct dc_error *err = tracee_map(tracee, size + PAGE, PROT_READ | PROT_WRITE, &addr);

	if (!err)
		err = protect(tracee, addr, PAGE, PROT_NONE);
	if (!err)
		pad->stack = (struct pad_mapping){ addr, size + PAGE, 0 };
	return err;
}

struct dc_error *pad_map(struct pad *pad, struct tracee *tracee, uint64_t stack_size)
{
	uint64_t below = stack_size ? stack_size + PAGE : 0, addr;
	struct dc_error *err;

	if (pad->base)
		return stack_size && !pad->stack.addr ? map_stack(pad, tracee, stack_size) : NULL;
	err = tracee_map(tracee, below + PAD_SIZE + PAD_LITERALS_FIRST, PROT_READ | PROT_EXEC,
			 &addr);
	if (!err)
		err = add_literals(pad, addr + below + PAD_SIZE, PAD_LITERALS_FIRST);
	if (err)
		return err;
	pad->base = addr + below;
	if (below)
		pad->stack = (struct pad_mapping){ addr, below, 0 };
	return memory_write(tracee->process, pad->base, pad_start, (size_t)(pad_end - pad_start));
}

// The stack came with the pad, right below it.
static bool is_one_mapping(const struct pad *pad)
{
	return pad->stack.addr && pad->stack.addr + pad->stack.size == pad->base;
}

uint64_t pad_stack_below(const struct pad *pad)
{
	return is_one_mapping(pad) ? pad->stack.size - PAGE : 0;
}

struct dc_error *pad_literal(struct pad *pad, struct tracee *tracee, const void *bytes, size_t n,
			     uint64_t *addr)
{
	enum { ALIGN = 16 };
	struct dc_error *err = pad_map(pad, tracee, 0);

	if (err)
		return err;

	struct pad_mapping *last = &pad->literals[pad->nr_literals - 1];
	// A byte between two literals, so that reading one past its end shows nothing of the next.
	uint64_t size = (n + 1 + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);

	if (size > last->size - last->used) {
		uint64_t room = size > PAD_LITERALS_FIRST
					? (size + PAGE - 1) & ~(uint64_t)(PAGE - 1)
					: PAD_LITERALS_FIRST;
		uint64_t start;

		err = tracee_map(tracee, room, PROT_READ | PROT_WRITE, &start);
		if (!err)
			err = add_literals(pad, start, room);
		if (err)
			return err;
		last = &pad->literals[pad->nr_literals - 1];
		err = name_literals(pad, tracee, last);
		if (err)
			return err;
	}
	err = memory_write(tracee->process, last->addr + last->used, bytes, n);
	if (err)
		return err;
	*addr = last->addr + last->used;
	last->used += size;
	return NULL;
}

struct dc_error *pad_map_room(struct pad *pad, struct tracee *tracee)
{
	enum { ROOM = 1 << 20 };

	pad->room.size = ROOM;
	return tracee_map(tracee, ROOM, PROT_READ | PROT_WRITE, &pad->room.addr);
}

struct dc_error *pad_take_room(struct pad *pad, uint64_t size, uint64_t align, uint64_t *addr)
{
	enum { ALIGN_MIN = 16 };
	uint64_t end = pad->room.addr + pad->room.size, start;

	if (align < ALIGN_MIN)
		align = ALIGN_MIN;
	start = (pad->room.addr + pad->room.used + align - 1) & ~(align - 1);
	if (start > end || size > end - start)
		return error_make(DC_REFUSED,
				  "%" PRIu64 " bytes are too many for an object by value", size);
	pad->room.used = start + (size ?: 1) - pad->room.addr;
	*addr = start;
	return NULL;
}

// Without the literals, unless nobody has a use for them.
static struct remote_syscall unmap_call(const struct pad *pad, bool drop_literals)
{
	const struct pad_mapping *first = &pad->literals[0];
	bool drop_first = drop_literals || !first->used;
	uint64_t below = is_one_mapping(pad) ? pad->stack.size : 0;

	return (struct remote_syscall){
		SYS_munmap, { pad->base - below, below + PAD_SIZE + (drop_first ? first->size : 0) }
	};
}

static bool lacks_name(const struct pad *pad)
{
	return pad->literals[0].used && pad->may_name && !pad->is_named;
}

struct dc_error *pad_unmap(struct pad *pad, struct tracee *tracee, bool drop_literals)
{
	struct remote_syscall last;
	struct dc_error *err = NULL;
	int64_t result;

	if (pad->room.addr && !pad->kept) {
		err = unmap(tracee, pad->room.addr, pad->room.size);
		if (err)
			return err;
		pad->room = (struct pad_mapping){ 0 };
	}
	if (!pad->base || pad->kept)
		return NULL;

	struct pad_mapping *first = &pad->literals[0];
	bool stays = first->used && !drop_literals;

	// When no call ran, the setup did not either.
	if (stays && !pad->ready)
		err = protect(tracee, first->addr, first->size, PROT_READ | PROT_WRITE);
	if (!err && stays && lacks_name(pad))
		err = name_literals(pad, tracee, first);
	for (size_t i = 1; !err && i < pad->nr_literals && drop_literals; i++)
		err = unmap(tracee, pad->literals[i].addr, pad->literals[i].size);
	if (!err && pad->stack.addr && !is_one_mapping(pad))
		err = unmap(tracee, pad->stack.addr, pad->stack.size);
	last = unmap_call(pad, drop_literals);
	if (!err)
		err = tracee_ask(tracee, "unmap the landing pad", last, &result);
	if (!err)
		pad_unmapped(pad, drop_literals);
	return err;
}

bool pad_unmap_at_once(const struct pad *pad, bool drop_literals, struct remote_syscall *ret)
{
	if (!pad->ready || pad->kept || pad->room.addr ||
	    (pad->stack.addr && !is_one_mapping(pad)) ||
	    (drop_literals ? pad->nr_literals != 1 : lacks_name(pad)))
		return false;
	*ret = unmap_call(pad, drop_literals);
	return true;
}

void pad_unmapped(struct pad *pad, bool drop_literals)
{
	if (drop_literals)
		pad->nr_literals = 0;
	pad->base = 0;
	pad->ready = false;
	pad->stack = (struct pad_mapping){ 0 };
}

uint64_t pad_literal_bytes(const struct pad *pad)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < pad->nr_literals; i++)
		if (pad->literals[i].used)
			bytes += pad->literals[i].size;
	return bytes;
}

// Where the pad is in a mapping that its debugger left, 0 if there is none; by its first bytes, for
// not every kernel keeps names. Left before it had any bytes, it is known by its size.
static uint64_t orphan_in(struct process *process, const struct mapping *mapping)
{
	enum { SIGNATURE = 18 };
	static const uint64_t stacks[] = { 0, PAD_CALL_STACK + PAGE, PAD_CALL_STACK_LOCKED + PAGE };
	static const unsigned char nothing[SIGNATURE];
	uint64_t size = mapping->end - mapping->start;

	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
		unsigned char start[SIGNATURE];
		uint64_t base = mapping->start + stacks[i];
		// Neighbours are one mapping to the kernel.
		bool has_size = size % (stacks[i] + PAD_SIZE + PAD_LITERALS_FIRST) == 0;

		if (size > stacks[i] &&
		    memory_read_some(process, base, start, sizeof(start)) == sizeof(start) &&
		    (!memcmp(start, pad_start, sizeof(start)) ||
		     (has_size && !memcmp(start, nothing, sizeof(start)))))
			return base;
	}
	return 0;
}

struct dc_error *pad_find_orphans(struct process *process, const struct maps *maps, uint64_t **ret,
				  size_t *n)
{
	_cleanup_free_ uint64_t *found = calloc(maps->n + 1, sizeof(*found));

	if (!found)
		return &dc_out_of_memory;
	*n = 0;
	for (size_t i = 0; i < maps->n; i++) {
		const struct mapping *mapping = &maps->map[i];
		uint64_t base;

		if (mapping->inode || !mapping->executable || mapping->path[0] == '/' ||
		    !strcmp(mapping->path, "[vsyscall]"))
			continue;
		base = orphan_in(process, mapping);
		if (base)
			found[(*n)++] = base;
	}
	*ret = take_ptr(found);
	return NULL;
}
