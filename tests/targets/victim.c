// SPDX-License-Identifier: MIT
// A target that notices every trace a debugger leaves: all registers, the red zone, control words,
// signal mask, alternate stack and the results of the system calls it blocks in.
//
//   victim PAGE MODE[+MODIFIER...]
//
// PAGE is a file that is mapped shared (struct victim_page). The main thread runs rounds of MODE; a
// second thread reads lines from stdin and ends the system call that the main thread blocks in.
#include "tests/targets/callees.h"
#include "tests/targets/repeated.h"

#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/rseq.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// What the driver reads; all fields little-endian 8 bytes, then the text.
struct victim_page {
	volatile uint64_t ready; // the main thread's id once it runs
	volatile uint64_t beats; // rounds that ended as they should
	volatile uint64_t faults; // rounds that did not; fault says how the first one went wrong
	volatile uint64_t eintr; // rounds that saw EINTR
	volatile uint64_t urgent; // SIGURG handlers run
	volatile uint64_t entered; // slow() was entered this often
	volatile uint64_t release; // slow() returns when set
	volatile uint64_t pokes; // lines read from stdin
	volatile uint64_t aborts; // restartable sequences aborted
	volatile uint64_t signals; // SIGUSR1, SIGALRM and SIGRTMIN handlers run
	volatile uint64_t value; // the last queued signal's value
	char fault[200];
};

struct victim_state {
	uint64_t general_in[16];
	unsigned char vector_in[32][64];
	uint64_t mask_in[8];
	uint64_t general_out[16];
	unsigned char vector_out[32][64];
	uint64_t mask_out[8];
	uint64_t redzone_ok, wide, rounds, saved;
};
_Static_assert(offsetof(struct victim_state, general_out) == 2240, "victim_regs.S");
_Static_assert(offsetof(struct victim_state, redzone_ok) == 4480, "victim_regs.S");

void victim_run(struct victim_state *state);
extern char victim_rseq_start[], victim_rseq_end[], victim_rseq_abort[];

static struct victim_page *page;
static int page_fd = -1;
static struct victim_state state;
static int pipe_fds[2] = { -1, -1 }, listener = -1, epoll_fd = -1;
static int semaphore = -1, ring = -1;
static aio_context_t aio;
static uint32_t futex_word;
static struct sockaddr_in address;
static stack_t alternate;
static sigset_t mask;
static char buffer[16];

// Spoils every register that a callee may change.
int spoil(int a)
{
	if (state.wide) {
		__asm__ volatile(
			".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,"
			"23,24,25,26,27,28,29,30,31\n vpternlogd $0xff, %%zmm\\n, %%zmm\\n, "
			"%%zmm\\n\n .endr\n kxnorq %%k1, %%k1, %%k1\n kxnorq %%k7, %%k7, %%k7" ::
				: "memory");
	}
	fesetround(FE_UPWARD);
	errno = EDOM;
	return a + 1;
}

// Arguments on the stack, and a literal: what takes a landing pad.
int sum_many(int a, int b, int c, int d, int e, int f, int g, int h, double x, double y)
{
	return a + b + c + d + e + f + g + h + (int)(x + y);
}

int length(const char *text)
{
	return (int)strlen(text);
}

int enter(int a)
{
	page->entered++;
	return a;
}

int enter_and_spoil(int a)
{
	page->entered++;
	return spoil(a);
}

int slow(int a)
{
	page->entered++;
	while (!page->release)
		;
	return a;
}

