// SPDX-License-Identifier: MIT
// By pidfd_getfd(2), which wants the right to trace, as all else does here.
#include "debugger/target/socket_times.h"

#include "debugger/base/cleanup.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static bool has_limit(int fd, int option)
{
	struct timeval limit;
	socklen_t size = sizeof(limit);

	return !getsockopt(fd, SOL_SOCKET, option, &limit, &size) &&
	       (limit.tv_sec || limit.tv_usec);
}

bool socket_times_out(const struct process *process, int fd)
{
	_cleanup_close_ int copy = (int)syscall(SYS_pidfd_getfd, process->pidfd, fd, 0);

	return copy >= 0 && (has_limit(copy, SO_RCVTIMEO) || has_limit(copy, SO_SNDTIMEO));
}
