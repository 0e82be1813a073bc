// SPDX-License-Identifier: MIT
// The pad in a Go program as it lies there: code that Go's own SIGTRAP handler calls through
// runtime.testSigtrap, then data that both sides know. The debugger writes a request and sends a
// signal; from there to the end the pad leads Go's debug call by itself.
#ifndef AGENT_GO_LAYOUT_H
#define AGENT_GO_LAYOUT_H

#define GO_PAD_CODE 0x2000 // bytes of code, r-x; the data begin behind them

#include <stddef.h>
#include <stdint.h>

enum {
	GO_PAD_MAGIC = 0x6f474344, // "DCGo": of our signals, above the request's number
	GO_PAD_VERSION = 2,
	GO_PAD_GENERAL = 9, // registers that Go passes integers in
	GO_PAD_FLOATS = 15,
	GO_PAD_STACK = 65536, // Go takes no larger frames
	GO_PAD_XSTATE = 16384,
	GO_PAD_TIMES = 8192,
	GO_PAD_LITERALS = 1 << 20, // bytes behind the data, for literals
	GO_PAD_REASON = 64,
	GO_PAD_FRAMES = 32,
	GO_PAD_FRAME = 0xa0, // of debugCallV2: bytes below the place that it was called at
	GO_PAD_ROOM = 1024, // bytes that a caller's stack must have free
};

// Whose turn it is.
enum go_turn {
	GO_FREE,
	GO_ASKED, // the debugger: a request is there, and nobody has begun it
	GO_TAKEN, // the pad: debugCallV2 is on its way
	GO_CALLING, // a callee runs
	GO_LEAVING, // no more callees; the caller is not back at its work yet
	GO_HOME, // it is; the outcome is there
};

enum go_outcome {
	GO_NOTHING,
	GO_RETURNED, // all calls, or those that began within the slice
	GO_PANICKED,
	GO_EXITED, // runtime.Goexit
	GO_UNDONE, // at a deadline
	GO_REFUSED, // by the runtime: reason says why
	GO_UNSAFE, // the thread was at no place where a goroutine may be preempted
	GO_BUSY, // the goroutine that was to be woken is at work
};

struct go_range {
	uint64_t start, end;
};
static inline int go_range_has(const struct go_range *range, uint64_t addr)
{
	return addr - range->start < range->end - range->start;
}

// Where this runtime has what the pad touches: addresses, and offsets in its structures.
struct go_places {
	uint64_t hook; // runtime.testSigtrap
	struct go_range entry; // debugCallV2
	uint64_t checked; // in it, behind the check
	struct go_range panicked, dispatch, wrap, park;
	uint64_t is_safe; // isAsyncSafePoint
	uint64_t lock, unlock, inject; // lock2, unlock2, injectglist
	uint64_t sweep, sweep_g,
		sweep_parked; // the sweeper's lock, goroutine, and whether it sleeps
	uint32_t g_panic, g_defer, g_status, g_async, g_link, g_sp, g_pc, g_bp;
	uint32_t g_locked; // set: it is bound to its thread, and no caller; 0: that is no obstacle
};

// Bytes that the program may keep pointers to.
struct go_literals {
	uint64_t start, size, used;
};

struct go_pad {
	uint64_t mask; // of the thread that wakes a goroutine, while it does
	uint32_t version;

	uint64_t code, data; // the funcval that the hook points to
	struct go_places places;

	// Each SIGTRAP of ours is counted before it is sent and when it has come: while one is on its
	// way the hook stays, for Go would die of it.
	uint32_t sent, received;
	struct go_literals literals; // the place for new ones

	// A request.
	uint32_t turn; // enum go_turn
	uint32_t serial, withdrawn, undo; // its number; that which nobody is to begin, or to go on
	uint64_t
		wanted; // the parked goroutine that is to begin it when it wakes; 0: the sweeper, at once
	uint64_t expires_ns; // of the clock that never goes back: later nobody is to begin it
	uint32_t takes_back; // who is led here does not ask for a call, but takes it back
	uint64_t fn, context, frame, stack_size;
	uint64_t n, slice_ns;
	uint64_t general[GO_PAD_GENERAL], floats[GO_PAD_FLOATS];

	// What became of it.
	uint32_t outcome; // enum go_outcome
	uint32_t is_parked; // the caller was: nothing of it was interrupted
	uint64_t done; // calls that returned
	uint64_t pushed; // where a parked goroutine has it on its stack
	uint64_t callee; // its goroutine, once a callee runs
	uint64_t type, value; // of a panic
	uint64_t began_ns, last_ns;
	uint64_t left_general[GO_PAD_GENERAL], left_floats[GO_PAD_FLOATS];
	uint32_t reason_size;
	char reason[GO_PAD_REASON];
	// Return addresses of a callee that panicked or was made to leave, the innermost first.
	uint32_t nr_frames;
	uint64_t frames[GO_PAD_FRAMES];
	uint64_t top; // of its stack: where a function without a frame returns to

	// The caller's, while a conversation goes on.
	uint64_t back; // where callees return to
	uint64_t registers[23];
	uint64_t xstate_size;
	uint32_t times[GO_PAD_TIMES]; // ns of each call
	unsigned char xstate[GO_PAD_XSTATE] __attribute__((aligned(64)));
	unsigned char stack[GO_PAD_STACK], left_stack[GO_PAD_STACK];
};
_Static_assert(offsetof(struct go_pad, mask) == 0, "for the assembler");

enum {
	GO_PAD_DATA = (sizeof(struct go_pad) + 4095) & ~4095,
	GO_PAD_SIZE = GO_PAD_CODE + GO_PAD_DATA + GO_PAD_LITERALS
};

// The number of a signal, in its value.
static inline uint64_t go_pad_number(uint32_t serial)
{
	return (uint64_t)GO_PAD_MAGIC << 32 | serial;
}

// The code's bytes, and places in them.
extern const unsigned char go_pad_start[] __attribute__((visibility("hidden")));
extern const unsigned char go_pad_hook[] __attribute__((visibility("hidden")));
extern const unsigned char go_pad_wake[] __attribute__((visibility("hidden")));
extern const unsigned char go_pad_end[] __attribute__((visibility("hidden")));

#endif
