// SPDX-License-Identifier: MIT
// A fault in a callee is written down with the registers and the top of the stack, for the client to
// unwind, and the thread goes back to where it entered. At a deadline it asks the client, which knows
// what is on the stack, whether that may be done.
#include "agent/library/contain.h"

#include "agent/library/futex.h"
#include "agent/library/worker.h"

#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

static const int contained[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
enum { CONTAINED = sizeof(contained) / sizeof(*contained) };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned takers;
static struct sigaction before[_NSIG]; // the program's own
static int asking; // the signal by which a thread is asked about its callee; 0: none is free
static int64_t held_ns; // when the handlers were last seen in place

// ---- a callee's ---------------------------------------------------------------------------------

static void copy_stack(const struct worker *worker, struct mailbox_slot *slot, uint64_t sp)
{
	enum { RED_ZONE = 128, PAGE = 4096, TRIES = 4 };
	struct mailbox_scene *scene = &slot->scene;
	uint64_t start = sp - RED_ZONE, end = sp + MAILBOX_STACK - RED_ZONE;
	bool is_own = sp - worker->stack_low < worker->stack_high - worker->stack_low;

	if (worker->guest && end > worker->guest_high)
		end = worker->guest_high;

	if (is_own && start < worker->stack_low)
		start = sp;
	if (is_own && end > worker->stack_high)
		end = worker->stack_high;

	// A part of it may not be there: the kernel copies what is. An overflowed stack begins below
	// its mapping.
	for (int i = 0; i < TRIES && start < end; i++) {
		struct iovec local = { slot->stack, end - start };
		struct iovec remote = { (void *)start, end - start };
		long done = raw_syscall(SYS_process_vm_readv, getpid(), (long)&local, 1,
					(long)&remote, 1, 0);

		scene->stack_start = start;
		scene->stack_size = done > 0 ? (uint32_t)done : 0;
		if (done > 0)
			return;
		start = i ? (start | (PAGE - 1)) + 1 : sp;
	}
}

static void write_down(struct worker *worker, int signo, const siginfo_t *info,
		       const ucontext_t *context)
{
	struct mailbox_slot *slot = worker->slot;
	struct mailbox_scene *scene = &slot->scene;

	scene->signo = signo;
	scene->code = info->si_code;
	scene->addr = (uintptr_t)info->si_addr;
	for (int i = 0; i < MAILBOX_REGISTERS; i++)
		scene->registers[i] = (uint64_t)context->uc_mcontext.gregs[i];
	scene->limit_start = (uintptr_t)enter;
	scene->limit_end = (uintptr_t)enter_end;
	copy_stack(worker, slot, (uint64_t)context->uc_mcontext.gregs[REG_RSP]);
}

// The kernel restores the rest of what the thread was before the call by itself: its mask.
static void escape(struct worker *worker, ucontext_t *context, enum mailbox_outcome outcome)
{
	greg_t *registers = context->uc_mcontext.gregs;

	worker_note(worker, outcome);
	registers[REG_RBP] = (greg_t)worker->entry.frame;
	registers[REG_RSP] = (greg_t)worker->entry.frame - 48;
	registers[REG_RIP] = (greg_t)(uintptr_t)enter_escape;
	worker->entry.frame = 0;
}

static bool is_in_callee(const struct worker *worker, const ucontext_t *context)
{
	uint64_t pc = (uint64_t)context->uc_mcontext.gregs[REG_RIP];

	return worker->calling && worker->entry.frame &&
	       pc - (uintptr_t)enter >= (uintptr_t)enter_end - (uintptr_t)enter;
}

// By whom the process was told to, nobody's callee is meant.
static bool is_own_doing(const siginfo_t *info)
{
	return info->si_code > 0 || ((info->si_code == SI_TKILL || info->si_code == SI_USER) &&
				     info->si_pid == getpid());
}

static bool has_handler(int signo)
{
	return before[signo].sa_handler != SIG_DFL && before[signo].sa_handler != SIG_IGN;
}

// What the client has said is to be seen by the program's handler first, and filters that emulate
// system calls live by SIGSYS.
static bool is_passed(const struct worker *worker, int signo)
{
	return has_handler(signo) &&
	       (signo == SIGSYS || (worker->call.pass & UINT64_C(1) << (signo - 1)));
}

// ---- the program's ------------------------------------------------------------------------------

static void run_handler(int signo, siginfo_t *info, void *context)
{
	struct sigaction action = before[signo];
	sigset_t mask;

	if (action.sa_flags & SA_RESETHAND)
		before[signo].sa_handler = SIG_DFL;
	if (!(action.sa_flags & SA_NODEFER))
		sigaddset(&action.sa_mask, signo);
	pthread_sigmask(SIG_BLOCK, &action.sa_mask, &mask);
	if (action.sa_flags & SA_SIGINFO)
		action.sa_sigaction(signo, info, context);
	else
		action.sa_handler(signo);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void pass_on(int signo, siginfo_t *info, void *context)
{
	if (has_handler(signo)) {
		run_handler(signo, info, context);
		return;
	}
	if (before[signo].sa_handler == SIG_IGN && info->si_code <= 0)
		return;
	// As if we had not been there: a fault comes again, what was sent is sent again.
	signal(signo, SIG_DFL);
	if (info->si_code <= 0)
		raw_syscall(SYS_tgkill, getpid(), raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0), signo,
			    0, 0, 0);
}

static void on_fault(int signo, siginfo_t *info, void *context)
{
	int saved = errno;
	struct worker *worker = worker_in_child() ? NULL : worker_on((uintptr_t)&saved);

	if (worker && is_in_callee(worker, context) && is_own_doing(info) &&
	    !is_passed(worker, signo)) {
		write_down(worker, signo, info, context);
		escape(worker, context, MAILBOX_CRASHED);
	} else {
		pass_on(signo, info, context);
	}
	errno = saved;
}

// ---- deadlines ----------------------------------------------------------------------------------

struct foreign {
	uintptr_t word;
	bool found;
};

static int is_in_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct foreign *foreign = arg;

	(void)size;
	// The program itself comes first, without a name.
	for (int i = 0; i < info->dlpi_phnum && info->dlpi_name[0]; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) &&
		    foreign->word - (info->dlpi_addr + segment->p_vaddr) < segment->p_memsz)
			foreign->found = true;
	}
	return foreign->found;
}

