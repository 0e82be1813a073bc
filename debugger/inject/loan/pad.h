// SPDX-License-Identifier: MIT
// The landing pad inside one target: mapped by a held thread, named, and unmapped by one.
#ifndef DEBUGGER_INJECT_LOAN_PAD_H
#define DEBUGGER_INJECT_LOAN_PAD_H

#include "agent/pad/layout.h"
#include "debugger/target/maps.h"
#include "debugger/target/tracee.h"

// Bytes of a call stack, without its guard. Where memory is locked it is really there, all of it.
#define PAD_CALL_STACK	      (UINT64_C(8) << 20)
#define PAD_CALL_STACK_LOCKED (UINT64_C(256) << 10)

struct pad_mapping {
	uint64_t addr, size, used;
};

struct pad {
	uint64_t base; // of the code page; 0: nothing is mapped
	bool ready; // its own setup has run: data is writable for the target too
	bool may_name, may_loop; // what these need is not forbidden to the target
	bool is_named; // literals[0] has its name
	bool kept; // a thread may still return into it: stays mapped
	struct pad_mapping room; // for what a borrowing makes in the target
	struct pad_mapping stack; // and its guard: for callees that cannot run on their thread's
	struct pad_mapping *literals; // [0] lies behind the pad and came with it
	size_t nr_literals;
};
void pad_deinit(struct pad *pad);

static inline uint64_t pad_address(const struct pad *pad, const unsigned char *place)
{
	return pad->base + (uint64_t)(place - pad_start);
}
static inline bool pad_covers_code(const struct pad *pad, uint64_t addr)
{
	return pad->base && addr >= pad->base && addr < pad->base + PAD_DATA;
}
// Inside any mapping of ours.
bool pad_covers(const struct pad *pad, uint64_t addr);

// By the held thread, whose stack must have room for a way home. stack_size: of the call stack, if
// one is wanted. Nothing when it is mapped already.
struct dc_error *pad_map(struct pad *pad, struct tracee *tracee, uint64_t stack_size) DC_CHECK;
// What the pad's own setup is to make writable below it.
uint64_t pad_stack_below(const struct pad *pad);
// Bytes in a mapping that outlives the pad, 16-aligned.
struct dc_error *pad_literal(struct pad *pad, struct tracee *tracee, const void *bytes, size_t n,
			     uint64_t *addr) DC_CHECK;
// Writable bytes that are unmapped with the pad, which need not be there.
struct dc_error *pad_map_room(struct pad *pad, struct tracee *tracee) DC_CHECK;
struct dc_error *pad_take_room(struct pad *pad, uint64_t size, uint64_t align,
			       uint64_t *addr) DC_CHECK;
static inline void pad_clear_room(struct pad *pad)
{
	pad->room.used = 0;
}
// The pad, or room.
static inline bool pad_is_mapped(const struct pad *pad)
{
	return pad->base || pad->room.addr;
}
// The pad's own setup is to name literals[0], which stays.
bool pad_names_literals(struct pad *pad);
// Unmaps all but used literals, these too when drop_literals. The held thread's way home must be
// on its own stack.
struct dc_error *pad_unmap(struct pad *pad, struct tracee *tracee, bool drop_literals) DC_CHECK;
// When one system call does all of that: that call. pad_unmapped() says that it was made.
bool pad_unmap_at_once(const struct pad *pad, bool drop_literals, struct remote_syscall *ret);
void pad_unmapped(struct pad *pad, bool drop_literals);
uint64_t pad_literal_bytes(const struct pad *pad); // what stays mapped for literals

// Addresses of pads whose debugger died, from the target's mappings; malloc'd.
struct dc_error *pad_find_orphans(struct process *process, const struct maps *maps, uint64_t **ret,
				  size_t *n) DC_CHECK;

#endif
