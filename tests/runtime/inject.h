// SPDX-License-Identifier: MIT
// A debugger inside the process: a signal handler steps the same client machine as the real one,
// and needs no ptrace, so that sanitizers see both sides. Calls may lie inside calls, and go on on
// several threads at once.
#ifndef TESTS_RUNTIME_INJECT_H
#define TESTS_RUNTIME_INJECT_H

#include "protocol/conversation.h"
#include "protocol/descriptor.h"
#include "runtime/gort.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

extern struct debugcall_descriptor debugcall_descriptor;

static int count, failures;

UNUSED __attribute__((format(printf, 3, 4))) static void report(bool good, const char *name,
								const char *format, ...)
{
	va_list args;

	count++;
	failures += !good;
	printf("%s %d - %s", good ? "ok" : "not ok", count, name);
	if (!good) {
		va_start(args, format);
		printf(": ");
		vprintf(format, args);
		va_end(args);
	}
	printf("\n");
	fflush(stdout);
}

// ---- one injection ------------------------------------------------------------------------------

enum { FRAME_WORDS = 512 };

enum where {
	IN_USER_CODE,
	AT_IDLE, // a thread that sleeps without work
	ANYWHERE,
};

enum done {
	UNDER_WAY,
	DONE,
	NOT_THERE, // the thread was at no such place
};

struct injection {
	// What is asked for.
	uintptr_t callee;
	uint64_t general[6];
	double vector[2];
	uint64_t size; // of the argument frame
	uint64_t stack[FRAME_WORDS];
	size_t stack_words;
	bool take_frame; // read the frame back at the return
	enum where where;
	void (*at_status)(struct injection *); // in the handler
	// What became of it.
	struct client_conversation client;
	uint64_t rax, rdx;
	double xmm0;
	uint64_t frame[FRAME_WORDS];
	char text[256];
	bool exited;
	int tid, wrong_threads;
	int handshakes;
	uint32_t done; // enum done
	struct injection *outer;
};

static __thread struct injection *innermost;
static uint32_t turn; // each handler takes over what was written before, on whichever goroutine
static struct injection *standing; // what a SIGUSR1 without an injection of its own asks for

static void skip(ucontext_t *uc, uint64_t word)
{
	uc->uc_mcontext.gregs[REG_RSP] -= 8;
	*(uint64_t *)uc->uc_mcontext.gregs[REG_RSP] = word;
}

static void finish(struct injection *injection, enum done done)
{
	__atomic_store_n(&injection->done, done, __ATOMIC_RELEASE);
}

static void act(struct injection *injection, ucontext_t *uc, enum client_action action)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	uint64_t *sp = (uint64_t *)regs[REG_RSP];

	switch (action) {
	case CLIENT_DO_CALL:
		memcpy(sp, injection->stack, injection->stack_words * 8);
		regs[REG_RDI] = (greg_t)injection->general[0];
		regs[REG_RSI] = (greg_t)injection->general[1];
		regs[REG_RDX] = (greg_t)injection->general[2];
		regs[REG_RCX] = (greg_t)injection->general[3];
		regs[REG_R8] = (greg_t)injection->general[4];
		regs[REG_R9] = (greg_t)injection->general[5];
		regs[REG_RAX] = 2;
		for (int i = 0; i < 2; i++)
			memcpy(&uc->uc_mcontext.fpregs->_xmm[i], &injection->vector[i], 8);
		memcpy(&uc->uc_sigmask, (void *)regs[REG_R13], 8);
		skip(uc, (uint64_t)regs[REG_RIP]);
		regs[REG_RIP] = (greg_t)injection->callee;
		regs[REG_R15] = 1;
		break;
	case CLIENT_DO_TAKE_RESULT:
		injection->rax = (uint64_t)regs[REG_R13];
		injection->rdx = (uint64_t)regs[REG_R14];
		memcpy(&injection->xmm0, &uc->uc_mcontext.fpregs->_xmm[0], 8);
		if (injection->take_frame)
			memcpy(injection->frame, sp, sizeof(injection->frame));
		break;
	case CLIENT_DO_TAKE_PANIC:
		injection->exited = !sp[0];
		if (sp[0])
			memcpy(injection->text, (void *)sp[0], sizeof(injection->text));
		break;
	case CLIENT_DO_TAKE_REASON:
		memcpy(injection->text, (void *)sp[0], sp[1]);
		injection->text[sp[1]] = '\0';
		break;
	case CLIENT_DO_FINISH: innermost = injection->outer; break;
	case CLIENT_DO_DECLINE: break;
	default: abort();
	}
}

// The runtime hands a handshake to the client as it would be handed to a signal handler.
static void on_handshake(int signo, siginfo_t *info, void *context)
{
	struct injection *injection = innermost;
	ucontext_t *uc = context;

	(void)signo, (void)info;
	__atomic_fetch_add(&turn, 1, __ATOMIC_ACQ_REL);
	injection->handshakes++;
	injection->wrong_threads += syscall(SYS_gettid) != injection->tid;
	act(injection, uc,
	    client_step(&injection->client, CLIENT_ON_STATUS,
			(unsigned long)uc->uc_mcontext.gregs[REG_R12]));
	if (injection->at_status)
		injection->at_status(injection);
	__atomic_fetch_add(&turn, 1, __ATOMIC_ACQ_REL);
	// From then on it is the other's.
	if (injection->client.state == CLIENT_DONE)
		finish(injection, DONE);
}

