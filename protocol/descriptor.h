// SPDX-License-Identifier: MIT
// What a program with a debug call host tells debuggers about itself: the exported structure
// debugcall_descriptor, and an ELF note that leads to it in a stripped program. Nothing is found by
// the name of an internal symbol.
#ifndef PROTOCOL_DESCRIPTOR_H
#define PROTOCOL_DESCRIPTOR_H

#include <stddef.h>
#include <stdint.h>

#define DEBUGCALL_MAGIC "debugcal" /* eight bytes, no NUL */

// A debugger refuses another major version, and reads of a newer minor one what it knows: the
// structure only grows, and size says how far. A host never reads anything of a debugger's but the
// protocol itself.
#define DEBUGCALL_MAJOR 1
#define DEBUGCALL_MINOR 2

// ELF note: owner and type, and as its content the distance in bytes from the content to the
// descriptor (int64_t, so that it needs no relocation).
#define DEBUGCALL_NOTE_OWNER "debugcall"
#define DEBUGCALL_NOTE_TYPE  1

enum debugcall_handshake {
	DEBUGCALL_HANDSHAKE_SIGNAL = 1, // the thread sends itself handshake_signal with tgkill
};

// Offsets are bytes from the start of the object; sizes follow from the types named.
struct debugcall_g {
	uint16_t size; // of struct g: no offset lies beyond
	uint16_t next; // pointer: the next goroutine ever made
	uint16_t id; // uint64_t
	uint16_t status; // uint32_t, index of statuses
	uint16_t flags; // uint8_t, DEBUGCALL_G_…
	uint16_t wait_reason; // uint16_t, index of wait_reasons
	uint16_t wait_since; // int64_t ns, the clock at now
	uint16_t m; // pointer: the M it runs on
	uint16_t locked_m; // pointer: the only M that may run it
	uint16_t stack_low, stack_high; // pointers
	uint16_t saved_sp; // pointer to the saved registers, while it does not run
	uint16_t creator_id; // uint64_t
	uint16_t creator_pc; // pointer
	uint16_t label; // pointer to text, or NULL
};

struct debugcall_m {
	uint16_t size;
	uint16_t next; // pointer: the next M ever made
	uint16_t id; // uint64_t
	uint16_t tid; // int32_t as the process sees it; 0: no thread
	uint16_t current; // pointer: the goroutine it runs
	uint16_t p; // pointer
	uint16_t in_runtime; // uint32_t: not in user code
	uint16_t call; // pointer: the innermost debug call under way, or NULL
};

// What a parked goroutine's saved_sp points at, and where its registers are there.
struct debugcall_saved {
	uint16_t size; // the frame's CFA is saved_sp + size
	uint16_t rbx, rbp, r12, r13, r14, r15, pc;
};

enum { DEBUGCALL_G_SYSTEM = 1 }; // of the runtime itself

struct debugcall_descriptor {
	char magic[8];
	uint32_t size; // of this structure
	uint16_t major, minor;

	uint32_t handshake; // enum debugcall_handshake
	int32_t handshake_signal;
	uint64_t handshake_start, handshake_end; // PCs behind the tgkill of every status

	uint64_t entry; // for a thread in user code of a goroutine
	// For a thread that sleeps without work, with PC in [idle_start, idle_end): the call runs
	// on a goroutine of its own, and the thread then sleeps on.
	uint64_t idle_entry;
	uint64_t idle_start, idle_end;
	// Since 1.1: for a thread at the idle place whose callee is parked. 0: none.
	uint64_t abandon_entry;
	uint64_t text_start, text_end; // of the runtime: no safe point

	uint64_t all_g, all_m; // addresses of the pointers that begin the lists
	uint64_t now; // address of an int64_t: the clock of wait_since, coarse
	// 0, or the address of a function that a debugger in the same process put here: handshakes
	// go to it, with the arguments of a signal handler, instead of counting as unheard.
	uint64_t client;
	uint64_t statuses, nr_statuses; // array of pointers to text
	uint64_t wait_reasons, nr_wait_reasons;

	uint32_t status_running, status_waiting, status_dead; // indices of statuses
	uint32_t reserved;
	struct debugcall_g g;
	struct debugcall_m m;
	struct debugcall_saved saved;

	// Since 1.1: address of a uint64_t. A parked goroutine whose id is written there waits,
	// once it wakes, for a moment at a PC in [attend_start, attend_end), where it is a caller
	// as in user code: enter it with RAX = -EINTR. 0: none.
	uint64_t wanted;
	uint64_t attend_start, attend_end;

	// Since 1.2: where an M has a uint32_t. Written there, in place of 0, while the M's thread is
	// stopped in the runtime (in_runtime), attend_asked has the goroutine that next enters the
	// runtime on it wait in the same way. 0: none.
	uint16_t m_attend;
	uint16_t reserved_m;
	uint32_t attend_asked;
};

// What the oldest minor version has; what is missing reads as 0.
enum { DEBUGCALL_DESCRIPTOR_OLDEST = offsetof(struct debugcall_descriptor, wanted) };

// The part that every version has: enough to refuse politely.
enum { DEBUGCALL_DESCRIPTOR_HEADER = offsetof(struct debugcall_descriptor, handshake) };

#endif