int slow_sleeping(int a)
{
	page->entered++;
	while (!page->release)
		syscall(SYS_nanosleep, &(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return a;
}

__attribute__((format(printf, 1, 2))) static void fault(const char *format, ...)
{
	if (!page->faults) {
		va_list args;

		va_start(args, format);
		vsnprintf(page->fault, sizeof(page->fault), format, args);
		va_end(args);
	}
	page->faults++;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void compare(bool result_matters, uint64_t result)
{
	for (int i = 1; i < 15; i++) {
		if (i == 2 || i == 10) // rcx and r11 belong to the system call
			continue;
		if (state.general_in[i] != state.general_out[i])
			fault("general register %d: %#lx instead of %#lx", i, state.general_out[i],
			      state.general_in[i]);
	}
	if (result_matters && state.general_out[0] != result)
		fault("rax: %#lx instead of %#lx", state.general_out[0], result);
	for (int i = 0; i < (state.wide ? 32 : 16); i++)
		if (memcmp(state.vector_in[i], state.vector_out[i], state.wide ? 64 : 16))
			fault("vector register %d differs", i);
	for (int i = 1; state.wide && i < 8; i++)
		if (state.mask_in[i] != state.mask_out[i])
			fault("mask register %d differs", i);
	if (!state.redzone_ok)
		fault("the red zone was written");

	stack_t stack;
	sigset_t set;
	uint32_t mxcsr;
	uint16_t cw;

	sigaltstack(NULL, &stack);
	if (stack.ss_sp != alternate.ss_sp || stack.ss_flags != alternate.ss_flags ||
	    stack.ss_size != alternate.ss_size)
		fault("the alternate stack changed: flags %d", stack.ss_flags);
	sigprocmask(SIG_BLOCK, NULL, &set);
	if (memcmp(&set, &mask, 8))
		fault("the signal mask changed");
	__asm__("stmxcsr %0" : "=m"(mxcsr));
	__asm__("fnstcw %0" : "=m"(cw));
	if (mxcsr != 0x3f80 || cw != 0x077f)
		fault("control words: mxcsr %#x, x87 %#x", mxcsr, cw);
}

static void prepare(void)
{
	static uint64_t seed = 88172645463325252ULL;
	uint64_t *words = (uint64_t *)&state;

	for (size_t i = 0; i < offsetof(struct victim_state, general_out) / 8; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		words[i] = seed;
	}
	memset(state.general_out, 0, sizeof(state.general_out));
	state.rounds = 0;
	uint32_t mxcsr = 0x3f80; // round down, all masked: not the default
	uint16_t cw = 0x077f;

	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	__asm__ volatile("fldcw %0" : : "m"(cw));
}

static void arguments(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
		      uint64_t f)
{
	state.general_in[0] = nr;
	state.general_in[5] = a; // rdi
	state.general_in[4] = b; // rsi
	state.general_in[3] = c; // rdx
	state.general_in[9] = d; // r10
	state.general_in[7] = e; // r8
	state.general_in[8] = f; // r9
}

// One blocking system call with every register live; the result, or -1 after EINTR.
static long blocked(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	prepare();
	arguments(nr, a, b, c, d, e, 0);
	victim_run(&state);
	compare(false, 0);
	long result = (long)state.general_out[0];

	if (result == -EINTR) {
		page->eintr++;
		return -1;
	}
	if (result <= -512 && result >= -516)
		fault("the kernel's restart code %ld leaked", result);
	return result;
}
#define BLOCKED(nr, a, b, c, d, e) \
	blocked(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e))

static void expect(long result, long wanted, const char *what)
{
	if (result == -1)
		return;
	if (result != wanted)
		fault("%s gave %ld instead of %ld", what, result, wanted);
}

static void round_spin(void)
{
	prepare();
	state.rounds = 20000000;
	uint64_t rax = state.general_in[0];

	victim_run(&state);
	compare(true, rax);
}

static void round_read(void)
{
	buffer[0] = 0;
	long got = BLOCKED(SYS_read, pipe_fds[0], buffer, 1, 0, 0);

	expect(got, 1, "read");
	if (got == 1 && buffer[0] != 'p')
		fault("read gave the wrong byte");
}

static void round_nanosleep(void)
{
	struct timespec t = { .tv_nsec = 50000000 };
	int64_t start = now();
	long result = BLOCKED(SYS_nanosleep, &t, 0, 0, 0, 0);

	expect(result, 0, "nanosleep");
	if (result == 0 && now() - start < 50000000)
		fault("nanosleep returned early");
}

// What is left of a sleep that was cut short is right, and is slept afterwards.
static void round_nanosleep_rest(void)
{
	enum { NS = 50000000 };
	struct timespec t = { .tv_nsec = NS }, rest = { 0 };
	int64_t start = now();
	long result = BLOCKED(SYS_nanosleep, &t, &rest, 0, 0, 0);
	int64_t slept = now() - start;

	expect(result, 0, "nanosleep");
	if (result == -1 &&
	    (rest.tv_sec || rest.tv_nsec <= 0 || rest.tv_nsec > NS || slept + rest.tv_nsec < NS))
		fault("nanosleep left %ld ns after %ld", rest.tv_nsec, (long)slept);
	if (result == -1)
		syscall(SYS_nanosleep, &rest, NULL);
	if (now() - start < NS)
		fault("nanosleep returned early");
}

static void drain(void)
{
	if (read(pipe_fds[0], buffer, 1) != 1)
		fault("the pipe was empty after its wait");
}

static void round_poll(void)
{
	struct pollfd p = { .fd = pipe_fds[0], .events = POLLIN };
	long result = BLOCKED(SYS_poll, &p, 1, 60000, 0, 0);

	expect(result, 1, "poll");
	if (result == 1)
		drain();
}

static void round_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	long result = BLOCKED(SYS_select, pipe_fds[0] + 1, &set, 0, 0, 0);

	expect(result, 1, "select");
	if (result == 1)
		drain();
}

static void round_epoll(void)
{
	struct epoll_event event;
	long result = BLOCKED(SYS_epoll_wait, epoll_fd, &event, 1, -1, 0);

	expect(result, 1, "epoll_wait");
	if (result == 1)
		drain();
}

static void round_epoll_pwait2(void)
{
	struct epoll_event event;
	long result = BLOCKED(SYS_epoll_pwait2, epoll_fd, &event, 1, 0, 0);

	expect(result, 1, "epoll_pwait2");
	if (result == 1)
		drain();
}

static void round_epoll_timed(void)
{
	struct epoll_event event;

	expect(BLOCKED(SYS_epoll_wait, epoll_fd, &event, 1, 60000, 0), 1, "epoll_wait");
	if (read(pipe_fds[0], buffer, 1) != 1)
		fault("the pipe is gone");
}

static void round_sigtimedwait(void)
{
	uint64_t set = UINT64_C(1) << (SIGUSR2 - 1);

	expect(BLOCKED(SYS_rt_sigtimedwait, &set, 0, 0, sizeof(set), 0), SIGUSR2, "sigtimedwait");
}

static void round_semop(void)
{
	struct sembuf take = { .sem_op = -1 };

	expect(BLOCKED(SYS_semop, semaphore, &take, 1, 0, 0), 0, "semop");
}

static void round_semtimedop(void)
{
	struct sembuf take = { .sem_op = -1 };

	expect(BLOCKED(SYS_semtimedop, semaphore, &take, 1, 0, 0), 0, "semtimedop");
}

static void round_io_getevents(void)
{
	struct io_event event;

	expect(BLOCKED(SYS_io_getevents, aio, 1, 1, &event, 0), 1, "io_getevents");
}

// It waits for a completion, of which there are as many as pokes.
static struct io_uring_params ring_params;
static unsigned char *ring_memory;
static struct io_uring_sqe *ring_requests;

static unsigned *ring_word(uint32_t offset)
{
	return (unsigned *)(ring_memory + offset);
}

static void round_io_uring(void)
{
	long result = BLOCKED(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, 0);
	unsigned *head = ring_word(ring_params.cq_off.head);

	expect(result, 0, "io_uring_enter");
	if (result == 0)
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
}

static void setup_ring(void)
{
	enum { ENTRIES = 64, SIZE = 16384 };

	ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &ring_params);
	ring_memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
			   IORING_OFF_SQ_RING);
	ring_requests = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (ring < 0 || ring_memory == MAP_FAILED || ring_requests == MAP_FAILED)
		exit(77);
}

