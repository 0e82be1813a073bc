// SPDX-License-Identifier: MIT
// A chain, run by a real thread: the callee is entered with its arguments, its result is found, and
// the thread goes home by itself whether anybody waits for it or not; a fork's child ends.
#include "debugger/arch/x86_64/chain.h"
#include "debugger/arch/x86_64/registers.h"
#include "debugger/target/gadgets.h"
#include "debugger/target/memory.h"
#include "debugger/target/registers.h"

#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

// What the target and its tester share.
struct shared {
	volatile uint64_t rounds, wrong, calls, forked;
	volatile int child_status;
};
static struct shared *shared;

struct big {
	long word[20];
};

static int subtract(int a, int b)
{
	shared->calls++;
	return a - b;
}

static double scale(double a, float b, int n)
{
	shared->calls++;
	return a * (double)b + n;
}

static struct big fill(long first)
{
	struct big big;

	for (int i = 0; i < 20; i++)
		big.word[i] = first + i;
	shared->calls++;
	return big;
}

static int fork_here(void)
{
	pid_t child = fork();

	shared->calls++;
	if (child > 0) {
		int status;

		waitpid(child, &status, 0);
		shared->child_status = status;
		shared->forked++;
	}
	return child != 0;
}

// Registers that no call may change are loaded, kept for a while and compared.
static void turn(void)
{
	uint64_t wrong = 0;
	uint64_t ymm[4] = { 11, 12, 13, 14 }, got[4] = { 0 };

	__asm__ volatile("mov $0x1111, %%rbx; mov $0x2222, %%r12; mov $0x3333, %%r13\n\t"
			 "mov $0x4444, %%r9; movdqu %1, %%xmm9; movq $0x5555, -64(%%rsp)\n\t"
			 "mov $2000, %%ecx\n"
			 "1: pause; dec %%ecx; jnz 1b\n\t"
			 "movdqu %%xmm9, %2\n\t"
			 "cmp $0x1111, %%rbx; setne %b0; mov %0, %%rax\n\t"
			 "cmp $0x2222, %%r12; setne %b0; or %0, %%rax\n\t"
			 "cmp $0x3333, %%r13; setne %b0; or %0, %%rax\n\t"
			 "cmp $0x4444, %%r9; setne %b0; or %0, %%rax\n\t"
			 "cmpq $0x5555, -64(%%rsp); setne %b0; or %%rax, %0"
			 : "+&r"(wrong), "+m"(ymm), "+m"(got)
			 :
			 : "rax", "rbx", "rcx", "r9", "r12", "r13", "xmm9", "cc", "memory");
	if (wrong || got[0] != 11 || got[1] != 12)
		shared->wrong++;
	shared->rounds++;
}

struct target {
	pid_t pid;
	struct process *process;
	struct gadgets gadgets;
	struct user_regs_struct regs;
	unsigned char *xstate;
	size_t xstate_size;
	uint64_t mask;
	struct chain *chain;
};

static void begin(struct target *target)
{
	struct maps maps;

	memset(target, 0, sizeof(*target));
	memset(shared, 0, sizeof(*shared));
	target->pid = fork();
	if (!target->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			turn();
	}
	target->xstate = malloc(XSTATE_ROOM);
	target->chain = calloc(1, sizeof(*target->chain));
	assert_null(process_open(target->pid, &target->process));
	assert_null(maps_read(target->process, &maps));
	assert_null(gadgets_find(target->process, &maps, &target->gadgets));
	maps_deinit(&maps);
}

static void end(struct target *target)
{
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, __WALL);
	process_close(target->process);
	free(target->xstate);
	free(target->chain);
}

static void stop(struct target *target)
{
	int status;

	while (!shared->rounds)
		;
	assert_int_equal(0, ptrace(PTRACE_SEIZE, target->pid, NULL, NULL));
	assert_int_equal(0, ptrace(PTRACE_INTERRUPT, target->pid, NULL, NULL));
	assert_int_equal(target->pid, waitpid(target->pid, &status, __WALL));
	assert_int_equal(PTRACE_EVENT_STOP, status >> 16);
	assert_null(registers_get(target->pid, &target->regs));
	assert_null(registers_get_xstate(target->pid, target->xstate, &target->xstate_size));
	assert_null(registers_get_mask(target->pid, &target->mask));
}

static void commit_request(struct target *target, struct chain_request *request)
{
	const uint64_t faults = 1 << (SIGSEGV - 1) | 1 << (SIGBUS - 1) | 1 << (SIGFPE - 1) |
				1 << (SIGILL - 1) | 1 << (SIGTRAP - 1) | 1 << (SIGSYS - 1);
	struct chain *chain = target->chain;

	request->gadgets = &target->gadgets;
	request->home = &target->regs;
	request->xstate = target->xstate;
	request->xstate_size = target->xstate_size;
	request->mask = target->mask;
	request->top = registers_sp(&target->regs) - RED_ZONE;
	request->callee_mask = ~(faults | UINT64_C(1) << (SIGURG - 1));
	request->pid = request->tid = target->pid;
	request->signo = SIGURG;
	assert_null(chain_obstacle(&target->gadgets, request->entry));

	struct dc_error *err = chain_build(request, chain);

	if (err)
		fail_msg("%s", err->message);
	assert_true(chain->start + chain->size <= request->top);
	assert_int_equal(8, chain->callee_sp % 16);
	assert_null(memory_write(target->process, chain->start, chain->bytes, chain->size));
	assert_null(registers_set(target->pid, &chain->entry));
}

