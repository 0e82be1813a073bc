// SPDX-License-Identifier: MIT
// Breakpoints that the kernel owns: met exactly, counted, moved, and gone with their owner.
#include "debugger/target/kernel_breakpoint.h"
#include "debugger/target/registers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cmocka.h>

struct shared {
	volatile uint64_t rounds;
	volatile uint64_t watched;
};
static struct shared *shared;

static __attribute__((noinline)) void first(void)
{
	shared->rounds++;
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void second(void)
{
	shared->watched++;
	__asm__ volatile("" ::: "memory");
}

static pid_t begin(void)
{
	memset((void *)shared, 0, sizeof(*shared));

	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			first();
			second();
		}
	}
	while (!shared->rounds)
		;
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

static struct kernel_breakpoint arm(pid_t pid, enum kernel_breakpoint_kind kind, const void *addr)
{
	struct kernel_breakpoint breakpoint;
	struct dc_error *err = kernel_breakpoint_arm(&breakpoint, pid, kind,
						     (uint64_t)(uintptr_t)addr, 8, SIGURG);

	if (err && err->code == DC_REFUSED) {
		print_message("%s\n", err->message);
		dc_error_destroy(err);
		end(pid);
		skip();
	}
	assert_null(err);
	return breakpoint;
}

// Runs on until the notice stops it, and returns where.
static uint64_t next_stop(pid_t pid)
{
	struct user_regs_struct regs;
	int status;

	assert_int_equal(pid, waitpid(pid, &status, __WALL));
	assert_true(WIFSTOPPED(status));
	assert_int_equal(SIGURG, WSTOPSIG(status));
	assert_null(registers_get(pid, &regs));
	return regs.rip;
}

static void resume(pid_t pid)
{
	assert_int_equal(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
}

static void it_is_met_exactly_and_moves(void **state)
{
	pid_t pid = begin();
	struct kernel_breakpoint breakpoint;

	(void)state;
	assert_int_equal(0, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	breakpoint = arm(pid, BREAKPOINT_EXECUTE, first);
	for (int i = 0; i < 50; i++) {
		assert_int_equal((uint64_t)(uintptr_t)first, next_stop(pid));
		assert_int_equal(1, kernel_breakpoint_hits(&breakpoint));
		resume(pid);
	}
	assert_int_equal((uint64_t)(uintptr_t)first, next_stop(pid));
	assert_null(kernel_breakpoint_move(&breakpoint, (uint64_t)(uintptr_t)second));
	kernel_breakpoint_hits(&breakpoint);
	resume(pid);
	for (int i = 0; i < 50; i++) {
		assert_int_equal((uint64_t)(uintptr_t)second, next_stop(pid));
		assert_int_equal(1, kernel_breakpoint_hits(&breakpoint));
		resume(pid);
	}
	next_stop(pid);
	kernel_breakpoint_disarm(&breakpoint);
	assert_int_equal(0, ptrace(PTRACE_DETACH, pid, NULL, NULL));
	for (uint64_t rounds = shared->rounds; shared->rounds < rounds + 1000;)
		assert_int_equal(0, waitpid(pid, NULL, WNOHANG | __WALL));
	end(pid);
}

static void it_sees_a_write(void **state)
{
	pid_t pid = begin();
	struct kernel_breakpoint breakpoint;

	(void)state;
	assert_int_equal(0, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	breakpoint = arm(pid, BREAKPOINT_WRITE, (const void *)&shared->watched);
	for (int i = 0; i < 50; i++) {
		uint64_t pc = next_stop(pid) - (uint64_t)(uintptr_t)second;

		assert_true(pc > 0 && pc < 64);
		resume(pid);
	}
	kernel_breakpoint_disarm(&breakpoint);
	end(pid);
}

// Promise 1: the debugger is killed while the breakpoint is hit without end.
static void it_leaves_with_its_owner(void **state)
{
	pid_t pid = begin();

	(void)state;
	for (int i = 0; i < 40; i++) {
		pid_t debugger = fork();
		int status;

		if (!debugger) {
			struct kernel_breakpoint breakpoint;

			if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) ||
			    kernel_breakpoint_arm(&breakpoint, pid, BREAKPOINT_EXECUTE,
						  (uint64_t)(uintptr_t)first, 0, SIGURG))
				_exit(77);
			for (int n = 0;; n++) {
				waitpid(pid, &status, __WALL);
				if (n == 20 + i)
					raise(SIGKILL);
				ptrace(PTRACE_CONT, pid, NULL, NULL);
			}
		}
		waitpid(debugger, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
			end(pid);
			skip();
		}
		for (uint64_t rounds = shared->rounds; shared->rounds < rounds + 1000;)
			assert_int_equal(0, waitpid(pid, NULL, WNOHANG));
	}
	end(pid);
}

static void the_notice_is_what_the_thread_ignores(void **state)
{
	struct thread_info info = { 0 };

	(void)state;
	assert_int_equal(SIGURG, kernel_breakpoint_notice(&info));
	info.sig_caught = UINT64_C(1) << (SIGURG - 1);
	assert_int_equal(SIGWINCH, kernel_breakpoint_notice(&info));
	info.sig_blocked = UINT64_C(1) << (SIGWINCH - 1);
	assert_int_equal(SIGCHLD, kernel_breakpoint_notice(&info));
	info.sig_blocked = ~UINT64_C(0);
	assert_int_equal(0, kernel_breakpoint_notice(&info));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_met_exactly_and_moves),
		cmocka_unit_test(it_sees_a_write),
		cmocka_unit_test(it_leaves_with_its_owner),
		cmocka_unit_test(the_notice_is_what_the_thread_ignores),
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
