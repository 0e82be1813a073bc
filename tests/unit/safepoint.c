// SPDX-License-Identifier: MIT
// Verdicts on children that wait at known places, and on one that does nothing but malloc and free.
#include "debugger/inject/safepoint/safepoint.h"
#include "debugger/inject/safepoint/unsafe_names.h"
#include "debugger/target/memory.h"

#include <stdarg.h>
#include <setjmp.h>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
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

struct child {
	pid_t pid;
	struct process *process;
	struct symbols *symbols;
	struct unwind *unwind;
	struct safepoints *safepoints;
	struct snapshot snapshot;
	unsigned char stack[RED_ZONE + SAFEPOINT_SCAN];
	int input; // our end of its stdin
};

// A child that runs body; syscall: where it is waited for, -1: it never sleeps.
static struct child *start(void (*body)(void), long syscall)
{
	struct child *child = calloc(1, sizeof(*child));
	struct thread_info info;
	int input[2];

	assert_int_equal(pipe(input), 0);
	child->input = input[1];
	child->pid = fork();
	if (!child->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(input[0], 0);
		body();
		_exit(1);
	}
	close(input[0]);
	assert_null(process_open(child->pid, &child->process));
	do {
		assert_null(process_thread_info(child->process, child->pid, &info));
		assert_int_not_equal(info.state, 'Z');
	} while (syscall >= 0 && (!info.in_syscall || info.syscall != syscall));
	assert_null(symbols_load(child->process, &child->symbols));
	assert_null(unwind_create(child->process, child->symbols, &child->unwind));
	assert_null(safepoints_create(child->process, child->symbols, &child->safepoints));
	return child;
}

static void take_snapshot(struct child *child)
{
	struct snapshot *snapshot = &child->snapshot;

	assert_int_equal(ptrace(PTRACE_SEIZE, child->pid, 0, 0), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, child->pid, 0, 0), 0);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
	assert_int_equal(ptrace(PTRACE_GETREGS, child->pid, 0, &snapshot->regs), 0);
	snapshot->stack_start = snapshot->regs.rsp - RED_ZONE;
	snapshot->stack = child->stack;
	snapshot->stack_size = memory_read_some(child->process, snapshot->stack_start, child->stack,
						sizeof(child->stack));
	assert_int_equal(ptrace(PTRACE_DETACH, child->pid, 0, 0), 0);
}

static struct verdict scan(struct child *child)
{
	struct verdict verdict;

	take_snapshot(child);
	safepoints_scan(child->safepoints, &child->snapshot, 0, 0, &verdict);
	return verdict;
}

static struct verdict confirm(struct child *child)
{
	struct verdict verdict;

	assert_null(
		safepoints_confirm(child->safepoints, child->unwind, &child->snapshot, &verdict));
	return verdict;
}

static struct verdict judge_asleep(struct child *child)
{
	struct thread_info info;
	struct verdict verdict;

	assert_null(process_thread_info(child->process, child->pid, &info));
	assert_null(safepoints_asleep(child->safepoints, child->unwind, &info, &verdict));
	return verdict;
}

static void end(struct child *child)
{
	safepoints_destroy(child->safepoints);
	unwind_destroy(child->unwind);
	symbols_destroy(child->symbols);
	process_close(child->process);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	close(child->input);
	free(child);
}

static __attribute__((noinline)) void sleeper(void)
{
	pause();
	__asm__ volatile("");
}

static void is_safe(void (*body)(void))
{
	struct child *child = start(body, SYS_pause);
	struct verdict verdict = scan(child);

	assert_true(verdict.safety == SAFETY_SAFE || verdict.safety == SAFETY_SUSPECT);
	verdict = confirm(child);
	if (verdict.safety != SAFETY_SAFE)
		fail_msg("%s", verdict.reason);
	end(child);
}

static void is_unsafe(void (*body)(void), const char *where)
{
	struct child *child = start(body, SYS_pause);
	struct verdict verdict = scan(child);

	if (verdict.safety != SAFETY_SUSPECT && verdict.safety != SAFETY_UNSAFE)
		fail_msg("%s: scan says %d %s", where, verdict.safety, verdict.reason);
	verdict = judge_asleep(child);
	if (verdict.safety == SAFETY_SAFE)
		fail_msg("%s: safe when asleep", where);
	verdict = confirm(child);
	assert_int_equal(verdict.safety, SAFETY_UNSAFE);
	if (!strstr(verdict.reason, where))
		fail_msg("\"%s\" does not say \"%s\"", verdict.reason, where);
	end(child);
}

