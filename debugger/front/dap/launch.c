// SPDX-License-Identifier: MIT
// Between fork and exec nothing is allocated: other threads of ours may have held the locks.
#include "debugger/front/dap/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ, WRITE };

// What a keeper tells, and is told in one byte each.
struct report {
	enum { REPORT_PID, REPORT_RUNS, REPORT_ENDED } kind;
	int value; // RUNS: 0, or why it does not; ENDED: as of waitpid()
};
enum { GO = 'g', KILL = 'k', RELEASE = 'r' };

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_pair(int pair[2])
{
	close_one(&pair[0]);
	close_one(&pair[1]);
}

// ---- The keeper ----

// What we ignore and block is our own affair.
static void usual_signals(void)
{
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

struct birth {
	int go[2]; // the program is not run before a byte is written
	int failure[2]; // an errno comes when it could not be run, else the end
	int fds[3]; // of the program's; -1: the keeper's
	pid_t tracer; // who is no ancestor of the program's; 0: an ancestor is
};

static bool birth_init(struct birth *birth)
{
	*birth = (struct birth){ { -1, -1 }, { -1, -1 }, { -1, -1, -1 }, 0 };
	return !pipe2(birth->go, O_CLOEXEC) && !pipe2(birth->failure, O_CLOEXEC);
}

static void birth_deinit(struct birth *birth)
{
	close_pair(birth->go);
	close_pair(birth->failure);
	for (int i = 0; i < 3; i++)
		close_one(&birth->fds[i]);
}

static void be_program(const struct launch_options *options, struct birth *birth, pid_t parent)
{
	char byte;

	if (birth->tracer)
		prctl(PR_SET_PTRACER, birth->tracer, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, options->outlives ? 0 : SIGKILL);
	// It may have ended before that.
	if (getppid() != parent)
		_exit(127);
	usual_signals();
	for (int i = 0; i < 3; i++) {
		if (birth->fds[i] >= 0)
			dup2(birth->fds[i], i);
	}
	close_one(&birth->go[WRITE]);
	if (read(birth->go[READ], &byte, 1) != 1)
		_exit(127);
	if (!options->cwd || !chdir(options->cwd))
		execvpe(options->program, options->argv, options->envp ?: environ);
	int cause = errno;

	if (write(birth->failure[WRITE], &cause, sizeof(cause)) < 0)
		_exit(126);
	_exit(127);
}

static void tell(int link, int kind, int value)
{
	const struct report report = { kind, value };

	send(link, &report, sizeof(report), MSG_NOSIGNAL);
}

// Until the program has ended, which it does with us unless it outlives us.
static int watch(int link, pid_t pid, bool outlives)
{
	struct pollfd polls[] = { { (int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0 },
				  { link, POLLIN, 0 } };
	int status = 0;
	char byte = 0;

	while (poll(polls, 2, -1) < 0 ? errno == EINTR : !polls[0].revents) {
		ssize_t n = polls[1].revents ? recv(link, &byte, 1, MSG_DONTWAIT) : -1;

		if ((n == 1 && byte == KILL) || (!n && !outlives))
			kill(pid, SIGKILL);
		outlives |= n == 1 && byte == RELEASE;
		if (!n)
			polls[1].fd = -1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	tell(link, REPORT_ENDED, status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int keep(int link, const struct launch_options *options, struct birth *birth)
{
	pid_t self = getpid(), pid = fork();
	int cause = 0;
	char byte;

	if (!pid)
		be_program(options, birth, self);
	if (pid < 0)
		return 127;
	close_one(&birth->go[READ]);
	close_one(&birth->failure[WRITE]);
	tell(link, REPORT_PID, pid);
	// What it is not sent to run, it finds out by the end of its pipe.
	if (recv(link, &byte, 1, 0) == 1 && byte == GO && write(birth->go[WRITE], "", 1) == 1 &&
	    read(birth->failure[READ], &cause, sizeof(cause)) != sizeof(cause))
		cause = 0;
	tell(link, REPORT_RUNS, cause);
	// It becomes no other program, and would hold open what others wait for the end of.
	close_range(0, (unsigned)link - 1, 0);
	close_range((unsigned)link + 1, ~0U, 0);
	return watch(link, pid, options->outlives);
}

static void be_keeper(int link, const struct launch_options *options, struct birth *birth)
{
	// Keys of our terminal are not for it.
	setsid();
	usual_signals();
	_exit(keep(link, options, birth));
}

// ---- Beginning ----

void launched_init(struct launched *launched)
{
	*launched = (struct launched){ .link = -1, .out = -1, .err = -1, .listener = -1 };
}

static bool receive(const struct launched *launched, int kind, int *value)
{
	struct report report;
	ssize_t n;

	do
		n = recv(launched->link, &report, sizeof(report), 0);
	while (n < 0 && errno == EINTR);
	*value = report.value;
	return n == sizeof(report) && (int)report.kind == kind;
}

static int await_pid(struct launched *launched)
{
	int pid;

	if (!receive(launched, REPORT_PID, &pid))
		return EAGAIN;
	launched->pid = pid;
	return 0;
}

static int start_keeper(const struct launch_options *options, struct birth *birth,
			struct launched *ret)
{
	int link[2], out[2], err[2];
	pid_t keeper;

	birth->fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (birth->fds[0] < 0 || pipe2(out, O_CLOEXEC))
		return errno;
	ret->out = out[READ];
	birth->fds[1] = out[WRITE];
	if (pipe2(err, O_CLOEXEC))
		return errno;
	ret->err = err[READ];
	birth->fds[2] = err[WRITE];
	// They are read to their ends, which who was born of the program may put off.
	fcntl(ret->out, F_SETFL, O_NONBLOCK);
	fcntl(ret->err, F_SETFL, O_NONBLOCK);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link))
		return errno;
	ret->link = link[0];
	keeper = fork();
	if (!keeper) {
		// Its end is to be seen.
		close(link[0]);
		be_keeper(link[1], options, birth);
	}
	close(link[1]);
	return keeper < 0 ? EAGAIN : 0;
}

int launch_prepare(const struct launch_options *options, struct launched *ret)
{
	struct birth birth;
	int cause = birth_init(&birth) ? start_keeper(options, &birth, ret) : errno;

	birth_deinit(&birth);
	return cause ? cause : await_pid(ret);
}

// ---- In a terminal ----

static int open_socket(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

// A folder of our own, so that nobody else comes.
int launch_listen(struct launched *ret, char path[64])
{
	struct sockaddr_un address;

	strcpy(ret->folder, "/tmp/debugcall-XXXXXX");
	if (!mkdtemp(ret->folder)) {
		*ret->folder = '\0';
		return errno;
	}
	snprintf(path, 64, "%s/launch", ret->folder);
	ret->listener = open_socket(path, &address);
	if (ret->listener < 0 ||
	    bind(ret->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(ret->listener, 1))
		return errno;
	return 0;
}

int launch_accept(struct launched *launched)
{
	int link;

	do
		link = accept4(launched->listener, NULL, NULL, SOCK_CLOEXEC);
	while (link < 0 && errno == EINTR);
	if (link < 0)
		return errno;
	launched->link = link;
	return await_pid(launched);
}

int launch_keep(const char *path, const struct launch_options *options)
{
	struct sockaddr_un address;
	struct ucred peer = { 0 };
	socklen_t length = sizeof(peer);
	struct birth birth;
	int link = open_socket(path, &address);

	if (link < 0 || connect(link, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockopt(link, SOL_SOCKET, SO_PEERCRED, &peer, &length) || !birth_init(&birth)) {
		perror("error: the debugger cannot be reached");
		return 127;
	}
	// The terminal's keys are for the program.
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	birth.tracer = peer.pid;
	return keep(link, options, &birth);
}

// ---- Afterwards ----

int launch_go(struct launched *launched)
{
	char byte = GO;
	int cause;

	if (send(launched->link, &byte, 1, MSG_NOSIGNAL) != 1 ||
	    !receive(launched, REPORT_RUNS, &cause))
		return ESRCH;
	return cause;
}

bool launch_ended(struct launched *launched, int *status)
{
	struct report report;
	ssize_t n = recv(launched->link, &report, sizeof(report), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	*status = n == sizeof(report) && report.kind == REPORT_ENDED ? report.value : -1;
	close_one(&launched->link);
	return true;
}

static void command(struct launched *launched, char byte)
{
	if (launched->link >= 0)
		send(launched->link, &byte, 1, MSG_NOSIGNAL);
}

void launch_release(struct launched *launched)
{
	command(launched, RELEASE);
}

void launch_kill(struct launched *launched)
{
	command(launched, KILL);
	// Whoever waits for the keeper waits in vain.
	if (launched->listener >= 0)
		shutdown(launched->listener, SHUT_RDWR);
}

void launch_deinit(struct launched *launched)
{
	char path[64];

	close_one(&launched->link);
	close_one(&launched->out);
	close_one(&launched->err);
	close_one(&launched->listener);
	if (*launched->folder) {
		snprintf(path, sizeof(path), "%s/launch", launched->folder);
		unlink(path);
		rmdir(launched->folder);
	}
	launched_init(launched);
}
