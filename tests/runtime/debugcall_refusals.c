// SPDX-License-Identifier: MIT
// Every reason of protocol/debugcall.h for which a host refuses a call, brought about and its text compared: a reason
// that is new there and unknown here fails.    timeout: 120 s
#include "tests/runtime/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct injection injection;
static struct worker worker;

static uint64_t callee(void)
{
	return 42;
}

static void prepare(void)
{
	prepare_in(&injection, callee);
}

// ---- places to be refused at ----------------------------------------------------------------------
// A goroutine or a thread that stays at one place until it is told to go.

static struct place {
	_Atomic uint32_t tid, leave, left;
	void (*go)(struct place *);
} place;

static void stay(void *arg)
{
	struct place *at = arg;

	at->tid = (uint32_t)syscall(SYS_gettid);
	at->go(at);
	at->left = 1;
}

static void *stay_on_thread(void *arg)
{
	gort_thread_attach();
	stay(arg);
	return NULL;
}

static void inject_at(void (*go)(struct place *))
{
	place = (struct place){ .go = go };
	gort_go(stay, &place);
	while (!place.tid)
		gort_yield();
	do {
		enum where where = injection.where;
		uint64_t size = injection.size;

		prepare();
		injection.where = where;
		injection.size = size;
		// It is not there at once, or not all the time.
		inject_into(&injection, (int)place.tid);
	} while (injection.client.outcome != CLIENT_GOT_REFUSED);
	place.leave = 1;
	while (!place.left)
		gort_yield();
}

// In user code of this file, where a call may begin: the thread is pointed at the entry right
// behind it.
static void signal_self(struct injection *inner)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	long pid = getpid(), tid = syscall(SYS_gettid), ret = SYS_rt_tgsigqueueinfo;

	info.si_value.sival_ptr = inner;
	// Nothing that a sanitizer adds may come between this and its use.
	register siginfo_t *r10 __asm__("r10") = &info;

	__asm__ volatile("syscall"
			 : "+a"(ret)
			 : "D"(pid), "S"(tid), "d"((long)SIGUSR1), "r"(r10)
			 : "rcx", "r11", "memory");
}

// ---- one for each -----------------------------------------------------------------------------------

static void wait_here(struct place *at)
{
	while (!at->leave)
		;
}

// A thread of the runtime's that runs no goroutine.
static void runtime_stack(void)
{
	pthread_t thread;

	place = (struct place){ .go = wait_here };
	pthread_create(&thread, NULL, stay_on_thread, &place);
	while (!place.tid)
		sched_yield();
	inject_into(&injection, (int)place.tid);
	place.leave = 1;
	pthread_join(thread, NULL);
}

// The process is ending: another program like this one, whose report of a panic takes a while.
static void say_if_refused(struct injection *of)
{
	if (of->client.state != CLIENT_LEAVING || of->client.outcome != CLIENT_GOT_REFUSED)
		return;
	(void)!write(STDOUT_FILENO, of->text, strlen(of->text));
	_exit(0);
}

static void *inject_for_ever(void *arg)
{
	while (!worker.tid)
		sched_yield();
	for (;;) {
		prepare();
		injection.at_status = say_if_refused;
		inject_into(&injection, (int)worker.tid);
	}
	return arg;
}

static void end_by_panic(void *arg)
{
	pthread_t thread;

	(void)arg;
	gort_go(spin, &worker);
	pthread_create(&thread, NULL, inject_for_ever, NULL);
	goes_on(&worker);
	gort_panic("meant");
}

static void end_one(void)
{
	char *argv[] = { "debugcall_refusals", "freezing", NULL };
	int fds[2];
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC))
		return;
	pid_t child = vfork();

	if (!child) {
		dup2(fds[1], STDOUT_FILENO);
		close(STDERR_FILENO);
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	close(fds[1]);
	n = read(fds[0], injection.text, sizeof(injection.text) - 1);
	injection.text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	waitpid(child, NULL, 0);
}

// It may be gone before a call comes.
static void freezing(void)
{
	while (!injection.text[0])
		end_one();
	injection.client.outcome = CLIENT_GOT_REFUSED;
}

