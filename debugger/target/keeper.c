// SPDX-License-Identifier: MIT
// The keeper, a grandchild: whoever waits for children of ours never meets it. In it only what is
// safe in a signal handler is called.
#include "debugger/target/keeper.h"

#include "debugger/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct keeper {
	int socket; // it sees the end of us by the other end
};

// A number, with the descriptor; without: it is dropped.
struct message {
	struct msghdr header;
	struct iovec text;
	unsigned number;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
};

static void message_init(struct message *message)
{
	memset(message, 0, sizeof(*message));
	message->text = (struct iovec){ &message->number, sizeof(message->number) };
	message->header = (struct msghdr){ .msg_iov = &message->text,
					   .msg_iovlen = 1,
					   .msg_control = &message->control,
					   .msg_controllen = sizeof(message->control) };
}

// ---- in the keeper --------------------------------------------------------------------------------

static int received(struct message *message)
{
	const struct cmsghdr *head = CMSG_FIRSTHDR(&message->header);
	int fd = -1;

	if (head && head->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}

// Of what was ours it has the socket only: not the terminal, no pipe that somebody reads to its end,
// no directory.
static int shed(int socket)
{
	enum { KEPT_SOCKET = 3 };
	sigset_t all;
	int null = open("/dev/null", O_RDWR);

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	if (chdir("/") || null < 0)
		return -1;
	for (int fd = 0; fd < KEPT_SOCKET; fd++) {
		if (dup2(null, fd) < 0)
			return -1;
	}
	if (socket != KEPT_SOCKET && dup2(socket, KEPT_SOCKET) < 0)
		return -1;
	syscall(SYS_close_range, KEPT_SOCKET + 1, ~0U, 0);
	prctl(PR_SET_NAME, "debugcall-keep");
	return KEPT_SOCKET;
}

static void keep(int socket, void *shared, size_t size)
{
	static int kept[KEPT_MAX]; // 0: none
	struct message message;
	ssize_t got = 0;

	socket = shed(socket);
	if (socket >= 0 && send(socket, "", 1, MSG_NOSIGNAL) != 1)
		socket = -1;
	while (socket >= 0) {
		message_init(&message);
		got = recvmsg(socket, &message.header, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got != sizeof(message.number))
			break;

		int *at = &kept[message.number % KEPT_MAX];

		if (*at)
			close(*at);
		*at = received(&message);
		if (*at < 0)
			*at = 0;
	}
	memset(shared, 0, size);
	_exit(0);
}

// ---- here -----------------------------------------------------------------------------------------

// No signal tells of its end, and no handler of fork()'s runs.
static pid_t split(void)
{
	return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
}

// Until then it has all our descriptors: what we close stays open, and the processor's breakpoints
// are taken.
static bool has_shed(const struct keeper *keeper)
{
	char byte;
	ssize_t got;

	do
		got = recv(keeper->socket, &byte, sizeof(byte), 0);
	while (got < 0 && errno == EINTR);
	return got == sizeof(byte);
}

struct dc_error *keeper_create(void *shared, size_t size, struct keeper **ret)
{
	struct keeper *keeper = malloc(sizeof(*keeper));
	int ends[2];

	if (!keeper)
		return &dc_out_of_memory;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		free(keeper);
		return error_errno(errno, "a keeper of breakpoints");
	}
	keeper->socket = ends[0];

	pid_t child = split();

	if (!child) {
		pid_t grandchild = split();

		if (!grandchild)
			keep(ends[1], shared, size);
		_exit(grandchild < 0 ? errno : 0);
	}
	close(ends[1]);

	int status = 0, cause = child < 0 ? errno : 0;

	while (child > 0 && waitpid(child, &status, __WALL) < 0 && errno == EINTR)
		;
	if (child > 0 && WIFEXITED(status))
		cause = WEXITSTATUS(status);
	if (!cause && !has_shed(keeper))
		cause = ECHILD;
	if (cause) {
		keeper_destroy(keeper);
		return error_errno(cause, "a keeper of breakpoints");
	}
	*ret = keeper;
	return NULL;
}

void keeper_destroy(struct keeper *keeper)
{
	if (!keeper)
		return;
	close(keeper->socket);
	free(keeper);
}

static bool tell(struct keeper *keeper, struct message *message)
{
	ssize_t sent;

	do
		sent = sendmsg(keeper->socket, &message->header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == sizeof(message->number);
}

struct dc_error *keeper_hold(struct keeper *keeper, unsigned number, int fd)
{
	struct message message;

	message_init(&message);
	message.number = number;
	message.control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&message.control.head), &fd, sizeof(fd));
	return tell(keeper, &message) ? NULL
				      : error_errno(errno, "the keeper of breakpoints is gone");
}

void keeper_drop(struct keeper *keeper, unsigned number)
{
	struct message message;

	message_init(&message);
	message.number = number;
	message.header.msg_control = NULL;
	message.header.msg_controllen = 0;
	tell(keeper, &message);
}