static bool is_there(enum where where, uint64_t pc)
{
	const struct debugcall_descriptor *d = &debugcall_descriptor;

	switch (where) {
	case IN_USER_CODE: return pc < d->text_start || pc >= d->text_end;
	case AT_IDLE: return pc >= d->idle_start && pc < d->idle_end;
	case ANYWHERE: break;
	}
	return true;
}

// Points the thread that gets this signal at the entry, as a debugger points a stopped one.
static void on_inject(int signo, siginfo_t *info, void *context)
{
	struct injection *injection = info->si_code == SI_QUEUE ? info->si_value.sival_ptr
								: standing;
	ucontext_t *uc = context;
	greg_t *regs = uc->uc_mcontext.gregs;

	(void)signo;
	__atomic_fetch_add(&turn, 1, __ATOMIC_ACQ_REL);
	// In a handler: this one's own frame lies right below the stack pointer, where a debugger
	// would write.
	uintptr_t on_stack = (uintptr_t)regs[REG_RSP] - (uintptr_t)uc->uc_stack.ss_sp;

	if (on_stack <= uc->uc_stack.ss_size ||
	    !is_there(injection->where, (uint64_t)regs[REG_RIP])) {
		finish(injection, NOT_THERE);
		return;
	}
	injection->tid = (int)syscall(SYS_gettid);
	injection->outer = innermost;
	innermost = injection;
	regs[REG_RSP] -= DEBUGCALL_RED_ZONE;
	skip(uc, (uint64_t)regs[REG_RIP]);
	*(uint64_t *)(regs[REG_RSP] + DEBUGCALL_SIZE_SLOT) = injection->size;
	regs[REG_RIP] = (greg_t)(injection->where == AT_IDLE ? debugcall_descriptor.idle_entry
							     : debugcall_descriptor.entry);
	__atomic_fetch_add(&turn, 1, __ATOMIC_ACQ_REL);
}

// Straight to the kernel: sanitizers put a handler off until the thread calls something of theirs,
// and what is to be interrupted calls nothing.
__asm__(".pushsection .text\n"
	"inject_return: movl $15, %eax\n"
	"syscall\n"
	".popsection");
extern const char inject_return[] __attribute__((visibility("hidden")));

UNUSED static void inject_init(void)
{
	struct {
		void (*handler)(int, siginfo_t *, void *);
		unsigned long flags;
		const void *restorer;
		uint64_t mask;
	} action = { on_inject, SA_SIGINFO | SA_ONSTACK | 0x04000000, inject_return, 0 };

	syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8);
	debugcall_descriptor.client = (uint64_t)(uintptr_t)on_handshake;
}

// ---- asking for one -----------------------------------------------------------------------------

UNUSED static void prepare_in(struct injection *injection, void *callee)
{
	memset(injection, 0, sizeof(*injection));
	injection->callee = (uintptr_t)callee;
	injection->size = 64;
}

// Sends the signal that points the thread at the entry; false when there is no such thread.
UNUSED static bool send_to(struct injection *injection, int tid)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_value.sival_ptr = injection;
	finish(injection, UNDER_WAY);
	__atomic_fetch_add(&turn, 1, __ATOMIC_ACQ_REL);
	return !syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGUSR1, &info);
}

UNUSED static enum done await(const struct injection *injection)
{
	uint32_t done;

	while (!(done = __atomic_load_n(&injection->done, __ATOMIC_ACQUIRE)))
		sched_yield();
	return (enum done)done;
}

// Until it has been done. The thread may be paused for the sake of the CPU limit, or wait for its
// turn.
UNUSED static void inject_into(struct injection *injection, int tid)
{
	for (;;) {
		while (!send_to(injection, tid))
			sched_yield();
		if (await(injection) == DONE)
			return;
		sched_yield();
	}
}

// ---- a caller -----------------------------------------------------------------------------------

// Spins in user code with every register live and notices whatever an injection leaves behind.
struct worker {
	_Atomic uint32_t tid, stop;
	_Atomic uint64_t id, rounds, faults;
};

UNUSED static void spin(void *arg)
{
	struct worker *worker = arg;

	gort_lock_os_thread();
	worker->id = gort_id();
	worker->tid = (uint32_t)syscall(SYS_gettid);
	while (!worker->stop) {
		uint64_t a = 0x1111, b = 0x2222, c = 0x3333, d = 0x4444, x = 0x5555555555555555;
		uint64_t flags_before, flags_after, red;
		double v = 1.5;

		__asm__ volatile("movq %[x], %%xmm15\n"
				 "movq $0x7e57, -64(%%rsp)\n"
				 "movl $200000, %%ecx\n"
				 "stc\n"
				 "1: lea -1(%%rcx), %%rcx\n"
				 "jrcxz 2f\n"
				 "jmp 1b\n"
				 "2: movq -64(%%rsp), %[red]\n"
				 "setc %%cl\n"
				 "movq %%xmm15, %[x]\n"
				 "movzbl %%cl, %%ecx\n"
				 : [x] "+r"(x), [red] "=&r"(red), "+b"(a), "+S"(b), "+D"(c),
				   "+d"(d), "=&c"(flags_after), "+x"(v)
				 :
				 : "xmm15", "cc", "memory");
		flags_before = 1;
		if (a != 0x1111 || b != 0x2222 || c != 0x3333 || d != 0x4444 ||
		    x != 0x5555555555555555 || red != 0x7e57 || flags_after != flags_before ||
		    v != 1.5)
			worker->faults++;
		worker->rounds++;
	}
	gort_unlock_os_thread();
}

UNUSED static bool goes_on(const struct worker *worker)
{
	uint64_t rounds = worker->rounds;

	while (worker->rounds < rounds + 2)
		sched_yield();
	return worker->faults == 0;
}

#endif