static void complete_one(void)
{
	unsigned *tail = ring_word(ring_params.sq_off.tail);
	unsigned i = *tail & *ring_word(ring_params.sq_off.ring_mask);

	memset(&ring_requests[i], 0, sizeof(ring_requests[i]));
	ring_requests[i].opcode = IORING_OP_NOP;
	ring_word(ring_params.sq_off.array)[i] = i;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) != 1)
		fault("io_uring_enter: %s", strerror(errno));
}

static void round_futex(void)
{
	uint32_t old = __atomic_load_n(&futex_word, __ATOMIC_ACQUIRE);

	if (!old) {
		long result = BLOCKED(SYS_futex, &futex_word, FUTEX_WAIT_PRIVATE, 0, 0, 0);

		if (result != -EAGAIN)
			expect(result, 0, "futex");
	} else {
		__atomic_store_n(&futex_word, 0, __ATOMIC_RELEASE);
	}
}

static void round_futex_timed(void)
{
	static uint32_t never;
	struct timespec t = { .tv_nsec = 50000000 };

	expect(BLOCKED(SYS_futex, &never, FUTEX_WAIT_PRIVATE, 0, &t, 0), -ETIMEDOUT, "timed futex");
}

static void round_accept(void)
{
	long fd = BLOCKED(SYS_accept, listener, 0, 0, 0, 0);

	if (fd >= 0)
		close(fd);
	else
		expect(fd, 0, "accept");
}