static void commit(struct target *target, const void *callee, const struct abi_entry *entry)
{
	commit_request(target, &(struct chain_request){ .callee = (uint64_t)(uintptr_t)callee,
							.entry = entry });
}

static void await_handshake(struct target *target)
{
	struct user_regs_struct regs;
	int status;

	assert_int_equal(0, ptrace(PTRACE_CONT, target->pid, NULL, NULL));
	assert_int_equal(target->pid, waitpid(target->pid, &status, __WALL));
	assert_true(WIFSTOPPED(status));
	assert_int_equal(SIGURG, WSTOPSIG(status));
	assert_null(registers_get(target->pid, &regs));
	assert_int_equal(target->chain->handshake_pc, regs.rip);
	assert_int_equal(target->chain->handshake_sp, regs.rsp);
}

static void let_go(struct target *target)
{
	assert_int_equal(0, ptrace(PTRACE_DETACH, target->pid, NULL, NULL));
}

// The thread has made whole turns since, and found all registers as they were.
static void runs_on(struct target *target)
{
	uint64_t rounds = shared->rounds;

	while (shared->rounds < rounds + 3) {
		assert_int_equal(0, waitpid(target->pid, NULL, WNOHANG | __WALL));
		usleep(100);
	}
	assert_int_equal(0, shared->wrong);
}

static void integers_arrive_and_return(void **state)
{
	struct target target;
	int result;

	(void)state;
	begin(&target);
	for (int i = 0; i < 200; i++) {
		struct abi_entry entry = { .general = { 1000 + (uint64_t)i, 7 } };

		stop(&target);
		commit(&target, subtract, &entry);
		await_handshake(&target);
		assert_null(
			memory_read(target.process, target.chain->rax, &result, sizeof(result)));
		assert_int_equal(993 + i, result);
		let_go(&target);
		runs_on(&target);
	}
	assert_int_equal(200, shared->calls);
	end(&target);
}

static void floats_arrive_and_return(void **state)
{
	struct abi_entry entry = {
		.general = { 5 }, .vector_width = 16, .al = 2, .leaves_vector = true
	};
	const double a = 2.5;
	const float b = 4.0f;
	struct target target;
	double result;

	(void)state;
	memcpy(entry.vector[0], &a, sizeof(a));
	memcpy(entry.vector[1], &b, sizeof(b));
	begin(&target);
	if (!target.gadgets.chain.xmm0.addr) {
		end(&target);
		skip();
	}
	stop(&target);
	commit(&target, scale, &entry);
	await_handshake(&target);
	assert_null(memory_read(target.process, target.chain->xmm0, &result, sizeof(result)));
	assert_true(result == 15.0);
	let_go(&target);
	runs_on(&target);
	end(&target);
}

static void results_in_memory_are_found(void **state)
{
	struct abi_entry entry = { .general = { 0, 40 },
				   .result_size = sizeof(struct big),
				   .result_align = 16 };
	struct target target;
	struct big result;

	(void)state;
	begin(&target);
	stop(&target);
	commit(&target, fill, &entry);
	await_handshake(&target);
	assert_null(memory_read(target.process, target.chain->memory, &result, sizeof(result)));
	for (int i = 0; i < 20; i++)
		assert_int_equal(40 + i, result.word[i]);
	let_go(&target);
	runs_on(&target);
	end(&target);
}

// Without a callee, general registers are all that differs while it runs.
static void system_calls_are_made(void **state)
{
	struct abi_entry entry = { .general = { 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
						(uint64_t)-1, 0 } };
	struct target target;
	uint64_t result;
	char byte;

	(void)state;
	begin(&target);
	for (int i = 0; i < 100; i++) {
		stop(&target);
		commit_request(&target, &(struct chain_request){ .nr = SYS_mmap, .entry = &entry });
		if (i % 2) {
			await_handshake(&target);
			assert_null(memory_read(target.process, target.chain->rax, &result,
						sizeof(result)));
			assert_null(memory_read(target.process, result + 4095, &byte, 1));
		}
		let_go(&target);
		runs_on(&target);
	}
	end(&target);
}

// Promise 1: nobody is there when the callee returns.
static void it_goes_home_alone(void **state)
{
	struct abi_entry entry = { .general = { 3, 2 } };
	struct target target;

	(void)state;
	begin(&target);
	for (uint64_t i = 1; i <= 200; i++) {
		stop(&target);
		commit(&target, subtract, &entry);
		let_go(&target);
		while (shared->calls < i)
			assert_int_equal(0, waitpid(target.pid, NULL, WNOHANG | __WALL));
		runs_on(&target);
	}
	end(&target);
}

static void a_forks_child_exits(void **state)
{
	struct abi_entry entry = { 0 };
	struct target target;
	int result;

	(void)state;
	begin(&target);
	stop(&target);
	commit(&target, fork_here, &entry);
	await_handshake(&target);
	assert_null(memory_read(target.process, target.chain->rax, &result, sizeof(result)));
	assert_int_equal(1, result);
	let_go(&target);
	runs_on(&target);
	assert_int_equal(1, shared->forked);
	assert_true(WIFEXITED(shared->child_status));
	assert_int_equal(0, WEXITSTATUS(shared->child_status));
	end(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_arrive_and_return),
		cmocka_unit_test(floats_arrive_and_return),
		cmocka_unit_test(results_in_memory_are_found),
		cmocka_unit_test(system_calls_are_made),
		cmocka_unit_test(it_goes_home_alone),
		cmocka_unit_test(a_forks_child_exits),
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
