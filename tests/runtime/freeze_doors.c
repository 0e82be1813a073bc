// SPDX-License-Identifier: MIT
// valgrind: it takes no vector registers from what a handler changed, by which these calls are led
// timeout: 300 s
// Every way back to a goroutine while the process dies with dontfreezetheworld: none leads there any more.
//
// The report of the dying process is not read on once the world is frozen, so that it waits in write(2). Then what was
// held back is let go, and has done what it does when every thread of the process is asleep for good.
#include "tests/runtime/inject.h"
#include "tests/runtime/self.h"
#include "tests/runtime/way.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { IDLE = 200, ROUNDS = 10 };

static struct shared {
	_Atomic int held; // what is to be held back stands at its door
	_Atomic int go;
	_Atomic int ran; // somebody came through
	int data[2]; // a pipe
} * shared;

// Not by a call of the runtime: it is in the middle of one.
static void hold(void)
{
	shared->held = 1;
	while (!shared->go)
		usleep(1000);
}

static int callee(void)
{
	shared->ran = 1;
	return 0;
}

// ---- the process that dies ----------------------------------------------------------------------

static void park(void *arg)
{
	(void)arg;
	gort_park();
}

// Equal stacks would be told once.
static void idle(void *number)
{
	way(park, NULL, (unsigned)(uintptr_t)number, 9);
}

__attribute__((noinline)) static void reader(void *arg)
{
	char c;

	(void)arg;
	shared->held = 1;
	gort_read(shared->data[0], &c, 1);
	shared->ran = 1;
}

static void wait_in_blocking(void *arg)
{
	(void)arg;
	hold();
}

__attribute__((noinline)) static void blocker(void *arg)
{
	gort_blocking(wait_in_blocking, arg);
	shared->ran = 1;
}

static void *foreign(void *arg)
{
	hold();
	gort_callback((void (*)(void *))(uintptr_t)callee, arg);
	return NULL;
}

static struct injection injection;
static struct worker worker;

// User code with a call in it that is on its way back.
__attribute__((noinline)) static void caller(void *arg)
{
	(void)arg;
	worker.tid = (uint32_t)syscall(SYS_gettid);
	while (!*(volatile uint32_t *)&injection.done)
		;
	shared->ran = 1;
	for (;;)
		;
}

static void at_returned(struct injection *i)
{
	if (i->client.outcome == CLIENT_GOT_RETURNED && i->client.state == CLIENT_LEAVING)
		hold();
}

// The entry has looked whether the process dies, and asks for SIGINT: held there.
static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig, (void)info;
	hold();
	uc->uc_mcontext.gregs[REG_RAX] = 0;
}

static bool trap_sigaction(void)
{
	// Only the question what is set: the answer is set for real.
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGINT, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };
	struct sigaction action = { .sa_sigaction = on_sigsys,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	sigaction(SIGSYS, &action, NULL);
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

static void *debugger(void *arg)
{
	(void)arg;
	while (!worker.tid)
		sched_yield();
	prepare_in(&injection, (void *)callee);
	injection.at_status = at_returned;
	while (!shared->held) {
		send_to(&injection, (int)worker.tid);
		while (!shared->held && injection.done != NOT_THERE)
			sched_yield();
	}
	return NULL;
}

static void start(const char *mode)
{
	pthread_t thread;

	if (!strcmp(mode, "netpoll"))
		gort_go(reader, NULL);
	if (!strcmp(mode, "blocking"))
		gort_go(blocker, NULL);
	if (!strcmp(mode, "callback") && pthread_create(&thread, NULL, foreign, NULL))
		abort();
	if (strcmp(mode, "begin") && strcmp(mode, "back"))
		return;
	if (!strcmp(mode, "begin") && !trap_sigaction())
		_exit(77);
	gort_go(caller, NULL);
	if (pthread_create(&thread, NULL, debugger, NULL))
		abort();
}

static void dies(void *arg)
{
	// First, so that it is told last.
	start(arg);
	for (long i = 0; i < IDLE; i++)
		gort_go(idle, (void *)i);
	while (!shared->held)
		gort_sleep(100 * 1000);
	// The netpoller is to be asleep in the kernel.
	gort_sleep(5 * 1000 * 1000);
	shared->ran = 0;
	gort_panic("now");
}

// ---- the test -----------------------------------------------------------------------------------

// Asleep in a system call from which only the parent's reading, or nothing, wakes it.
static bool asleep_for_good(int pid, const char *tid)
{
	char path[300], line[256] = "", state = 0;
	long call = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid, tid);
	file = fopen(path, "r");
	if (!file)
		return true;
	if (fgets(line, sizeof(line), file) && strrchr(line, ')'))
		state = strrchr(line, ')')[2];
	fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/task/%s/syscall", pid, tid);
	file = fopen(path, "r");
	if (!file)
		return true;
	if (fscanf(file, "%ld", &call) != 1)
		call = -1;
	fclose(file);
	return state == 'Z' || (state == 'S' && (call == SYS_futex || call == SYS_write));
}