// With no client to ask: nothing of a library may be on the stack, so that no lock of one is held.
static bool may_undo_alone(const struct worker *worker, const ucontext_t *context)
{
	uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
	uintptr_t sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
	uintptr_t end = worker->entry.frame;
	struct foreign foreign = { .word = pc };

	if (worker->guest || sp < worker->stack_low || sp > end)
		return false;
	dl_iterate_phdr(is_in_library, &foreign);
	for (uintptr_t at = sp & -(uintptr_t)8; at < end && !foreign.found; at += 8) {
		memcpy(&foreign.word, (void *)at, sizeof(foreign.word));
		// What the callee returns to is ours.
		if (foreign.word - (uintptr_t)enter >= (uintptr_t)enter_end - (uintptr_t)enter)
			dl_iterate_phdr(is_in_library, &foreign);
	}
	return !foreign.found;
}

static bool is_judged_to_be_undone(struct worker *worker)
{
	enum { PATIENCE_NS = 2000 * 1000 * 1000, LOOK_NS = 50 * 1000 * 1000 };
	struct mailbox_slot *slot = worker->slot;
	int64_t end = now_ns() + PATIENCE_NS;
	bool undo = false;

	__atomic_store_n(&slot->verdict, 0, __ATOMIC_RELAXED);
	worker_turn(worker, MAILBOX_HELD);
	for (;;) {
		uint32_t turn = __atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE);

		if (turn == MAILBOX_JUDGED) {
			undo = __atomic_load_n(&slot->verdict, __ATOMIC_RELAXED) == MAILBOX_UNDO;
			worker->cancel_judged = __atomic_load_n(&slot->cancel, __ATOMIC_RELAXED);
			break;
		}
		if (now_ns() > end)
			break;
		__atomic_store_n(&slot->host_sleeps, 1, __ATOMIC_SEQ_CST);
		futex_wait(&slot->turn, turn, LOOK_NS);
	}
	worker_turn(worker, MAILBOX_RUNNING);
	return undo;
}

static void on_ask(int signo, siginfo_t *info, void *context)
{
	int saved = errno;
	struct worker *worker = worker_in_child() ? NULL : worker_on((uintptr_t)&saved);

	if (worker && is_in_callee(worker, context)) {
		write_down(worker, signo, info, context);
		if (worker->is_orphan ? may_undo_alone(worker, context)
				      : is_judged_to_be_undone(worker))
			escape(worker, context, MAILBOX_UNDONE);
	}
	errno = saved;
}

// ---- installing ---------------------------------------------------------------------------------

static bool is_ours(int signo)
{
	struct sigaction now;

	return sigaction(signo, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
	       (now.sa_sigaction == on_fault || now.sa_sigaction == on_ask);
}

static bool install(int signo, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

	sigemptyset(&action.sa_mask);
	return is_ours(signo) || sigaction(signo, &action, &before[signo]) == 0;
}

// One that the program has no use for. 40 and 41 are libgort's.
static int find_free_signal(void)
{
	enum { LAST = 64, FIRST = 42 };

	for (int signo = LAST; signo >= FIRST; signo--) {
		struct sigaction now;

		if (sigaction(signo, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
			return signo;
	}
	return 0;
}

static bool install_all(void)
{
	bool done = true;

	for (int i = 0; i < CONTAINED; i++)
		done &= install(contained[i], on_fault);
	held_ns = now_ns();
	return done;
}

bool contain_take(void)
{
	bool done = true;

	pthread_mutex_lock(&lock);
	if (!takers++) {
		done = install_all();
		asking = find_free_signal();
		if (asking)
			done &= install(asking, on_ask);
	}
	pthread_mutex_unlock(&lock);
	if (!done)
		contain_release();
	return done;
}

static void give_back(void)
{
	for (int i = 0; i < CONTAINED; i++)
		if (is_ours(contained[i]))
			sigaction(contained[i], &before[contained[i]], NULL);
	if (asking && is_ours(asking))
		sigaction(asking, &before[asking], NULL);
	asking = 0;
}

void contain_release(void)
{
	pthread_mutex_lock(&lock);
	if (takers && !--takers)
		give_back();
	pthread_mutex_unlock(&lock);
}

void contain_forget(void)
{
	// Whoever held the lock is not here.
	pthread_mutex_init(&lock, NULL);
	if (takers)
		give_back();
	takers = 0;
}

bool contain_hold(void)
{
	enum { TRUST_NS = 1000 * 1000 };
	bool done = true;

	// A look takes a system call a signal.
	if (now_ns() - __atomic_load_n(&held_ns, __ATOMIC_RELAXED) < TRUST_NS)
		return true;
	pthread_mutex_lock(&lock);
	done = install_all();
	pthread_mutex_unlock(&lock);
	return done;
}

void contain_unblock(void)
{
	sigset_t mask;

	sigfillset(&mask);
	for (int i = 0; i < CONTAINED; i++)
		sigdelset(&mask, contained[i]);
	if (asking)
		sigdelset(&mask, asking);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

void contain_ask(int tid)
{
	if (asking && is_ours(asking))
		raw_syscall(SYS_tgkill, getpid(), tid, asking, 0, 0, 0);
}