static void round_recv(void)
{
	static char byte;
	long got = BLOCKED(SYS_recvfrom, pipe_fds[0], &byte, 1, 0, 0);

	expect(got, 1, "recv");
}

static void round_waitpid(void)
{
	int status;
	long pid = BLOCKED(SYS_wait4, -1, &status, 0, 0, 0);

	if (pid == -ECHILD) { // the next child is not there yet
		usleep(1000);
		return;
	}
	if (pid > 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 7))
		fault("wait4: status %#x", status);
	else if (pid <= 0)
		expect(pid, 0, "wait4");
}

// A long restartable sequence: a borrower that entered it would keep the kernel from aborting it.
static void round_rseq(void)
{
	static struct rseq_cs cs;
	struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	uint64_t aborted = 0;

	cs.start_ip = (uint64_t)victim_rseq_start;
	cs.post_commit_offset = victim_rseq_end - victim_rseq_start;
	cs.abort_ip = (uint64_t)victim_rseq_abort;
	__asm__ volatile(
		"mov %[cs], %%rax\n"
		"mov $100000000, %%rcx\n"
		"mov %%rax, %[slot]\n"
		".globl victim_rseq_start\nvictim_rseq_start:\n"
		"1: dec %%rcx\n"
		"jnz 1b\n"
		".globl victim_rseq_end\nvictim_rseq_end:\n"
		"jmp 2f\n"
		".byte 0x0f, 0xb9, 0x3d\n.long 0x53053053\n" // the signature glibc registers
		".globl victim_rseq_abort\nvictim_rseq_abort:\n"
		"inc %[aborted]\n"
		"2:\n"
		: [aborted] "+r"(aborted), [slot] "=m"(area->rseq_cs)
		: [cs] "r"(&cs)
		: "rax", "rcx", "cc", "memory");
	page->aborts += aborted;
}

static const struct mode {
	const char *name;
	void (*round)(void);
} modes[] = {
	{ "spin", round_spin },
	{ "read", round_read },
	{ "nanosleep", round_nanosleep },
	{ "nanosleep_rest", round_nanosleep_rest },
	{ "poll", round_poll },
	{ "select", round_select },
	{ "epoll_wait", round_epoll },
	{ "epoll_pwait2", round_epoll_pwait2 },
	{ "epoll_timed", round_epoll_timed },
	{ "sigtimedwait", round_sigtimedwait },
	{ "semop", round_semop },
	{ "semtimedop", round_semtimedop },
	{ "io_getevents", round_io_getevents },
	{ "io_uring", round_io_uring },
	{ "futex", round_futex },
	{ "futex_timed", round_futex_timed },
	{ "accept", round_accept },
	{ "recv", round_recv },
	{ "recv_timed", round_recv },
	{ "waitpid", round_waitpid },
	{ "rseq", round_rseq },
};

// Makes the main thread's system call return; each line on stdin does it once.
static void poke(const char *mode)
{
	if (!strcmp(mode, "futex")) {
		__atomic_store_n(&futex_word, 1, __ATOMIC_RELEASE);
		syscall(SYS_futex, &futex_word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
	} else if (!strcmp(mode, "accept")) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
			fault("connect: %s", strerror(errno));
		close(fd);
	} else if (!strcmp(mode, "sigtimedwait")) {
		syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2);
	} else if (!strncmp(mode, "sem", 3)) {
		if (semop(semaphore, &(struct sembuf){ .sem_op = 1 }, 1))
			fault("semop: %s", strerror(errno));
	} else if (!strcmp(mode, "io_getevents")) {
		static struct iocb request = { .aio_lio_opcode = IOCB_CMD_PREAD };
		struct iocb *requests = &request;

		request.aio_fildes = page_fd;
		request.aio_buf = (uint64_t)buffer;
		request.aio_nbytes = 1;
		if (syscall(SYS_io_submit, aio, 1, &requests) != 1)
			fault("io_submit: %s", strerror(errno));
	} else if (!strcmp(mode, "io_uring")) {
		complete_one();
	} else if (!strcmp(mode, "waitpid")) {
		pid_t child = fork();

		if (child == 0)
			_exit(7);
	} else if (pipe_fds[1] >= 0 && write(pipe_fds[1], "p", 1) != 1) {
		fault("write: %s", strerror(errno));
	}
	page->pokes++;
}

