// SPDX-License-Identifier: MIT
// The agent's life: loading, fork, exit. Until a client comes it is a memory file and a thread that
// sleeps; in a child of fork, and where it is to be lazy, it is the handler of a signal that a client
// sends first.
#include "agent/library/attendant.h"
#include "agent/library/debugcall_agent.h"
#include "agent/library/futex.h"
#include "agent/library/worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static struct box box = { .fd = -1 };
static bool is_started;

static int is_open(void)
{
	struct mailbox_header *header = box.header;

	return header && __atomic_load_n(&header->state, __ATOMIC_SEQ_CST) == MAILBOX_OPEN;
}

int debugcall_agent_is_open(void)
{
	return is_open();
}

static void at_exit(int status, void *arg);

// What is registered last comes first: before what the program registered frees what callees read.
static void meet(void)
{
	on_exit(at_exit, NULL);
}

static void start(void)
{
	if (__atomic_exchange_n(&is_started, true, __ATOMIC_SEQ_CST))
		return;
	if (box_make(&box) && attendant_start(&box, meet))
		return;
	if (box.header)
		box.header->state = MAILBOX_CLOSED;
}

// ---- when asked for ----------------------------------------------------------------------------

// A thread can be made here when the program was interrupted where it holds no lock that this takes:
// in a system call that waits. One that a lock is waited for by is begun again behind the handler
// with its number in RAX; one that is never begun again has ended with EINTR.
static bool is_waiting(const ucontext_t *context)
{
	const greg_t *registers = context->uc_mcontext.gregs;
	const unsigned char *pc = (const unsigned char *)registers[REG_RIP];
	static const unsigned char instruction[] = { 0x0f, 0x05 };

	if (registers[REG_RAX] == -EINTR)
		return memcmp(pc - sizeof(instruction), instruction, sizeof(instruction)) == 0;
	return memcmp(pc, instruction, sizeof(instruction)) == 0 &&
	       (registers[REG_RAX] == SYS_read || registers[REG_RAX] == SYS_recvfrom ||
		registers[REG_RAX] == SYS_recvmsg || registers[REG_RAX] == SYS_accept ||
		registers[REG_RAX] == SYS_accept4 || registers[REG_RAX] == SYS_wait4 ||
		registers[REG_RAX] == SYS_waitid || registers[REG_RAX] == SYS_write);
}

static void on_ask(int signo, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)signo;
	if (info->si_code == SI_QUEUE && (uintptr_t)info->si_value.sival_ptr == MAILBOX_MAGIC &&
	    is_waiting(context))
		start();
	errno = saved;
}

// By a signal that does nothing where there is no handler, so that asking in vain is harmless.
static void wait_to_be_asked(void)
{
	struct sigaction action, now;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_ask;
	action.sa_flags = SA_SIGINFO | SA_RESTART;
	if (sigaction(SIGURG, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		sigaction(SIGURG, &action, NULL);
}

// ---- fork, exit, load --------------------------------------------------------------------------

static void in_child(void)
{
	bool was_asleep = is_started && !box.header;

	if (is_started)
		box_forget(&box);
	// It was put to sleep for good; or the callee forked, and its child is nobody's.
	if (was_asleep || worker_on((uintptr_t)__builtin_frame_address(0)))
		return;
	is_started = false;
	worker_forget_all();
	wait_to_be_asked();
}

static void at_exit(int status, void *arg)
{
	struct worker *self;

	(void)arg;
	if (!box.header || worker_in_child())
		return;
	self = worker_on((uintptr_t)__builtin_frame_address(0));
	if (self && self->calling) {
		struct mailbox_slot *slot = self->slot;

		slot->value = (uint32_t)status;
		slot->outcome = MAILBOX_EXITING;
		worker_note(self, MAILBOX_EXITING);
		worker_turn(self, MAILBOX_ANSWERED);
	}
	attendant_close(&box);
}

// The one that came first is found by its name; who loads another meant the same. Our own is ours by
// where it lies: the name, even here, means the first.
static bool is_first(void)
{
	void *first = dlsym(RTLD_DEFAULT, "debugcall_agent_is_open");
	Dl_info theirs, ours;

	return !first || !dladdr(first, &theirs) || !dladdr((void *)is_open, &ours) ||
	       theirs.dli_fbase == ours.dli_fbase;
}

__attribute__((constructor)) static void load(void)
{
	const char *how = getenv("DEBUGCALL_AGENT");

	if ((how && !strcmp(how, "off")) || !is_first())
		return;
	pthread_atfork(NULL, NULL, in_child);
	if (how && !strcmp(how, "lazy"))
		wait_to_be_asked();
	else
		start();
}
