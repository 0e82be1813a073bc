// SPDX-License-Identifier: MIT
// Unwinding snapshots of children that wait at known places: through libc, callbacks and signal
// frames, with and without a sane stack; and the depth of the stack as instructions show it.
#include "debugger/arch/x86_64/prologue.h"
#include "debugger/stack/unwind.h"
#include "debugger/target/memory.h"

#include <stdarg.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { STACK = 65536 };

struct child {
	pid_t pid;
	struct process *process;
	struct symbols *symbols;
	struct unwind *unwind;
	struct snapshot snapshot;
	struct unwound frames[UNWIND_MAX];
	size_t n;
	bool complete;
};

// A child that runs body until it sleeps in pause(); its snapshot is taken at a stop, and walked
// after.
static struct child *start(void (*body)(void))
{
	struct child *child = calloc(1, sizeof(*child));
	struct thread_info info;

	child->pid = fork();
	if (!child->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		body();
		_exit(1);
	}
	assert_null(process_open(child->pid, &child->process));
	do {
		assert_null(process_thread_info(child->process, child->pid, &info));
		assert_int_not_equal(info.state, 'Z');
	} while (!info.in_syscall || info.syscall != SYS_pause);
	assert_null(symbols_load(child->process, &child->symbols));
	assert_null(unwind_create(child->process, child->symbols, &child->unwind));
	assert_int_equal(ptrace(PTRACE_SEIZE, child->pid, 0, 0), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, child->pid, 0, 0), 0);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
	assert_int_equal(ptrace(PTRACE_GETREGS, child->pid, 0, &child->snapshot.regs), 0);
	child->snapshot.stack_start = child->snapshot.regs.rsp - RED_ZONE;
	child->snapshot.stack = malloc(STACK);
	child->snapshot.stack_size = memory_read_some(child->process, child->snapshot.stack_start,
						      child->snapshot.stack, STACK);
	assert_int_equal(ptrace(PTRACE_DETACH, child->pid, 0, 0), 0);
	return child;
}

static void walk(struct child *child)
{
	assert_null(unwind_walk(child->unwind, &child->snapshot, child->frames, UNWIND_MAX,
				&child->n, &child->complete));
}

static void end(struct child *child)
{
	unwind_destroy(child->unwind);
	symbols_destroy(child->symbols);
	process_close(child->process);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	free(child->snapshot.stack);
	free(child);
}

// The frame of the function whose code begins at start and is not longer than a page.
static size_t frame_of(const struct child *child, void *start, size_t from)
{
	for (size_t i = from; i < child->n; i++)
		if (child->frames[i].frame.pc - (uintptr_t)start < 512)
			return i;
	fail_msg("no frame of the function");
	return 0;
}

static __attribute__((noinline)) void sleeper(volatile int *depth)
{
	++*depth;
	pause();
	++*depth;
}

static __attribute__((noinline)) int descend(volatile int *depth, int n)
{
	if (n)
		return descend(depth, n - 1) + *depth;
	sleeper(depth);
	return *depth;
}

static void body_deep(void)
{
	volatile int depth = 0;

	descend(&depth, 20);
}

static void reaches_the_first_frame(void **state)
{
	struct child *child = start(body_deep);

	(void)state;
	walk(child);
	assert_true(child->complete);

	size_t i = frame_of(child, sleeper, 0), at = frame_of(child, descend, i);

	for (size_t n = 0; n < 21; n++)
		assert_int_equal(frame_of(child, descend, at + n), at + n);
	frame_of(child, body_deep, at);
	// A caller's stack pointer is the callee's frame address, and its return address lies
	// below.
	for (i = 0; i + 1 < child->n; i++) {
		uint64_t back;

		assert_int_equal(child->frames[i].frame.cfa, child->frames[i + 1].frame.regs[7]);
		assert_null(memory_read(child->process, child->frames[i].frame.cfa - 8, &back, 8));
		assert_int_equal(back, child->frames[i + 1].frame.regs[16]);
		assert_int_equal(back - 1, child->frames[i + 1].frame.pc);
	}
	assert_int_equal(child->frames[0].frame.valid, 0x1ffff);
	assert_int_equal(child->frames[1].frame.valid, 0x1f0c8);

	struct dc_frame *described = unwind_describe(child->unwind, &child->snapshot, &i);

	assert_int_equal(i, child->n);
	assert_string_equal(described[at].function, "descend");
	assert_string_equal(described[at].module, "unwind");
	free(described);
	end(child);
}

