// SPDX-License-Identifier: MIT
// The netpoller: one epoll instance, edge-triggered, in which each descriptor is registered once
// for everything.
#include "runtime/sync/netpoll.h"
#include "runtime/base/raw.h"
#include "runtime/sched/given.h"
#include "runtime/sync/fd.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

uint32_t gort__netpoll_on;
uint32_t gort__netpoll_waiters;

static struct lock start_lock = GORT__LOCK_INIT(LEAF);
static int epoll_fd = -1;
static int break_fd = -1;
static uint32_t breaking; // break_fd has been written and not been read

enum { BATCH = 128 }; // events per call
static const uint64_t BREAK = UINT64_MAX; // what epoll reports for break_fd

static gort__cold int start(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = BREAK };
	int ret = 0, poll_fd, event_fd;

	gort__lock(&start_lock);
	if (!gort__load(&gort__netpoll_on)) {
		poll_fd = epoll_create1(EPOLL_CLOEXEC);
		event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		// Level-triggered: an M that only polls must not take the break from the one that
		// waits.
		if (poll_fd < 0 || event_fd < 0 ||
		    epoll_ctl(poll_fd, EPOLL_CTL_ADD, event_fd, &ev)) {
			ret = -errno;
			if (poll_fd >= 0)
				close(poll_fd);
			if (event_fd >= 0)
				close(event_fd);
		} else {
			epoll_fd = poll_fd;
			break_fd = event_fd;
			gort__store_release(&gort__netpoll_on, 1);
		}
	}
	gort__unlock(&start_lock);
	return ret;
}

int gort__netpoll_add(int fd, uint32_t generation)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET,
		.data.u64 = (uint64_t)generation << 32 | (uint32_t)fd,
	};
	int ret = 0;

	if (gort__unlikely(!gort__load_acquire(&gort__netpoll_on)))
		ret = start();
	if (!ret && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		ret = -errno;
	// The number was closed and given to a duplicate of the same file.
	if (ret == -EEXIST)
		ret = epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &ev) ? -errno : 0;
	return ret;
}

void gort__netpoll_remove(int fd)
{
	struct epoll_event unused = { 0 };

	// Closed already, or another file by now: then there is nothing to remove.
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, &unused);
}

// ---- waking the one that waits ------------------------------------------------------------------

void gort__netpoll_break(void)
{
	uint32_t no = 0;
	uint64_t one = 1;

	if (!gort__load_acquire(&gort__netpoll_on) || !gort__cas(&breaking, &no, 1))
		return;
	// A raw call: in a signal handler errno must stay.
	while (gort__raw(SYS_write, break_fd, (long)&one, sizeof(one), 0, 0, 0) == -EINTR)
		;
}

static void break_done(void)
{
	uint64_t count;

	while (read(break_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	gort__store_release(&breaking, 0);
}

// ---- polling ------------------------------------------------------------------------------------

// Notes an edge and claims those who wait for it.
static int edge(uint64_t data, uint32_t events, struct glist *ready)
{
	struct fd *d = gort__fd((int)(uint32_t)data);
	uint32_t wakes = events;
	int n = 0;

	if (events & (EPOLLHUP | EPOLLERR))
		wakes |= EPOLLIN | EPOLLOUT;
	if (events & (EPOLLRDHUP | EPOLLPRI))
		wakes |= EPOLLIN;
	gort__lock(&d->lock);
	if (d->generation != (uint32_t)(data >> 32)) {
		// Of a file that was closed since.
		gort__unlock(&d->lock);
		return 0;
	}
	// No edge follows these: from now on only a read tells what is left. Readers look at the
	// edges first.
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI) && d->flags & FD_DRAINS)
		gort__store(&d->flags, d->flags & ~(uint32_t)FD_DRAINS);
	gort__store_release(&d->edges, d->edges + 1);
	struct waiter *w = d->queue, *last = w ? w->prev : NULL;
	while (w) {
		struct waiter *next = w == last ? NULL : w->next;
		if (w->tag & wakes) {
			gort__queue_remove(&d->queue, w);
			if (gort__wait_claim(w->g, w->ticket)) {
				gort__glist_push(ready, w->g);
				n++;
			}
		}
		w = next;
	}
	gort__unlock(&d->lock);
	return n;
}

static int wait_events(struct epoll_event *events, int64_t delay)
{
	struct timespec ts = { .tv_sec = delay / 1000000000, .tv_nsec = delay % 1000000000 };
	long n;

	if (delay <= 0)
		return epoll_wait(epoll_fd, events, BATCH, delay ? -1 : 0);
	// To the nanosecond, where the kernel has it.
	n = syscall(SYS_epoll_pwait2, epoll_fd, events, BATCH, &ts, NULL, 0);
	if (n < 0 && errno == ENOSYS) {
		int64_t ms = (delay + 999999) / 1000000;
		n = epoll_wait(epoll_fd, events, BATCH, ms < INT32_MAX ? (int)ms : INT32_MAX);
	}
	return (int)n;
}

int gort__netpoll(int64_t delay, struct glist *ready)
{
	struct epoll_event events[BATCH];
	int n, claimed = 0;

	if (!gort__load_acquire(&gort__netpoll_on))
		return 0;
	n = wait_events(events, delay);
	for (int i = 0; i < n; i++) {
		if (gort__likely(events[i].data.u64 != BREAK))
			claimed += edge(events[i].data.u64, events[i].events, ready);
		else if (delay)
			break_done();
	}
	return claimed;
}