static int compare(const void *a, const void *b)
{
	sleeper();
	return *(const int *)a - *(const int *)b;
}

static void body_sort(void)
{
	int numbers[] = { 3, 1, 2 };

	qsort(numbers, 3, sizeof(int), compare);
}

static int on_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)info, (void)size, (void)arg;
	sleeper();
	return 0;
}

static void body_modules(void)
{
	dl_iterate_phdr(on_module, NULL);
}

static void body_exit(void)
{
	atexit(sleeper);
	exit(0);
}

static void body_fork(void)
{
	pthread_atfork(sleeper, NULL, NULL);
	fork();
}

static void on_signal(int signo)
{
	(void)signo;
	sleeper();
}

static void body_signal(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
}

// A program's own allocator, by the name that its makers give it.
void *je_allocate(int waits);
__attribute__((noinline)) void *je_allocate(int waits)
{
	if (waits)
		sleeper();
	return NULL;
}

static void body_allocator(void)
{
	je_allocate(1);
	__asm__ volatile("");
}

static void waits_where_locks_are_held(void **state)
{
	(void)state;
	is_safe(sleeper);
	is_safe(body_sort);
	is_unsafe(body_modules, "iterate_phdr");
	is_unsafe(body_exit, "exit");
	is_unsafe(body_fork, "fork");
	is_unsafe(body_signal, "signal handler");
	is_unsafe(body_allocator, "je_allocate");
}

static void *left_behind;

static __attribute__((noinline)) void leave_address(void)
{
	void *volatile words[64];

	for (int i = 0; i < 64; i++)
		words[i] = left_behind;
	sleeper();
	(void)words[0];
}

static void body_stale(void)
{
	left_behind = (char *)(uintptr_t)je_allocate + 4;
	leave_address();
}

// What looks like a return address but belongs to no frame.
static void tells_stale_words_from_frames(void **state)
{
	struct child *child = start(body_stale, SYS_pause);

	(void)state;
	assert_int_equal(scan(child).safety, SAFETY_SUSPECT);
	assert_int_equal(confirm(child).safety, SAFETY_SAFE);
	end(child);
}

static void body_line(void)
{
	char line[16];

	(void)!fgets(line, sizeof(line), stdin);
}

static bool avoids_stdio(struct child *child, const char *name)
{
	struct function function;

	assert_null(symbols_lookup_function(child->symbols, NULL, name, &function));
	return safepoints_callee_avoids_stdio(child->safepoints, function.addr);
}

// What a callee reaches is read off its code, so these are compiled as they stand.
int twice(int n);
size_t measure(const char *text);
int through_pointer(int (*function)(int));

__attribute__((noinline)) int twice(int n)
{
	return n * 2;
}

__attribute__((noinline)) size_t measure(const char *text)
{
	return strlen(text) + (size_t)twice(3);
}

__attribute__((noinline)) int through_pointer(int (*function)(int))
{
	return function(1) + 1;
}

static void guards_stdio(void **state)
{
	// Binds strlen: what the linker has not looked up yet cannot be followed.
	assert_int_equal(measure("abc"), 9);

	struct child *child = start(body_line, SYS_read);

	(void)state;
	// What the test left on the stack may look like more than stdio until it is walked.
	assert_in_range(scan(child).safety, SAFETY_GUARDED, SAFETY_SUSPECT);
	assert_int_equal(confirm(child).safety, SAFETY_GUARDED);
	// Without the frame pointer the walk may end before what the fork left on the stack.
	assert_in_range(judge_asleep(child).safety, SAFETY_GUARDED, SAFETY_SUSPECT);
#ifndef __SANITIZE_ADDRESS__ // whose checks may print a report anywhere
	assert_true(avoids_stdio(child, "strlen"));
	assert_true(avoids_stdio(child, "malloc_trim"));
	assert_true(avoids_stdio(child, "twice"));
	assert_true(avoids_stdio(child, "measure"));
#endif
	assert_false(avoids_stdio(child, "puts"));
	assert_false(avoids_stdio(child, "body_line"));
	assert_false(avoids_stdio(child, "through_pointer"));
	end(child);
}