static int compare(const void *a, const void *b)
{
	volatile int depth = 0;

	sleeper(&depth);
	return *(const int *)a - *(const int *)b;
}

static void body_sort(void)
{
	int numbers[] = { 3, 1, 2 };

	qsort(numbers, 3, sizeof(int), compare);
}

static void goes_through_libc(void **state)
{
	struct child *child = start(body_sort);

	(void)state;
	walk(child);
	assert_true(child->complete);
	assert_true(frame_of(child, body_sort, 0) > frame_of(child, compare, 0) + 1);
	end(child);
}

static void on_signal(int signo)
{
	volatile int depth = signo;

	sleeper(&depth);
}

static __attribute__((noinline)) void faulting(volatile int *place)
{
	*place = 1;
}

static char alternate[65536];

static void body_signal(void)
{
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	faulting((int *)16); // a page that nothing is mapped at
}

// From a handler on its own stack to the very instruction that was interrupted.
static void marks_signal_frames(void **state)
{
	struct child *child = start(body_signal);
	size_t handler, fault;

	(void)state;
	walk(child);
	assert_true(child->complete);
	handler = frame_of(child, on_signal, 0);
	assert_true(child->frames[handler + 1].is_signal_frame);
	fault = frame_of(child, faulting, handler);
	assert_int_equal(fault, handler + 2);
	// All of its registers are known: the pointer is still in the argument's.
	assert_int_equal(child->frames[fault].frame.valid, 0x1ffff);
	assert_int_equal(child->frames[fault].frame.regs[5], 16);
	assert_int_equal(child->frames[fault].frame.pc, child->frames[fault].frame.regs[16]);
	for (size_t i = 0; i < child->n; i++)
		assert_int_equal(child->frames[i].is_signal_frame, i == handler + 1);
	end(child);
}

// Corrupt stacks: walks end, whatever they find.
static void survives_a_broken_stack(void **state)
{
	struct child *child = start(body_deep);
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		for (size_t i = RED_ZONE; i < child->snapshot.stack_size; i++) {
			seed = seed * 1103515245 + 12345;
			if (seed >> 16 & 1)
				child->snapshot.stack[i] = (unsigned char)(seed >> 20);
		}
		seed = seed * 1103515245 + 12345;
		if (round % 2)
			child->snapshot.regs.rip += seed >> 24;
		child->snapshot.regs.rbp ^= seed;
		walk(child);
		assert_true(child->n >= 1 && child->n <= UNWIND_MAX);
	}
	child->snapshot.stack_size = 0;
	walk(child);
	child->snapshot.regs.rip = 0x10;
	walk(child);
	assert_false(child->complete && child->n > 1);
	end(child);
}

// Its frame is as large as it turns out, and what it calls saves no RBP: nothing but that register
// tells where it ends.
static void body_variable(void)
{
	volatile int size = 100;
	volatile char *room = __builtin_alloca((size_t)size);

	room[0] = 1;
	pause();
	room[1] = 1;
}

// With the stack pointer and the place alone, as /proc tells them, the code proves what all
// registers give; where it cannot, the walk ends and says so.
static void proves_what_is_not_known(void **state)
{
	static void (*const bodies[])(void) = { body_deep, body_sort, body_signal, body_variable };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct child *child = start(bodies[i]);
		struct user_regs_struct *regs = &child->snapshot.regs;
		struct unwound all[UNWIND_MAX];
		size_t n;

		walk(child);
		assert_true(child->complete);
		n = child->n;
		memcpy(all, child->frames, sizeof(all));
		*regs = registers_known_from(regs->rip, regs->rsp, SYS_pause);
		child->snapshot.unknown = ~(uint32_t)REGISTERS_PLACE;
		walk(child);
		assert_int_equal(child->complete, bodies[i] != body_variable);
		assert_true(child->complete ? child->n == n : child->n < n);
		assert_int_equal(child->frames[0].frame.valid, REGISTERS_PLACE);
		for (size_t k = 0; k < child->n; k++) {
			const struct symbols_frame *frame = &child->frames[k].frame;

			assert_int_equal(frame->pc, all[k].frame.pc);
			assert_int_equal(frame->regs[REGISTER_RSP],
					 all[k].frame.regs[REGISTER_RSP]);
			for (int reg = 0; reg < REGISTERS_DWARF; reg++)
				if (frame->valid >> reg & 1)
					assert_int_equal(frame->regs[reg], all[k].frame.regs[reg]);
		}
		if (!child->complete) {
			assert_non_null(strstr(unwind_why_incomplete(child->unwind), "register"));
			assert_int_equal(frame_of(child, body_variable, 0), child->n - 1);
		}
		end(child);
	}
}

