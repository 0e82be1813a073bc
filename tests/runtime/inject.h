// SPDX-License-Identifier: MIT
// A debugger in the same process: a signal handler leads conversations with the runtime's host, by the same
// client machine as the real debugger and without ptrace. One injection at a time.
#ifndef TESTS_RUNTIME_INJECT_H
#define TESTS_RUNTIME_INJECT_H

#include "protocol/conversation.h"
#include "protocol/descriptor.h"
#include "runtime/gort.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

extern struct debugcall_descriptor debugcall_descriptor;

enum { FRAME_WORDS = 512 };

static struct injection {
	// What is asked for.
	uintptr_t callee;
	uint64_t general[6];
	double vector[2];
	uint64_t size; // of the argument frame
	uint64_t stack[FRAME_WORDS];
	size_t stack_words;
	bool take_frame; // read the frame back at the return
	// What became of it.
	struct client_conversation client;
	uint64_t rax, rdx;
	double xmm0;
	uint64_t frame[FRAME_WORDS];
	char text[256];
	bool exited;
	int tid, wrong_threads;
	int handshakes;
	uint32_t done; // the conversation is over, or the injection was impossible
} injection;

static void skip(ucontext_t *uc, uint64_t word)
{
	uc->uc_mcontext.gregs[REG_RSP] -= 8;
	*(uint64_t *)uc->uc_mcontext.gregs[REG_RSP] = word;
}

static void act(ucontext_t *uc, enum client_action action)
{
	greg_t *regs = uc->uc_mcontext.gregs;
	uint64_t *sp = (uint64_t *)regs[REG_RSP];

	switch (action) {
	case CLIENT_DO_CALL:
		memcpy(sp, injection.stack, injection.stack_words * 8);
		regs[REG_RDI] = (greg_t)injection.general[0];
		regs[REG_RSI] = (greg_t)injection.general[1];
		regs[REG_RDX] = (greg_t)injection.general[2];
		regs[REG_RCX] = (greg_t)injection.general[3];
		regs[REG_R8] = (greg_t)injection.general[4];
		regs[REG_R9] = (greg_t)injection.general[5];
		regs[REG_RAX] = 2;
		for (int i = 0; i < 2; i++)
			memcpy(&uc->uc_mcontext.fpregs->_xmm[i], &injection.vector[i], 8);
		memcpy(&uc->uc_sigmask, (void *)regs[REG_R13], 8);
		skip(uc, (uint64_t)regs[REG_RIP]);
		regs[REG_RIP] = (greg_t)injection.callee;
		regs[REG_R15] = 1;
		break;
	case CLIENT_DO_TAKE_RESULT:
		injection.rax = (uint64_t)regs[REG_R13];
		injection.rdx = (uint64_t)regs[REG_R14];
		memcpy(&injection.xmm0, &uc->uc_mcontext.fpregs->_xmm[0], 8);
		if (injection.take_frame)
			memcpy(injection.frame, sp, sizeof(injection.frame));
		break;
	case CLIENT_DO_TAKE_PANIC:
		injection.exited = !sp[0];
		if (sp[0])
			memcpy(injection.text, (void *)sp[0], sizeof(injection.text));
		break;
	case CLIENT_DO_TAKE_REASON:
		memcpy(injection.text, (void *)sp[0], sp[1]);
		injection.text[sp[1]] = '\0';
		break;
	case CLIENT_DO_FINISH: __atomic_store_n(&injection.done, 1, __ATOMIC_RELEASE); break;
	case CLIENT_DO_DECLINE: break;
	default: abort();
	}
}

// The runtime hands a handshake to the client as it would be handed to a signal handler.
static void on_handshake(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signo, (void)info;
	injection.handshakes++;
	injection.wrong_threads += syscall(SYS_gettid) != injection.tid;
	act(uc, client_step(&injection.client, CLIENT_ON_STATUS,
			    (unsigned long)uc->uc_mcontext.gregs[REG_R12]));
}

static bool in_runtime(uint64_t pc)
{
	return pc >= debugcall_descriptor.text_start && pc < debugcall_descriptor.text_end;
}

static bool at_idle_place(uint64_t pc)
{
	return pc >= debugcall_descriptor.idle_start && pc < debugcall_descriptor.idle_end;
}

static bool want_idle; // inject into a thread that sleeps without work

// Points the thread that gets this signal at the entry, as a debugger points a stopped one.
static void on_inject(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *regs = uc->uc_mcontext.gregs;

	(void)signo, (void)info;
	if (want_idle ? !at_idle_place((uint64_t)regs[REG_RIP])
		      : in_runtime((uint64_t)regs[REG_RIP])) {
		__atomic_store_n(&injection.done, 2, __ATOMIC_RELEASE);
		return;
	}
	injection.tid = (int)syscall(SYS_gettid);
	regs[REG_RSP] -= DEBUGCALL_RED_ZONE;
	skip(uc, (uint64_t)regs[REG_RIP]);
	*(uint64_t *)(regs[REG_RSP] + DEBUGCALL_SIZE_SLOT) = injection.size;
	regs[REG_RIP] = (greg_t)(want_idle ? debugcall_descriptor.idle_entry
					   : debugcall_descriptor.entry);
}

static void inject_init(void)
{
	struct sigaction action = { .sa_sigaction = on_inject,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaction(SIGUSR1, &action, NULL);
	debugcall_descriptor.client = (uint64_t)(uintptr_t)on_handshake;
}

static void prepare(void *callee)
{
	memset(&injection, 0, sizeof(injection));
	injection.callee = (uintptr_t)callee;
	injection.size = 64;
}

#endif
