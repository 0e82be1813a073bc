// SPDX-License-Identifier: MIT
// longjmp() out of a callee, to a place on the stack of a thread of the program's: the agent's thread
// would run the program's code there, beside the thread whose stack it is. These stand before libc's
// where the agent is preloaded or linked; everywhere but on a callee's stack they are libc's.
#include "agent/library/contain.h"
#include "agent/library/worker.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdlib.h>

typedef void jump(struct __jmp_buf_tag[1], int);

#define EXPORTED __attribute__((visibility("default"), noreturn)) void
EXPORTED longjmp(struct __jmp_buf_tag env[1], int value);
EXPORTED _longjmp(struct __jmp_buf_tag env[1], int value);
EXPORTED siglongjmp(struct __jmp_buf_tag env[1], int value);
EXPORTED __longjmp_chk(struct __jmp_buf_tag env[1], int value);

static const char *const names[] = { "longjmp", "_longjmp", "siglongjmp", "__longjmp_chk" };
enum { JUMPS = sizeof(names) / sizeof(*names) };
static jump *next[JUMPS]; // libc's

// To look them up takes locks, which a signal handler that jumps must not.
__attribute__((constructor)) static void find(void)
{
	for (int i = 0; i < JUMPS; i++)
		next[i] = (jump *)dlsym(RTLD_NEXT, names[i]);
}

// As libc's setjmp() for x86-64 has mangled it.
static uintptr_t stack_of(const struct __jmp_buf_tag *env)
{
	enum { SP = 6, ROTATED = 17 };
	uintptr_t word = (uintptr_t)env->__jmpbuf[SP];
	uintptr_t guard;

	__asm__("mov %%fs:0x30, %0" : "=r"(guard));
	return (word >> ROTATED | word << (64 - ROTATED)) ^ guard;
}

static bool leaves(const struct worker *worker, const struct __jmp_buf_tag *env)
{
	uintptr_t to = stack_of(env);

	uintptr_t low = worker && !worker->guest ? worker->stack_low : 0;

	return worker && worker->calling && worker->entry.frame &&
	       (to < low || to > worker->entry.frame);
}

__attribute__((noreturn)) static void go(int which, struct __jmp_buf_tag *env, int value)
{
	struct worker *worker = worker_on((uintptr_t)__builtin_frame_address(0));

	if (worker && !worker_in_child() && leaves(worker, env)) {
		contain_unblock();
		worker_escape(worker, MAILBOX_LEFT);
	}
	// Before our constructor.
	if (!next[which])
		find();
	if (next[which])
		next[which](env, value);
	abort();
}

void longjmp(struct __jmp_buf_tag env[1], int value)
{
	go(0, env, value);
}

void _longjmp(struct __jmp_buf_tag env[1], int value)
{
	go(1, env, value);
}

void siglongjmp(struct __jmp_buf_tag env[1], int value)
{
	go(2, env, value);
}

void __longjmp_chk(struct __jmp_buf_tag env[1], int value)
{
	go(3, env, value);
}