// What stands behind a call that never returns is reached by the jump over it, at another depth.
static void meets_jumps(void **state)
{
	static const unsigned char returns_not[] = {
		0x53, // 0: push %rbx
		0x85, 0xff, // 1: test %edi, %edi
		0x74, 0x06, // 3: je 11
		0x50, // 5: push %rax
		0xe8, 0,    0, 0, 0, // 6: call
		0x90, // 11: nop
	};
	static const unsigned char contradicts[] = {
		0x53, // 0: push %rbx
		0x85, 0xff, // 1: test %edi, %edi
		0x74, 0x02, // 3: je 7
		0x50, // 5: push %rax
		0x90, // 6: nop
		0x90, // 7: nop
		0x90, // 8: nop
	};
	struct prologue prologue;

	(void)state;
	assert_true(prologue_follow(returns_not, sizeof(returns_not), 0, 6, &prologue));
	assert_int_equal(prologue.offset, 24);
	// A return address belongs to the call before it; what is behind that, to the jump.
	assert_true(prologue_follow(returns_not, sizeof(returns_not), 0, 11, &prologue));
	assert_int_equal(prologue.offset, 24);
	assert_true(prologue_follow(returns_not, sizeof(returns_not), 0, 12, &prologue));
	assert_int_equal(prologue.offset, 16);
	assert_false(prologue_follow(contradicts, sizeof(contradicts), 0, 8, &prologue));
}

static void follows_prologues(void **state)
{
	static const unsigned char code[] = {
		0x41, 0x57, // 0: push %r15
		0x55, // 2: push %rbp
		0x48, 0x83, 0xec, 0x18, // 3: sub $24, %rsp
		0x85, 0xff, // 7: test %edi, %edi
		0x74, 0x08, // 9: je 19
		0x48, 0x83, 0xc4, 0x18, // 11: add $24, %rsp
		0x5d, // 15: pop %rbp
		0x41, 0x5f, // 16: pop %r15
		0xc3, // 18: ret
		0xe8, 0,    0,	  0,	0, // 19: call
		0x48, 0x8d, 0x6c, 0x24, 0x08, // 24: lea 8(%rsp), %rbp
		0x48, 0x83, 0xe4, 0xe0, // 29: and $-32, %rsp
		0x90, // 33
	};
	static const struct {
		unsigned pc;
		int64_t offset, rbp, r15;
		bool by_rbp;
	} places[] = {
		{ 0, 8, 0, 0, false },	  { 2, 16, 0, 16, false },   { 3, 24, 24, 16, false },
		{ 7, 48, 24, 16, false }, { 15, 24, 24, 16, false }, { 16, 16, 0, 16, false },
		{ 18, 8, 0, 0, false },	  { 24, 48, 24, 16, false }, { 33, 40, 24, 16, true },
	};
	struct prologue prologue;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		assert_true(prologue_follow(code, sizeof(code), 0x1000, 0x1000 + places[i].pc,
					    &prologue));
		assert_int_equal(prologue.offset, places[i].offset);
		assert_int_equal(prologue.saved[6], places[i].rbp);
		assert_int_equal(prologue.saved[15], places[i].r15);
		assert_int_equal(prologue.by_rbp, places[i].by_rbp);
	}
	// Not at an instruction, not in the code, not before it.
	assert_false(prologue_follow(code, sizeof(code), 0x1000, 0x1004, &prologue));
	assert_false(prologue_follow(code, sizeof(code), 0x1000, 0x1100, &prologue));
	assert_false(prologue_follow(code, sizeof(code), 0x1000, 0xfff, &prologue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reaches_the_first_frame),
		cmocka_unit_test(goes_through_libc),
		cmocka_unit_test(marks_signal_frames),
		cmocka_unit_test(survives_a_broken_stack),
		cmocka_unit_test(proves_what_is_not_known),
		cmocka_unit_test(meets_jumps),
		cmocka_unit_test(follows_prologues),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
