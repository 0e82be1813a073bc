// SPDX-License-Identifier: MIT
// Between fork and exec nothing is allocated: other threads of ours may have held the locks.
#include "debugger/front/dap/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ, WRITE };

struct pipes {
	int go[2], failure[2], report[2], out[2], err[2];
};

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			close(pair[i]);
		pair[i] = -1;
	}
}

static void close_all(struct pipes *pipes)
{
	close_pair(pipes->go);
	close_pair(pipes->failure);
	close_pair(pipes->report);
	close_pair(pipes->out);
	close_pair(pipes->err);
}

static int open_all(struct pipes *pipes)
{
	*pipes = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (!pipe2(pipes->go, O_CLOEXEC) && !pipe2(pipes->failure, O_CLOEXEC) &&
	    !pipe2(pipes->report, O_CLOEXEC) && !pipe2(pipes->out, O_CLOEXEC) &&
	    !pipe2(pipes->err, O_CLOEXEC))
		return 0;
	int cause = errno;

	close_all(pipes);
	return cause;
}

// What we ignore and block is our own affair.
static void usual_signals(void)
{
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	// It may have ended before that.
	if (getppid() != parent)
		_exit(127);
}

static void be_program(const struct launch_options *options, struct pipes *pipes, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY);
	char byte;

	if (!options->outlives)
		die_with(parent);
	usual_signals();
	dup2(null, STDIN_FILENO);
	dup2(pipes->out[WRITE], STDOUT_FILENO);
	dup2(pipes->err[WRITE], STDERR_FILENO);
	close(null);
	close(pipes->go[WRITE]);
	if (read(pipes->go[READ], &byte, 1) != 1)
		_exit(127);
	if (!options->cwd || !chdir(options->cwd))
		execvpe(options->program, options->argv, options->envp ?: environ);
	int cause = errno;

	if (write(pipes->failure[WRITE], &cause, sizeof(cause)) < 0)
		_exit(126);
	_exit(127);
}

static void be_parent(const struct launch_options *options, struct pipes *pipes, pid_t us)
{
	pid_t pid, self;
	int status, report = pipes->report[WRITE];

	if (!options->outlives)
		die_with(us);
	// Keys of our terminal are not for it.
	setsid();
	self = getpid();
	pid = fork();
	if (!pid)
		be_program(options, pipes, self);
	// It becomes no other program, and would hold open what others wait for the end of.
	close_range(0, (unsigned)report - 1, 0);
	close_range((unsigned)report + 1, ~0U, 0);
	if (write(report, &pid, sizeof(pid)) != sizeof(pid) || pid < 0)
		_exit(1);
	usual_signals();
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(write(report, &status, sizeof(status)) != sizeof(status));
}

int launch_prepare(const struct launch_options *options, struct launched *ret)
{
	struct pipes pipes;
	pid_t us = getpid(), pid = -1;
	int cause = open_all(&pipes);

	if (cause)
		return cause;
	*ret = (struct launched){ .parent = fork() };
	if (!ret->parent)
		be_parent(options, &pipes, us);
	close(pipes.report[WRITE]);
	pipes.report[WRITE] = -1;
	if (ret->parent < 0 || read(pipes.report[READ], &pid, sizeof(pid)) != sizeof(pid) ||
	    pid < 0) {
		close_all(&pipes);
		return EAGAIN;
	}
	ret->pid = pid;
	ret->go = pipes.go[WRITE];
	ret->failure = pipes.failure[READ];
	ret->report = pipes.report[READ];
	ret->out = pipes.out[READ];
	ret->err = pipes.err[READ];
	// They are read to their ends, which who was born of the program may put off.
	fcntl(ret->out, F_SETFL, O_NONBLOCK);
	fcntl(ret->err, F_SETFL, O_NONBLOCK);
	close(pipes.go[READ]);
	close(pipes.failure[WRITE]);
	close(pipes.out[WRITE]);
	close(pipes.err[WRITE]);
	return 0;
}

void launch_go(struct launched *launched)
{
	if (write(launched->go, "", 1) == 1)
		close(launched->go);
	launched->go = -1;
}

int launch_failure(struct launched *launched)
{
	int cause = 0;

	return read(launched->failure, &cause, sizeof(cause)) == sizeof(cause) ? cause : 0;
}

void launch_kill(struct launched *launched)
{
	if (launched->pid)
		kill(launched->pid, SIGKILL);
}

void launch_deinit(struct launched *launched)
{
	int *const fds[] = { &launched->go, &launched->failure, &launched->report, &launched->out,
			     &launched->err };

	if (!launched->pid)
		return;
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	*launched = (struct launched){ 0 };
}
