// SPDX-License-Identifier: MIT
// Breakpoints by perf_event_open(2).
#include "debugger/target/kernel_breakpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int kernel_breakpoint_notice(const struct thread_info *info)
{
	static const int candidates[] = { SIGURG, SIGWINCH, SIGCHLD };

	for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates); i++) {
		uint64_t bit = UINT64_C(1) << (candidates[i] - 1);

		// SIG_IGN for SIGCHLD reaps children, so that one is not ignored by default either.
		if (!((info->sig_blocked | info->sig_caught | info->sig_ignored) & bit))
			return candidates[i];
	}
	return 0;
}

static struct perf_event_attr attributes(enum kernel_breakpoint_kind kind, uint64_t addr,
					 size_t size)
{
	static const uint32_t types[] = {
		[BREAKPOINT_EXECUTE] = HW_BREAKPOINT_X,
		[BREAKPOINT_WRITE] = HW_BREAKPOINT_W,
		[BREAKPOINT_ACCESS] = HW_BREAKPOINT_RW,
	};

	return (struct perf_event_attr){
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(struct perf_event_attr),
		.bp_type = types[kind],
		.bp_addr = addr,
		.bp_len = kind == BREAKPOINT_EXECUTE ? sizeof(long) : size,
		.sample_period = 1,
		.wakeup_events = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.disabled = 1,
	};
}

static struct dc_error *refused(pid_t tid, uint64_t addr)
{
	switch (errno) {
	case EACCES:
	case EPERM:
		return error_make(
			DC_REFUSED,
			"the kernel allows us no breakpoint on thread %d (perf events are "
			"for CAP_PERFMON here: kernel.perf_event_paranoid)",
			tid);
	case ENOSPC: return error_make(DC_REFUSED, "thread %d has no free breakpoint", tid);
	case EINVAL:
		return error_make(DC_REFUSED, "the processor cannot watch that many bytes at 0x%jx",
				  (uintmax_t)addr);
	default: return error_errno(errno, "a breakpoint on thread %d", tid);
	}
}

// The kernel tells the descriptor's number as it was when the signal was chosen, so it is moved
// first, out of the way of programs that expect low ones.
static int move_high(int fd)
{
	enum { HIGH = 200 };
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

// One that was closed is sometimes still counted for a while: seen on a crowded machine, where three
// that were gone left room for none.
static int open_event(struct perf_event_attr *attr, pid_t tid)
{
	enum { LOOKS = 20, LOOK_NS = 1000 * 1000 };
	int fd = -1;

	for (int i = 0; i < LOOKS; i++) {
		fd = (int)syscall(SYS_perf_event_open, attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
		if (fd >= 0 || errno != ENOSPC)
			return fd;
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	}
	errno = ENOSPC;
	return fd;
}

struct dc_error *kernel_breakpoint_prepare(struct kernel_breakpoint *breakpoint, pid_t tid,
					   enum kernel_breakpoint_kind kind, uint64_t addr,
					   size_t size, int notice)
{
	struct perf_event_attr attr = attributes(kind, addr, size);
	struct f_owner_ex owner = { F_OWNER_TID, tid };
	int fd = open_event(&attr, tid);

	*breakpoint = KERNEL_BREAKPOINT_NONE;
	if (fd < 0)
		return refused(tid, addr);
	fd = move_high(fd);
	// Without a signal of its own choice the kernel sends SIGIO, which kills. It is enabled
	// last: a hit before the notice is set would be counted and not shown.
	if (fcntl(fd, F_SETOWN_EX, &owner) || fcntl(fd, F_SETSIG, notice) ||
	    fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK)) {
		struct dc_error *err = error_errno(errno, "a breakpoint on thread %d", tid);

		close(fd);
		return err;
	}
	*breakpoint = (struct kernel_breakpoint){
		.fd = fd, .tid = tid, .addr = addr, .notice = notice
	};
	return NULL;
}

struct dc_error *kernel_breakpoint_attach(struct kernel_breakpoint *breakpoint,
					  struct filter *filter)
{
	struct dc_error *err = filter_attach(filter, breakpoint->fd, breakpoint->tid,
					     &breakpoint->place);

	if (!err)
		breakpoint->filter = filter;
	return err;
}

struct dc_error *kernel_breakpoint_enable(struct kernel_breakpoint *breakpoint)
{
	if (ioctl(breakpoint->fd, PERF_EVENT_IOC_ENABLE, 0))
		return error_errno(errno, "a breakpoint on thread %d", breakpoint->tid);
	return NULL;
}

struct dc_error *kernel_breakpoint_arm(struct kernel_breakpoint *breakpoint, pid_t tid,
				       enum kernel_breakpoint_kind kind, uint64_t addr, size_t size,
				       int notice)
{
	struct dc_error *err = kernel_breakpoint_prepare(breakpoint, tid, kind, addr, size, notice);

	if (!err)
		err = kernel_breakpoint_enable(breakpoint);
	if (err)
		kernel_breakpoint_disarm(breakpoint);
	return err;
}

struct dc_error *kernel_breakpoint_move(struct kernel_breakpoint *breakpoint, uint64_t addr)
{
	struct perf_event_attr attr = attributes(BREAKPOINT_EXECUTE, addr, 0);

	// With disabled set the event would be off until it is enabled anew.
	attr.disabled = 0;
	if (ioctl(breakpoint->fd, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &attr))
		return error_errno(errno, "moving a breakpoint of thread %d", breakpoint->tid);
	breakpoint->addr = addr;
	return NULL;
}

static uint64_t count_of(const struct kernel_breakpoint *breakpoint)
{
	uint64_t count;

	if (breakpoint->fd < 0 || read(breakpoint->fd, &count, sizeof(count)) != sizeof(count))
		return breakpoint->seen;
	return count;
}

uint64_t kernel_breakpoint_untold(const struct kernel_breakpoint *breakpoint)
{
	return (breakpoint->filter ? filter_told(breakpoint->filter, breakpoint->place)
				   : count_of(breakpoint)) -
	       breakpoint->seen;
}

uint64_t kernel_breakpoint_unjudged(const struct kernel_breakpoint *breakpoint)
{
	uint64_t met = breakpoint->filter ? count_of(breakpoint) : 0;
	uint64_t judged = met ? filter_judged(breakpoint->filter, breakpoint->place) : 0;

	return met > judged ? met - judged : 0;
}

uint64_t kernel_breakpoint_hits(struct kernel_breakpoint *breakpoint)
{
	uint64_t since = kernel_breakpoint_untold(breakpoint);

	breakpoint->seen += since;
	return since;
}

void kernel_breakpoint_disarm(struct kernel_breakpoint *breakpoint)
{
	if (breakpoint->fd >= 0)
		close(breakpoint->fd);
	if (breakpoint->filter)
		filter_detach(breakpoint->filter, breakpoint->tid, breakpoint->place);
	*breakpoint = KERNEL_BREAKPOINT_NONE;
}