static void body_churn(void)
{
	void *blocks[64] = { NULL };

	for (unsigned i = 0;; i++) {
		unsigned n = i * 7919 % 64;

		free(blocks[n]);
		blocks[n] = malloc(i * 31 % 5000);
	}
}

// The child's own text and the stubs in it are all that is not allocator.
static void finds_the_allocator(void **state)
{
	struct child *child = start(body_churn, -1);
	struct maps maps;
	unsigned unsafe = 0;

	(void)state;
	assert_null(maps_read(child->process, &maps));

	const struct mapping *own = maps_find(&maps, (uintptr_t)body_churn);

	assert_non_null(own);
	assert_int_equal(judge_asleep(child).safety, SAFETY_SUSPECT);
	for (int i = 0; i < 400; i++) {
		struct verdict first = scan(child), second = confirm(child);
		uint64_t pc = child->snapshot.regs.rip;
		bool in_own = pc >= own->start && pc < own->end;

		// A scan that finds nothing must be right, since nothing else is asked then.
		if (first.safety == SAFETY_SAFE || second.safety == SAFETY_SAFE)
			assert_true(in_own);
		unsafe += second.safety == SAFETY_UNSAFE;
	}
	assert_true(unsafe > 0);
	maps_deinit(&maps);
	end(child);
}

static void keeps_out_of_sequences(void **state)
{
	struct child *child = start(sleeper, SYS_pause);
	uint64_t pc;
	struct verdict verdict;

	(void)state;
	take_snapshot(child);
	pc = child->snapshot.regs.rip;
	safepoints_scan(child->safepoints, &child->snapshot, pc - 8, pc + 1, &verdict);
	assert_int_equal(verdict.safety, SAFETY_UNSAFE);
	safepoints_scan(child->safepoints, &child->snapshot, pc - 8, pc, &verdict);
	assert_int_not_equal(verdict.safety, SAFETY_UNSAFE);

	child->snapshot.regs.cs = 0x23;
	safepoints_scan(child->safepoints, &child->snapshot, 0, 0, &verdict);
	assert_int_equal(verdict.safety, SAFETY_UNSAFE);
	child->snapshot.regs.cs = 0x33;
	child->snapshot.stack_size = 0;
	safepoints_scan(child->safepoints, &child->snapshot, 0, 0, &verdict);
	assert_int_equal(verdict.safety, SAFETY_UNSAFE);
	end(child);
}

static void knows_names(void **state)
{
	static const struct {
		const char *name;
		unsigned bits;
	} cases[] = {
		{ "malloc", NAME_ALLOCATOR | NAME_ALLOCATOR_EXPORT },
		{ "__GI___libc_malloc", NAME_ALLOCATOR | NAME_ALLOCATOR_EXPORT },
		{ "_int_free", NAME_ALLOCATOR },
		{ "sysmalloc.part.0", NAME_ALLOCATOR },
		{ "_Znwm", NAME_ALLOCATOR },
		{ "_ZdlPvm", NAME_ALLOCATOR },
		{ "je_arena_ralloc", NAME_ALLOCATOR },
		{ "__printf_chk", NAME_STDIO },
		{ "fopen64", NAME_STDIO },
		{ "_IO_file_underflow", NAME_STDIO },
		{ "__run_exit_handlers", NAME_LIBC },
		{ "_nss_files_getpwnam_r", NAME_LIBC },
		{ "tzset", NAME_LIBC | NAME_JUMPS },
		{ "main", 0 },
		{ "mallocs", 0 },
		{ "read", 0 },
		{ "_ZN3foo6mallocEv", 0 },
		{ "", 0 },
		{ "____", 0 },
	};
	struct unsafe_names *names = malloc(sizeof(*names));

	(void)state;
	unsafe_names_init(names);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (unsafe_names_match(names, cases[i].name) != cases[i].bits)
			fail_msg("%s: %u", cases[i].name, unsafe_names_match(names, cases[i].name));
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_where_locks_are_held),
		cmocka_unit_test(tells_stale_words_from_frames),
		cmocka_unit_test(guards_stdio),
		cmocka_unit_test(finds_the_allocator),
		cmocka_unit_test(keeps_out_of_sequences),
		cmocka_unit_test(knows_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