static bool settled(int pid)
{
	char path[64];
	struct dirent *e;
	bool all = true;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			all &= asleep_for_good(pid, e->d_name);
	if (dir)
		closedir(dir);
	return all;
}

static size_t read_until(int fd, char *text, size_t room, const char *what)
{
	size_t n = 0;
	ssize_t more;

	text[0] = '\0';
	while ((!what || !strstr(text, what)) && (more = read(fd, text + n, room - n - 1)) > 0) {
		n += (size_t)more;
		text[n] = '\0';
	}
	return n;
}

// 1: somebody ran. 0: nobody. -1: cannot be tried here.
static int once(const char *mode, int mem, char *text, size_t room)
{
	char fd[16];
	int out[2], pid, status;
	size_t n;

	memset(shared, 0, sizeof(*shared));
	if (pipe(shared->data) || pipe2(out, O_CLOEXEC))
		abort();
	fcntl(out[0], F_SETPIPE_SZ, 4096);
	fcntl(shared->data[0], F_SETFL, O_NONBLOCK);
	snprintf(fd, sizeof(fd), "%d", mem);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(out[1], 2);
		setenv("GORTDEBUG", "dontfreezetheworld=1,asyncpreemptoff=1", 1);
		setenv("GORTMAXPROCS", "4", 1);
		alarm(60);
		execl(self_path(), self_path(), mode, fd, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	n = read_until(out[0], text, room, "goroutine 1 [running]:\n");
	shared->go = 1;
	if (write(shared->data[1], "x", 1) != 1)
		abort();
	while (n && !shared->ran && !(settled(pid) && settled(pid)))
		usleep(1000);
	read_until(out[0], text + n, room - n, NULL);
	close(out[0]);
	close(shared->data[0]);
	close(shared->data[1]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		return -1;
	return shared->ran || !WIFEXITED(status) || WEXITSTATUS(status) != 2;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *mode, *what;
	} doors[] = {
		{ "netpoll", "a goroutine that the netpoller wakes" },
		{ "callback", "a callback" },
		{ "begin", "the callee of a debug call" },
		{ "back", "the caller of a debug call" },
		{ "blocking", "a goroutine that comes out of gort_blocking" },
	};
	static char text[1 << 20];
	int mem = argc > 2 ? atoi(argv[2]) : memfd_create("shared", 0);

	if (argc <= 2 && (mem < 0 || ftruncate(mem, sizeof(*shared))))
		return 1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	if (argc > 2) {
		inject_init();
		return gort_main(dies, argv[1]);
	}
#ifdef __SANITIZE_THREAD__
	printf("1..0 # SKIP TSan holds the signals back that lead these calls\n");
	return 0;
#endif
	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		int ran = 0;
		for (int round = 0; round < ROUNDS && !ran; round++)
			ran = once(doors[i].mode, mem, text, sizeof(text));
		if (ran < 0)
			printf("ok %d - %s # SKIP no seccomp filter can be set\n", ++count,
			       doors[i].what);
		else
			report(!ran, doors[i].what, "ran: %.4000s", text);
	}
	// The last one was in gort_blocking, and has not gone over its own frames on the way here.
	report(strstr(text, "[blocking") && strstr(text, "\tblocker+"),
	       "its stack is told as it stands there", "%.4000s", text);
	printf("1..%d\n", count);
	return failures != 0;
}
