// SPDX-License-Identifier: MIT
// libc's notes, found in the control block by what must be true of them: their offsets differ from
// version to version, and a stripped libc does not tell.
#include "debugger/target/thread_stack.h"

#include "debugger/target/memory.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// glibc's struct pthread has 2,304 bytes, musl's 200.
enum { BLOCK = 4096, BLOCK_WORDS = BLOCK / sizeof(uint64_t), HEAD_WORDS = 4 };

enum libc { LIBC_UNKNOWN, LIBC_GLIBC, LIBC_MUSL };

// By the control block's first words. Both begin with their own address; where glibc has it once
// more, musl has the list of threads, which is only itself in the one thread of a process, both ways.
static enum libc which_libc(const uint64_t words[HEAD_WORDS], uint64_t thread_pointer)
{
	if (!thread_pointer || words[0] != thread_pointer)
		return LIBC_UNKNOWN;
	return words[2] == thread_pointer && words[3] != thread_pointer ? LIBC_GLIBC : LIBC_MUSL;
}

int thread_setid_signal(struct process *process, uint64_t thread_pointer)
{
	enum { GLIBC_SETXID = 33, MUSL_SYNCCALL = 34 };
	uint64_t words[HEAD_WORDS];

	if (memory_read_some(process, thread_pointer, words, sizeof(words)) != sizeof(words))
		return 0;
	switch (which_libc(words, thread_pointer)) {
	case LIBC_GLIBC: return GLIBC_SETXID;
	case LIBC_MUSL: return MUSL_SYNCCALL;
	default: return 0;
	}
}

uint64_t thread_stack_pointer(struct process *process, pid_t tid)
{
	uint64_t words[BLOCK_WORDS], head = 0;
	size_t length, size;

	// set_robust_list(2): both libcs keep the list's head in the control block, which begins
	// with its own address.
	if (syscall(SYS_get_robust_list, tid, &head, &length) || !head || head % sizeof(head))
		return 0;

	uint64_t start = head > BLOCK ? head - BLOCK : 0;

	size = memory_read_some(process, start, words, sizeof(words));
	if (size < sizeof(words)) {
		// What lies below the block may be unmapped: its page is not.
		start = head & ~(uint64_t)(BLOCK - 1);
		size = memory_read_some(process, start, words, head - start);
	}
	for (size_t i = size / sizeof(*words); i-- > 0;) {
		if (words[i] == start + i * sizeof(*words))
			return words[i];
	}
	return 0;
}

// Memory that may be a stack: written to, and in one piece.
static bool is_memory(const struct maps *maps, uint64_t low, uint64_t high)
{
	const struct mapping *mapping = low < high ? maps_find(maps, low) : NULL;

	while (mapping && mapping->end < high) {
		const struct mapping *next = mapping + 1;

		mapping = next < maps->map + maps->n && next->start == mapping->end &&
					  next->writable
				  ? next
				  : NULL;
	}
	return mapping && mapping->writable;
}

// nptl/descr.h: stackblock, stackblock_size, guardsize, one after the other. The control block lies
// at the stack's upper end.
static bool find_glibc(const struct maps *maps, const uint64_t *words, uint64_t thread_pointer,
		       struct thread_stack *ret)
{
	enum { SIZE_MIN = 16384 }; // PTHREAD_STACK_MIN
	uint64_t low = words[0], size = words[1], guard = words[2];

	if (!low || size < SIZE_MIN || guard >= size || low + size < low || low >= thread_pointer ||
	    thread_pointer >= low + size || low + size - thread_pointer > 2 * BLOCK ||
	    !is_memory(maps, low + guard, thread_pointer))
		return false;
	*ret = (struct thread_stack){ low + guard, thread_pointer, thread_pointer };
	return true;
}

// musl's pthread_impl.h: stack (its upper end), stack_size, guard_size. The thread's own storage
// lies between the stack and the control block.
static bool find_musl(const struct maps *maps, const uint64_t *words, uint64_t thread_pointer,
		      struct thread_stack *ret)
{
	enum { SIZE_MIN = 2048, STORAGE_MAX = 1 << 20 };
	uint64_t high = words[0], size = words[1];

	if (size < SIZE_MIN || size >= high || high > thread_pointer ||
	    thread_pointer - high > STORAGE_MAX || !is_memory(maps, high - size, high))
		return false;
	*ret = (struct thread_stack){ high - size, high, thread_pointer };
	return true;
}

struct thread_stack thread_stack_read(struct process *process, const struct maps *maps,
				      uint64_t thread_pointer)
{
	uint64_t words[BLOCK_WORDS];
	struct thread_stack found = { 0 };
	size_t n = memory_read_some(process, thread_pointer, words, sizeof(words)) / sizeof(*words);

	if (n < HEAD_WORDS || words[0] != thread_pointer)
		return found;
	bool is_glibc = which_libc(words, thread_pointer) == LIBC_GLIBC;

	for (size_t i = 1; i + 2 < n && !found.high; i++) {
		if (is_glibc)
			find_glibc(maps, words + i, thread_pointer, &found);
		else
			find_musl(maps, words + i, thread_pointer, &found);
	}
	return found;
}

// The first thread's: the kernel makes it grow, and keeps a gap to what lies below.
static struct thread_stack find_first(const struct maps *maps, const struct mapping *mapping,
				      uint64_t stack_limit)
{
	enum { GROWTH_GAP = 1 << 20, GROWTH_MAX = 64 << 20 };
	uint64_t limit = stack_limit < GROWTH_MAX ? stack_limit : GROWTH_MAX;
	uint64_t low = mapping->end > limit ? mapping->end - limit : 0;

	if (mapping > maps->map && mapping[-1].end + GROWTH_GAP > low)
		low = mapping[-1].end + GROWTH_GAP;
	return (struct thread_stack){ low < mapping->start ? low : mapping->start, mapping->end,
				      0 };
}

struct thread_stack thread_stack_at(struct process *process, const struct maps *maps,
				    const struct thread_stack *noted, uint64_t thread_pointer,
				    uint64_t sp, uint64_t stack_limit)
{
	const struct mapping *mapping = maps_find(maps, sp - 1);
	struct thread_stack stack = *noted;

	if (mapping && !strcmp(mapping->path, "[stack]"))
		return find_first(maps, mapping, stack_limit);
	if (!stack.high || stack.thread_pointer != thread_pointer)
		stack = thread_stack_read(process, maps, thread_pointer);
	return stack.low < sp && sp <= stack.high ? stack : (struct thread_stack){ 0 };
}
