// SPDX-License-Identifier: MIT
// Programs that are begun under control: a child waits until it is followed, then becomes the
// program, and stands before its first instruction.
#include "debugger/session/breakpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>

void dc_launch_init(struct dc_launch *launch)
{
	*launch = (struct dc_launch){ .fds = { -1, -1, -1 } };
}

struct birth {
	pid_t pid;
	int go[2]; // the child begins when the writing end is closed
	int failed[2]; // errno, when it could not; closed when it could
};

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void birth_deinit(struct birth *birth)
{
	for (int i = 0; i < 2; i++) {
		close_one(&birth->go[i]);
		close_one(&birth->failed[i]);
	}
}

// What is open on 0, 1 and 2 behind it is the terminal, until fds replaces it.
static bool lead_session(const char *terminal)
{
	int fd = setsid() < 0 ? -1 : open(terminal, O_RDWR);

	// One that is another session's already is not taken from it, and is still read and written.
	if (fd < 0 || (ioctl(fd, TIOCSCTTY, 0) < 0 && errno != EPERM))
		return false;
	for (int i = 0; i < 3; i++) {
		if (dup2(fd, i) < 0)
			return false;
	}
	if (fd > 2)
		close(fd);
	return true;
}

// In the child, where only what is safe in a signal handler may be called.
static void become(const struct dc_launch *launch, const struct birth *birth)
{
	char byte;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	if (launch->terminal && !lead_session(launch->terminal))
		return;
	if (launch->own_group && !launch->terminal)
		setpgid(0, 0);
	if (!launch->randomize)
		personality(ADDR_NO_RANDOMIZE);
	while (read(birth->go[0], &byte, 1) < 0 && errno == EINTR)
		;
	for (int fd = 0; fd < 3; fd++) {
		if (launch->fds[fd] >= 0 && dup2(launch->fds[fd], fd) < 0)
			return;
	}
	if (launch->directory && chdir(launch->directory))
		return;
	if (launch->environment)
		execvpe(launch->argv[0], (char *const *)launch->argv,
			(char *const *)launch->environment);
	else
		execvp(launch->argv[0], (char *const *)launch->argv);
}

static struct dc_error *bear(const struct dc_launch *launch, struct birth *ret)
{
	sigset_t all, old;

	*ret = (struct birth){ .go = { -1, -1 }, .failed = { -1, -1 } };
	if (pipe2(ret->go, O_CLOEXEC) || pipe2(ret->failed, O_CLOEXEC))
		return error_errno(errno, "a pipe");
	// A handler of the embedding program's is not for the child.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret->pid = fork();
	if (!ret->pid) {
		close(ret->go[1]);
		become(launch, ret);

		int cause = errno;

		if (write(ret->failed[1], &cause, sizeof(cause)) < 0)
			_exit(126);
		_exit(127);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret->pid < 0)
		return error_errno(errno, "a process cannot be made");
	close_one(&ret->failed[1]);
	return NULL;
}

static struct dc_error *run_await(void *arg)
{
	enum { LIMIT_S = 20 };
	struct dc_session *session = arg;
	struct thread *thread = NULL;
	int64_t until = tracer_now() + LIMIT_S * INT64_C(1000000000);
	struct dc_error *err;

	for (;;) {
		err = control_wait_stop(session->control, until, &thread);
		if (err || !thread || thread->stop.kind == STOP_EXEC)
			break;
		err = thread_go(thread);
		if (err)
			break;
	}
	if (!err && !thread)
		err = error_make(DC_SYSTEM, "the program does not begin");
	return err ? err : loading_execed(session);
}

static struct dc_error *why_not(const struct dc_launch *launch, const struct birth *birth,
				struct dc_error *err)
{
	int cause;

	if (read(birth->failed[0], &cause, sizeof(cause)) != sizeof(cause))
		return err;
	dc_error_destroy(err);
	return error_in_state(
		error_make(DC_ATTACH, "%s cannot be run: %s", launch->argv[0], strerror(cause)),
		DC_STATE_ENDED);
}

static struct dc_error *control_child(struct dc_session *session,
				      const struct dc_control_options *options, struct birth *birth)
{
	_turn_(session);
	struct dc_error *err = session_control(session, options);

	close_one(&birth->go[1]);
	if (!err)
		err = session_run(session, run_await, session);
	if (!err)
		err = session_attend(session);
	return err;
}

struct dc_error *dc_launch(const struct dc_launch *launch, const struct dc_options *options,
			   const struct dc_control_options *control, struct dc_session **ret)
{
	_cleanup_(birth_deinit) struct birth birth;
	struct dc_options mine = *options;
	struct dc_session *session = NULL;
	struct dc_error *err = bear(launch, &birth);

	if (err)
		return err;
	mine.pid = birth.pid;
	err = dc_open(&mine, &session);
	if (!err)
		err = control_child(session, control, &birth);
	if (!err) {
		*ret = session;
		return NULL;
	}
	kill(birth.pid, SIGKILL);
	close_one(&birth.go[1]);
	err = why_not(launch, &birth, err);
	dc_close(session);
	waitpid(birth.pid, NULL, 0);
	return err;
}

struct dc_error *dc_kill(struct dc_session *session)
{
	_turn_(session);

	if (process_alive(session->process) &&
	    syscall(SYS_pidfd_send_signal, session->process->pidfd, SIGKILL, NULL, 0) &&
	    errno != ESRCH)
		return error_errno(errno, "process %d cannot be killed", session->process->pid);
	return NULL;
}