static void in_child(struct place *at)
{
	int status = 0;
	pid_t child = fork();

	if (!child) {
		// This thread is the only one: it signals itself, and is here again when all is
		// over.
		const char *wanted = debugcall_refusal_text(DEBUGCALL_FORKED);

		signal_self(&injection);
		_exit(injection.client.outcome != CLIENT_GOT_REFUSED ||
		      strcmp(injection.text, wanted) != 0);
	}
	waitpid(child, &status, 0);
	strcpy(injection.text,
	       status ? "another in the child" : debugcall_refusal_text(DEBUGCALL_FORKED));
	injection.client.outcome = CLIENT_GOT_REFUSED;
	(void)at;
}

static void forked(void)
{
	place = (struct place){ .go = in_child };
	gort_go(stay, &place);
	while (!place.left)
		gort_yield();
}

static void *page; // code of no module

static void in_no_module(struct place *at)
{
	((void (*)(_Atomic uint32_t *))(uintptr_t)page)(&at->leave);
}

// The page is made first: on its way there the goroutine must not be met in libc, which is refused
// for what it is.
static void unknown_function(void)
{
	// 1: cmpl $0, (%rdi); je 1b; ret
	static const unsigned char code[] = { 0x83, 0x3f, 0x00, 0x74, 0xfb, 0xc3 };

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(page, code, sizeof(code));
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	inject_at(in_no_module);
	munmap(page, 4096);
}

static void enters_runtime(struct place *at)
{
	gort_lock_os_thread();
	while (!at->leave)
		for (int i = 0; i < 1000; i++)
			gort_id();
	gort_unlock_os_thread();
}

static void within_runtime(void)
{
	injection.where = ANYWHERE;
	inject_at(enters_runtime);
}

static void in_libc(struct place *at)
{
	static char buffer[16 << 20];

	while (!at->leave)
		memfrob(buffer, sizeof(buffer));
}

static void not_safe(void)
{
	inject_at(in_libc);
}

// Spins with little stack left.
static void deep(struct place *at)
{
	const struct debugcall_descriptor *d = &debugcall_descriptor;
	uint64_t id = gort_id();
	char *low = NULL;

	for (char *g = *(char **)(uintptr_t)d->all_g; g; g = *(char **)(g + d->g.next))
		if (*(uint64_t *)(g + d->g.id) == id)
			low = *(char **)(g + d->g.stack_low);
	low += DEBUGCALL_STACK_ROOM;
	__asm__ volatile("movq %%rsp, %%rbx\n"
			 "movq %0, %%rsp\n"
			 "1: cmpl $0, (%1)\n"
			 "je 1b\n"
			 "movq %%rbx, %%rsp\n"
			 :
			 : "r"(low), "r"(&at->leave)
			 : "rbx", "cc", "memory");
}

static void stack_space(void)
{
	inject_at(deep);
}

static void frame_too_large(void)
{
	injection.size = DEBUGCALL_FRAME_MAX + 1;
	inject_into(&injection, (int)worker.tid);
}

// With one P, which we have, a thread without work can be given none.
static void not_idle(void)
{
	const struct debugcall_m *at = &debugcall_descriptor.m;
	int before = gort_gomaxprocs(1);

	while (injection.client.outcome != CLIENT_GOT_REFUSED) {
		for (char *m = *(char **)(uintptr_t)debugcall_descriptor.all_m; m;
		     m = *(char **)(m + at->next)) {
			int tid = *(volatile int *)(m + at->tid);

			if (injection.client.outcome == CLIENT_GOT_REFUSED)
				break;
			prepare();
			injection.where = AT_IDLE;
			if (tid && !*(void *volatile *)(m + at->current) &&
			    send_to(&injection, tid))
				await(&injection);
		}
		gort_yield();
	}
	gort_gomaxprocs(before);
}

// ---- calls inside calls -----------------------------------------------------------------------------

enum { DEPTHS = 6 };
static struct injection nested[DEPTHS];

static uint64_t nest(uint64_t depth)
{
	struct injection *inner = &nested[depth];

	if (depth == DEPTHS - 1)
		return 0;
	prepare_in(inner, nest);
	inner->general[0] = depth + 1;
	signal_self(inner);
	return inner->client.outcome == CLIENT_GOT_RETURNED ? inner->rax + 1 : 0;
}

