// SPDX-License-Identifier: MIT
// Filters judged by us against the kernel: a child installs each random filter, makes system calls
// under it, and its errno must be what seccomp_run() said.
#include "debugger/target/seccomp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { FILTERS = 300, CALLS = 40, LENGTH_MAX = 24 };

static uint32_t any(void)
{
	static const uint32_t edges[] = { 0, 1, 2, 3, 0x7f, 0xffff, 0x80000000, 0xffffffff };

	return random() % 2 ? edges[random() % 8] : (uint32_t)random();
}

// One instruction the kernel's checker accepts, whatever comes before it.
static struct sock_filter instruction(int left)
{
	static const uint16_t arithmetic[] = {
		BPF_ADD, BPF_SUB, BPF_MUL, BPF_OR, BPF_AND, BPF_XOR
	};
	static const uint16_t tests[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	uint16_t source = random() % 2 ? BPF_X : BPF_K;

	switch (random() % 10) {
	case 0:
	case 1:
		// Anything but the instruction pointer, which is the child's own.
		return (struct sock_filter)BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS,
			random() % 8 ? 16 + 4 * (uint32_t)(random() % 12) : 4);
	case 2: return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, any());
	case 3: return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_IMM, any());
	case 4:
		return (struct sock_filter)BPF_STMT(BPF_ALU | arithmetic[random() % 6] | source,
						    any());
	case 5:
		// Shifts and divisions by constants that the checker lets pass.
		return (struct sock_filter)BPF_STMT(BPF_ALU | (random() % 2 ? BPF_DIV : BPF_RSH) |
							    BPF_K,
						    1 + (uint32_t)(random() % 31));
	case 6: return (struct sock_filter)BPF_STMT(BPF_ALU | BPF_NEG, 0);
	case 7:
		return (struct sock_filter)BPF_STMT(BPF_MISC | (random() % 2 ? BPF_TAX : BPF_TXA),
						    0);
	case 8: return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0);
	default:
		return (struct sock_filter)BPF_JUMP(BPF_JMP | tests[random() % 4] | source, any(),
						    (uint8_t)(random() % (left + 1)),
						    (uint8_t)(random() % (left + 1)));
	}
}

// All that is not under test passes; what is gets an errno that depends on a computation.
static size_t make_filter(struct sock_filter *code)
{
	size_t n = 0, body = 3 + (size_t)random() % (LENGTH_MAX - 12);

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_ST, 3);
	for (size_t i = 0; i < body; i++)
		code[n++] = instruction((int)(body - i - 1));
	code[n++] = (struct sock_filter)BPF_STMT(BPF_STX, 5);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_MEM, 5);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	return n;
}

static void make_calls(uint64_t args[CALLS][6])
{
	for (int i = 0; i < CALLS; i++)
		for (int j = 0; j < 6; j++)
			args[i][j] = (uint64_t)any() << 32 | any();
}

static void child(const struct sock_filter *code, size_t n, uint64_t args[CALLS][6], int fd)
{
	struct sock_fprog program = { (unsigned short)n, (struct sock_filter *)(uintptr_t)code };
	int seen[CALLS];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(1);
	for (int i = 0; i < CALLS; i++)
		seen[i] = syscall(SYS_getrandom, args[i][0], args[i][1], args[i][2], args[i][3],
				  args[i][4], args[i][5]) < 0
				  ? errno
				  : 0;
	_exit(write(fd, seen, sizeof(seen)) != sizeof(seen));
}

static void agrees_with_the_kernel(void **state)
{
	(void)state;
	srandom(7);
	for (int round = 0; round < FILTERS; round++) {
		struct sock_filter code[LENGTH_MAX + 8];
		uint64_t args[CALLS][6];
		int fds[2], seen[CALLS], status;
		size_t n = make_filter(code);

		make_calls(args);
		assert_int_equal(pipe(fds), 0);

		pid_t pid = fork();

		if (!pid)
			child(code, n, args, fds[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(read(fds[0], seen, sizeof(seen)), sizeof(seen));
		close(fds[0]);
		close(fds[1]);
		for (int i = 0; i < CALLS; i++) {
			struct seccomp_data data = { .nr = SYS_getrandom,
						     .arch = AUDIT_ARCH_X86_64 };

			memcpy(data.args, args[i], sizeof(data.args));
			uint32_t verdict = seccomp_run(code, n, &data);

			assert_int_equal(verdict & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
			// The kernel knows no larger errno.
			int expected = (int)(verdict & 0xffff) > 4095 ? 4095
								      : (int)(verdict & 0xffff);

			assert_int_equal(seen[i], expected);
		}
	}
}

static void takes_the_strictest(void **state)
{
	static struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	static struct sock_filter trap[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP) };
	static struct sock_filter kill[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS) };
	struct seccomp_program programs[] = { { allow, 1 }, { kill, 1 }, { trap, 1 } };
	struct seccomp seccomp = { programs, 3 };
	struct seccomp_data data = { 0 };

	(void)state;
	assert_int_equal(seccomp_decide(&seccomp, &data), SECCOMP_RET_KILL_PROCESS);
	seccomp.n = 1;
	assert_int_equal(seccomp_decide(&seccomp, &data), SECCOMP_RET_ALLOW);
	programs[1] = programs[2];
	seccomp.n = 2;
	assert_int_equal(seccomp_decide(&seccomp, &data), SECCOMP_RET_TRAP);
}

static void refuses_what_the_kernel_never_runs(void **state)
{
	static const struct sock_filter bad[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_ST, BPF_MEMWORDS),
		BPF_STMT(BPF_LD | BPF_W | BPF_MEM, BPF_MEMWORDS),
		BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff),
	};
	struct seccomp_data data = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(seccomp_run(&bad[i], 1, &data), SECCOMP_RET_KILL_PROCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_kernel),
		cmocka_unit_test(takes_the_strictest),
		cmocka_unit_test(refuses_what_the_kernel_never_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