static const char *mode_name;

static void *poker(void *arg)
{
	char line[8];

	(void)arg;
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	while (read(0, line, 1) == 1)
		if (line[0] == '\n')
			poke(mode_name);
	return NULL;
}

static void on_urgent(int signo)
{
	(void)signo;
	page->urgent++;
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	page->signals++;
	page->value = (uint64_t)info->si_value.sival_ptr;
}

static void filter(unsigned int forbidden)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program))
		fault("seccomp: %s", strerror(errno));
}

static void (*coroutine_round)(void);
static ucontext_t coroutine_context, main_context;

static void coroutine(void)
{
	for (;;) {
		coroutine_round();
		page->beats++;
	}
}

static void setup(const char *mode, const char *modifiers)
{
	if (!strncmp(mode, "recv", 4)) {
		const struct timeval limit = { 60, 0 };

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pipe_fds))
			abort();
		if (!strcmp(mode, "recv_timed") &&
		    setsockopt(pipe_fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
			abort();
	} else if (pipe(pipe_fds)) {
		abort();
	}
	if (!strcmp(mode, "sigtimedwait")) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	if (!strncmp(mode, "sem", 3)) {
		semaphore = semget(IPC_PRIVATE, 1, 0600);
		if (semaphore < 0)
			abort();
	}
	if (!strcmp(mode, "io_getevents") && syscall(SYS_io_setup, 64, &aio))
		exit(77);
	if (!strcmp(mode, "io_uring"))
		setup_ring();
	if (!strncmp(mode, "epoll", 5)) {
		struct epoll_event event = { .events = EPOLLIN };

		epoll_fd = epoll_create1(0);
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, pipe_fds[0], &event);
	}
	if (!strcmp(mode, "accept")) {
		socklen_t size = sizeof(address);

		listener = socket(AF_INET, SOCK_STREAM, 0);
		address.sin_family = AF_INET;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
		    listen(listener, 16) ||
		    getsockname(listener, (struct sockaddr *)&address, &size))
			abort();
	}
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_RESTART };

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGRTMIN, &action, NULL);
	// It ends what it interrupts.
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGALRM, &action, NULL);
	if (strstr(modifiers, "+sigurg"))
		signal(SIGURG, on_urgent);
	if (strstr(modifiers, "+altstack")) {
		stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };

		sigaltstack(&stack, NULL);
	}
	sigaltstack(NULL, &alternate);
	if (strstr(modifiers, "+mdwe") && prctl(65 /* PR_SET_MDWE */, 1, 0, 0, 0))
		fault("PR_SET_MDWE: %s", strerror(errno));
	if (strstr(modifiers, "+blocked")) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
	}
	sigprocmask(SIG_BLOCK, NULL, &mask);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	int fd = open(argv[1], O_RDWR | O_CREAT, 0600);

	if (fd < 0 || ftruncate(fd, 4096))
		return 2;
	page_fd = fd;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *modifiers = argv[2] + strcspn(argv[2], "+");
	char *mode = strndup(argv[2], modifiers - argv[2]);
	void (*round)(void) = NULL;

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(modes[i].name, mode))
			round = modes[i].round;
	if (page == MAP_FAILED || !round)
		return 2;
	mode_name = mode;
	__builtin_cpu_init();
	state.wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
	setup(mode, modifiers);

	pthread_t thread;

	if (!strstr(modifiers, "+alone") && pthread_create(&thread, NULL, poker, NULL))
		return 2;
	if (strstr(modifiers, "+seccomp"))
		filter(SYS_kexec_load);
	if (strstr(modifiers, "+no_tgkill"))
		filter(SYS_tgkill);
	if (strstr(modifiers, "+no_madvise"))
		filter(SYS_madvise);
	if (strstr(modifiers, "+no_tsc"))
		prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0);
	if (sigsetjmp(way_out, 1))
		page->entered++;
	page->ready = syscall(SYS_gettid);
	if (strstr(modifiers, "+coroutine")) {
		coroutine_round = round;
		getcontext(&coroutine_context);
		coroutine_context.uc_stack.ss_sp = malloc(262144);
		coroutine_context.uc_stack.ss_size = 262144;
		makecontext(&coroutine_context, coroutine, 0);
		swapcontext(&main_context, &coroutine_context);
	}
	for (;;) {
		round();
		page->beats++;
	}
}
