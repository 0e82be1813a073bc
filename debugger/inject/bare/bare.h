// SPDX-License-Identifier: MIT
// The bare host: the target brings nothing, and a borrowed thread calls through the landing pad.
#ifndef DEBUGGER_INJECT_BARE_BARE_H
#define DEBUGGER_INJECT_BARE_BARE_H

#include "agent/pad/layout.h"
#include "debugger/arch/x86_64/chain.h"
#include "debugger/inject/host.h"
#include "debugger/inject/outcome.h"
#include "debugger/inject/thrown.h"
#include "debugger/target/kernel_breakpoint.h"

// One moment by both clocks: what a tick is follows from two of them.
struct bare_moment {
	uint64_t ticks;
	int64_t time;
};

// What the pad says of its calls: from pad_data.returned on.
struct bare_progress {
	uint64_t returned, rax, rdx, loops, begun, started, ended;
};
_Static_assert(offsetof(struct bare_progress, ended) == PAD_ENDED - PAD_RETURNED, "pad_data");

struct bare {
	struct loan *loan;
	struct tracee *tracee; // the loan's
	struct pad *pad; // the loan's
	struct unwind *unwind; // NULL: reports carry no frames
	struct symbols *symbols;
	struct throwing throwing;
	struct kernel_breakpoint
		ends[2]; // std::terminate and what it calls, of the thread that is held

	bool may_chain; // the target has what a callee in a chain needs
	unsigned chain_pop_rbx; // which of its gadgets the callee returns to

	// Of the call under way: what the rest of the host needs to know of how it was entered.
	uint64_t callee_stack; // its first stack pointer; right below lies where it returns to
	uint64_t returns_to;
	uint64_t handshake_pc;
	struct frame_limit ours; // the code that it returns to
	bool is_chain; // by the chain, not by the pad
	bool on_pad_stack;

	// Of the slice under way, when the pad makes it.
	struct bare_moment before; // long before; ticks 0: there is no such clock
	struct bare_progress seen; // the last that was seen of it
	bool is_noted; // it was, at the handshake
	uint64_t answered; // calls that it had made at its last handshake

	// Where the runtime would end the program for it.
	bool was_unwound; // once in this call
	struct dc_error *thrown; // by an exception that left the callee; NULL: none did

	struct crash_rules crash;
	int64_t begun, deadline; // 0: none
	int64_t slice_end;
	int64_t stood; // since when it stands at a stop of whoever follows the thread; 0: it does not
	struct dc_error *failure; // what became of it; NULL: it returned
};
extern const struct host bare_host;

#endif
