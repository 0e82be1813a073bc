// SPDX-License-Identifier: MIT
// One row for each system call.
#include "debugger/target/waits.h"

#include <linux/io_uring.h>
#include <stddef.h>
#include <sys/syscall.h>

enum {
	REST = WAIT_AT_REST,
	STEADY = WAIT_AT_REST | WAIT_STEADY,
	TIMED = WAIT_TIMED,
	NOT_A_WAIT = 1 << 15
};

static const struct {
	long nr;
	const char *name;
	unsigned waits;
} rows[] = {
#define ROW(name, waits)                 \
	{                                \
		SYS_##name, #name, waits \
	}
	ROW(read, REST | WAIT_STDIO | WAIT_SOCKET),
	ROW(readv, REST | WAIT_STDIO | WAIT_SOCKET),
	ROW(pread64, REST),
	ROW(write, REST | WAIT_STDIO | WAIT_SOCKET),
	ROW(writev, REST | WAIT_STDIO | WAIT_SOCKET),
	ROW(recvfrom, REST | WAIT_SOCKET),
	ROW(recvmsg, REST | WAIT_SOCKET),
	ROW(sendto, REST | WAIT_SOCKET),
	ROW(sendmsg, REST | WAIT_SOCKET),
	ROW(accept, REST | WAIT_SOCKET),
	ROW(accept4, REST | WAIT_SOCKET),
	ROW(connect, REST | WAIT_SOCKET),
	ROW(wait4, STEADY),
	ROW(waitid, STEADY),
	ROW(flock, STEADY),
	ROW(pause, STEADY),
	ROW(rt_sigsuspend, STEADY),
	ROW(select, STEADY),
	ROW(pselect6, STEADY),
	ROW(ppoll, STEADY),
	ROW(poll, STEADY | TIMED),
	ROW(nanosleep, STEADY | TIMED),
	ROW(clock_nanosleep, STEADY | TIMED),
	ROW(restart_syscall, STEADY | TIMED | NOT_A_WAIT),
	ROW(futex, STEADY | WAIT_ALLOCATOR), // timed by its fourth argument
	ROW(epoll_wait, REST | TIMED | WAIT_EINTR),
	ROW(epoll_pwait, REST | TIMED | WAIT_EINTR),
	ROW(epoll_pwait2, REST | TIMED | WAIT_EINTR),
	ROW(rt_sigtimedwait, REST | TIMED | WAIT_EINTR),
	ROW(semop, TIMED | WAIT_EINTR),
	ROW(semtimedop, TIMED | WAIT_EINTR),
	ROW(io_getevents, TIMED | WAIT_EINTR),
	ROW(io_uring_enter, REST | TIMED | WAIT_EINTR),
	ROW(msgrcv, 0),
	ROW(msgsnd, 0),
	ROW(ioctl, 0),
	ROW(fcntl, 0),
	ROW(fsync, 0),
	ROW(splice, 0),
	ROW(getrandom, 0),
	ROW(mmap, WAIT_ALLOCATOR | NOT_A_WAIT),
	ROW(munmap, WAIT_ALLOCATOR | NOT_A_WAIT),
	ROW(mremap, WAIT_ALLOCATOR | NOT_A_WAIT),
	ROW(mprotect, WAIT_ALLOCATOR | NOT_A_WAIT),
	ROW(madvise, WAIT_ALLOCATOR | NOT_A_WAIT),
	ROW(brk, WAIT_ALLOCATOR | NOT_A_WAIT),
#undef ROW
};

// How the arguments of those that end with EINTR tell that there is no time to be up.
static const struct {
	long nr;
	enum { IS_ALWAYS, IS_NEGATIVE, IS_NULL, IS_CLEAR } when;
	unsigned arg; // the index of the time, or of flags
	uint64_t flags; // IS_CLEAR: without these there is none
} endless[] = {
	{ SYS_epoll_wait, IS_NEGATIVE, 3, 0 },
	{ SYS_epoll_pwait, IS_NEGATIVE, 3, 0 },
	{ SYS_epoll_pwait2, IS_NULL, 3, 0 },
	{ SYS_rt_sigtimedwait, IS_NULL, 2, 0 },
	{ SYS_semop, IS_ALWAYS, 0, 0 },
	{ SYS_semtimedop, IS_NULL, 3, 0 },
	{ SYS_io_getevents, IS_NULL, 4, 0 },
	// Had it submitted anything it would have said how much, and not EINTR.
	{ SYS_io_uring_enter, IS_CLEAR, 3, IORING_ENTER_EXT_ARG },
};

bool waits_has_no_end(long nr, const uint64_t args[6])
{
	for (size_t i = 0; i < sizeof(endless) / sizeof(*endless); i++) {
		uint64_t arg = args[endless[i].arg];

		if (endless[i].nr != nr)
			continue;
		switch (endless[i].when) {
		case IS_ALWAYS: return true;
		case IS_NEGATIVE: return (int32_t)arg < 0;
		case IS_NULL: return !arg;
		case IS_CLEAR: return !(arg & endless[i].flags);
		}
	}
	return false;
}

bool waits_shows_eintr(long nr, const uint64_t args[6])
{
	return waits_of(nr) & WAIT_EINTR && !waits_has_no_end(nr, args);
}

unsigned waits_of(long nr)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].nr == nr)
			return rows[i].waits;
	}
	return 0;
}

const char *waits_name(long nr)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].nr == nr)
			return rows[i].waits & NOT_A_WAIT ? NULL : rows[i].name;
	}
	return NULL;
}