static void too_deep(void)
{
	injection.callee = (uintptr_t)nest;
	inject_into(&injection, (int)worker.tid);
	report(injection.client.outcome == CLIENT_GOT_RETURNED && injection.rax == 3 &&
		       goes_on(&worker),
	       "four calls inside each other", "%s, %lu inside: %s, \"%s\"",
	       client_outcome_name(injection.client.outcome), injection.rax,
	       client_outcome_name(nested[0].client.outcome), nested[0].text);
	injection = nested[3];
}

// ---- no memory ----------------------------------------------------------------------------------------

static void no_memory(void)
{
	struct rlimit before, none;

	getrlimit(RLIMIT_AS, &before);
	none = before;
	none.rlim_cur = 1;
	setrlimit(RLIMIT_AS, &none);
	inject_into(&injection, (int)worker.tid);
	setrlimit(RLIMIT_AS, &before);
}

// ---- the table ----------------------------------------------------------------------------------------

static void (*const provoke[DEBUGCALL_REFUSALS_END])(void) = {
	[DEBUGCALL_RUNTIME_STACK] = runtime_stack,
	[DEBUGCALL_FREEZING] = freezing,
	[DEBUGCALL_FORKED] = forked,
	[DEBUGCALL_UNKNOWN_FUNCTION] = unknown_function,
	[DEBUGCALL_WITHIN_RUNTIME] = within_runtime,
	[DEBUGCALL_NOT_SAFE] = not_safe,
	[DEBUGCALL_STACK_SPACE] = stack_space,
	[DEBUGCALL_FRAME_TOO_LARGE] = frame_too_large,
	[DEBUGCALL_NOT_IDLE] = not_idle,
	[DEBUGCALL_TOO_DEEP] = too_deep,
	[DEBUGCALL_NO_MEMORY] = no_memory,
};

static const char *skip_reason(int refusal)
{
#if defined(__SANITIZE_ADDRESS__)
	if (refusal == DEBUGCALL_NOT_SAFE)
		return "the allocator is not libc's";
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	if (refusal == DEBUGCALL_FREEZING || refusal == DEBUGCALL_FORKED ||
	    refusal == DEBUGCALL_NO_MEMORY)
		return "the sanitizer has its own ways at fork, exit, and without memory";
#endif
	(void)refusal;
	return NULL;
}

static void provoke_one(int refusal)
{
	const char *text = debugcall_refusal_text((enum debugcall_refusal)refusal);
	const char *reason = skip_reason(refusal);
	char name[128];

	snprintf(name, sizeof(name), "refused: %s%s", text,
		 refusal == DEBUGCALL_NOT_SAFE ? " (TestDebugCallUnsafePoint)" : "");
	if (!provoke[refusal]) {
		report(false, name, "no test brings it about");
		return;
	}
	if (reason) {
		printf("ok %d - %s # SKIP %s\n", ++count, name, reason);
		return;
	}
	prepare();
	provoke[refusal]();
	report(injection.client.outcome == CLIENT_GOT_REFUSED && !strcmp(injection.text, text) &&
		       goes_on(&worker),
	       name, "%s, \"%s\"", client_outcome_name(injection.client.outcome), injection.text);
}

static void main_goroutine(void *arg)
{
	(void)arg;
	gort_gomaxprocs(gort_gomaxprocs(0) < 2 ? 2 : 0);
	gort_go(spin, &worker);
	while (!worker.tid)
		gort_yield();
	// Before the thread has its room for a caller's registers.
	provoke_one(DEBUGCALL_NO_MEMORY);
	for (int i = DEBUGCALL_ACCEPTED + 1; i < DEBUGCALL_REFUSALS_END; i++)
		if (i != DEBUGCALL_NO_MEMORY)
			provoke_one(i);
	prepare();
	inject_into(&injection, (int)worker.tid);
	report(injection.client.outcome == CLIENT_GOT_RETURNED && injection.rax == 42,
	       "after all refusals a call is a call", "%s",
	       client_outcome_name(injection.client.outcome));
	worker.stop = 1;
}

int main(int argc, char *argv[])
{
	inject_init();
	if (argc > 1 && !strcmp(argv[1], "freezing")) {
		setenv("GORTDEBUG", "dontfreezetheworld=1", 1);
		return gort_main(end_by_panic, NULL);
	}
	gort_main(main_goroutine, NULL);
	printf("1..%d\n", count);
	return failures ? 1 : 0;
}
