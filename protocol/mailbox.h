// SPDX-License-Identifier: MIT
// The mailbox: memory that a client and a host share, through which calls go without a stop. One
// header, then slots; a client has one slot, and with it one thread of the host.
// Either side may be hostile: what the other has written is copied, then judged, then used.
#ifndef PROTOCOL_MAILBOX_H
#define PROTOCOL_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#define MAILBOX_NAME	    "debugcall-agent" // of the memfd, and of the thread that sleeps by it
#define MAILBOX_WORKER_NAME "debugcall-call" // of those on which callees run

enum {
	MAILBOX_MAGIC = 0x6c6c4344, // "DCll"
	MAILBOX_VERSION = 1,
	MAILBOX_SLOTS = 16,
	MAILBOX_HEADER_SIZE = 4096,
	MAILBOX_SLOT_SIZE = 256 * 1024,
	MAILBOX_CALLS = 64, // records of one request
	MAILBOX_DATA = 64 * 1024, // stack arguments, results in memory, literals, memory
	MAILBOX_TIMES = 8192, // calls of one request whose times are kept
	MAILBOX_STACK = 48 * 1024, // copied of the callee's
	MAILBOX_GENERAL = 6,
	MAILBOX_VECTORS = 8,
	MAILBOX_VECTOR_BYTES = 64,
	MAILBOX_REGISTERS = 18,
	MAILBOX_POLLERS = 64,
};

// Whose turn it is: the futex word of a slot.
#define MAILBOX_TURNS(X)                                                   \
	X(FREE) /* nobody has asked anything; the host waits */            \
	X(ASKED) /* the client: a request is there */                      \
	X(RUNNING) /* the host has copied it */                            \
	X(HELD) /* the host: the callee was stopped, shall it be undone */ \
	X(JUDGED) /* the client: verdict is there */                       \
	X(ANSWERED) /* the host: the answer is there */
enum mailbox_turn {
#define MAILBOX_TURN(name) MAILBOX_##name,
	MAILBOX_TURNS(MAILBOX_TURN)
#undef MAILBOX_TURN
};

enum mailbox_request {
	MAILBOX_CALL = 1, // the records, in their order, until one does not return
	MAILBOX_LITERAL, // size bytes of data get a place where they stay
	MAILBOX_READ, // size bytes at addr, into data
	MAILBOX_WRITE,
	MAILBOX_DROP, // what was put at addr as a literal of that size is not needed any more
};

// What became of a request, or of a record.
enum mailbox_outcome {
	MAILBOX_NOTHING, // it was not begun
	MAILBOX_RETURNED,
	MAILBOX_CRASHED, // by a signal; undone
	MAILBOX_UNDONE, // as the verdict was, or between two calls
	MAILBOX_EXITING, // the callee ends the process: value is the status
	MAILBOX_THREAD_ENDED,
	MAILBOX_LEFT, // by longjmp, to a place that is not the callee's; undone
	MAILBOX_REFUSED, // by the host: it makes no sense, or it is about to end
	MAILBOX_FAILED, // errno in value
	MAILBOX_THREW, // by an exception, which the unwinder knows by rax, and which is the client's to end
};

enum mailbox_verdict { MAILBOX_RESUME = 1, MAILBOX_UNDO };

enum mailbox_state {
	MAILBOX_CLOSED, // not ready yet, or the process ends
	MAILBOX_OPEN,
	MAILBOX_ASLEEP, // for good: it was told to
};

struct mailbox_header {
	uint32_t magic, version;
	uint32_t slots, slot_size;
	int32_t pid, tid; // of the host, as it sees itself
	uint32_t state; // enum mailbox_state
	uint32_t bell; // futex: counts what the host's attendant is to look at
	uint32_t told_to_sleep; // by a client, for good
	int32_t pollers[MAILBOX_POLLERS]; // threads that come by for calls, as they see themselves
};

// One callee, as it is to be entered and as it left. Both sides keep a copy of their own.
struct mailbox_call {
	uint64_t addr;
	uint64_t general[MAILBOX_GENERAL]; // rdi rsi rdx rcx r8 r9
	uint32_t al;
	uint32_t vector_width; // 0, 16, 32 or 64
	uint32_t leaves_x87;
	uint32_t stack_align; // 0: 16
	uint32_t stack, stack_size; // in data
	uint32_t result, result_size; // in data; its address is then the first argument
	uint32_t result_align;
	uint32_t repeat; // times
	uint64_t pass; // bit signo-1: faults that the program's handler sees first

	uint32_t outcome; // enum mailbox_outcome
	uint32_t done; // of repeat
	uint64_t rax, rdx;
	unsigned char st[2][16];
	unsigned char left[2][MAILBOX_VECTOR_BYTES];
	unsigned char vector[MAILBOX_VECTORS][MAILBOX_VECTOR_BYTES];
};

// Where a callee crashed, or stood when it was asked about.
struct mailbox_scene {
	int32_t signo, code;
	uint64_t addr;
	// As in the kernel's ucontext: r8..r15 rdi rsi rbp rbx rdx rax rcx rsp rip eflags
	uint64_t registers[MAILBOX_REGISTERS];
	uint64_t limit_start, limit_end; // the host's code that calls: no frame of the callee's
	uint64_t stack_start;
	uint32_t stack_size;
};

struct mailbox_slot {
	uint32_t turn; // futex
	uint32_t host_sleeps, client_sleeps; // wake the other only if it does

	// The client's.
	uint32_t wanted; // it is here: a thread is to serve the slot
	uint32_t cancel; // counted up: the callee is to be asked about
	uint32_t verdict;
	uint32_t request; // enum mailbox_request
	uint32_t nr_calls;
	uint32_t size;
	uint64_t address; // READ, WRITE; LITERAL: where they are
	int32_t thread; // that is to make the calls, when it next polls; 0: the host's own
	int64_t thread_until_ns; // how long it is waited for
	int64_t deadline_ns; // CLOCK_MONOTONIC, after which a client that is gone wants nothing

	// The host's.
	uint32_t serving; // futex: a thread is there
	int32_t tid; // of it, as the host sees it
	uint32_t outcome, value; // of the request
	uint32_t current; // record that is under way

	struct mailbox_scene scene;
	uint32_t times[MAILBOX_TIMES]; // ns of each call, at most; in the order of the calls
	struct mailbox_call calls[MAILBOX_CALLS];
	unsigned char data[MAILBOX_DATA] __attribute__((aligned(64)));
	unsigned char stack[MAILBOX_STACK];
};

enum { MAILBOX_SIZE = MAILBOX_HEADER_SIZE + MAILBOX_SLOTS * MAILBOX_SLOT_SIZE };
_Static_assert(sizeof(struct mailbox_header) <= MAILBOX_HEADER_SIZE, "header");
_Static_assert(sizeof(struct mailbox_slot) <= MAILBOX_SLOT_SIZE, "slot");

static inline struct mailbox_slot *mailbox_slot(struct mailbox_header *header, unsigned n)
{
	return (struct mailbox_slot *)((char *)header + MAILBOX_HEADER_SIZE +
				       (uint64_t)n * MAILBOX_SLOT_SIZE);
}

// Is that a mailbox that we can use? NULL, or why not.
const char *mailbox_unfit(const struct mailbox_header *header, uint64_t file_size);
// Does a record that somebody else wrote stay within its bounds? NULL, or why not.
const char *mailbox_call_unfit(const struct mailbox_call *call);

#endif
