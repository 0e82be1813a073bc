// SPDX-License-Identifier: MIT
// The table of descriptor numbers: learning what they are, registering them once, waiting,
// forgetting.
#include "runtime/gort.h"
#include "runtime/sched/given.h"
#include "runtime/sync/fd.h"
#include "runtime/sync/netpoll.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = 1024, // numbers
	CHUNKS =
		64
		<< 10, // enough for the kernel's greatest limit but one; untouched pages cost nothing
};

static struct fd *chunks[CHUNKS];

static gort__cold struct fd *chunk_make(struct fd **at)
{
	struct fd *none = NULL, *chunk;

	chunk = mmap(NULL, CHUNK * sizeof(*chunk), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		return NULL;
	for (int i = 0; i < CHUNK; i++) {
		gort__lock_init(&chunk[i].lock, RANK_POLLFD);
		// Nothing is dry.
		chunk[i].edges = 1;
	}
	if (gort__cas(at, &none, chunk))
		return chunk;
	munmap(chunk, CHUNK * sizeof(*chunk));
	return none;
}

struct fd *gort__fd(int fd)
{
	struct fd *chunk;

	if (fd < 0 || fd / CHUNK >= CHUNKS)
		return NULL;
	chunk = gort__load_acquire(&chunks[fd / CHUNK]);
	if (gort__unlikely(!chunk))
		chunk = chunk_make(&chunks[fd / CHUNK]);
	return chunk ? &chunk[fd % CHUNK] : NULL;
}

int gort__fd_learn(struct fd *d, int fd)
{
	uint32_t flags = FD_KNOWN, generation = gort__load_acquire(&d->generation);
	int mode = fcntl(fd, F_GETFL), type = 0, domain = 0;
	socklen_t len = sizeof(int);
	struct stat st;

	if (mode < 0 || fstat(fd, &st))
		return -errno;
	if (mode & O_NONBLOCK)
		flags |= FD_NONBLOCK;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) || S_ISDIR(st.st_mode))
		flags |= FD_DIRECT;
	if (!getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len)) {
		flags |= FD_SOCKET;
		getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
		// Not so for local sockets: a read stops where descriptors were passed.
		if (type == SOCK_STREAM && (domain == AF_INET || domain == AF_INET6))
			flags |= FD_DRAINS;
	}
	gort__enter("gort_fd");
	gort__lock(&d->lock);
	// What was seen may be the file that had the number before.
	if (!(d->flags & FD_KNOWN) && d->generation == generation)
		gort__store_release(&d->flags, flags);
	gort__unlock(&d->lock);
	gort__leave();
	return 0;
}

void gort__fd_no_nowait(struct fd *d, uint32_t edge)
{
	gort__enter("gort_fd");
	gort__lock(&d->lock);
	if (d->edges == edge)
		gort__store(&d->flags, d->flags | FD_NO_NOWAIT);
	gort__unlock(&d->lock);
	gort__leave();
}

// ---- forgetting ---------------------------------------------------------------------------------

// With the lock: the number means something else from now on. Those who wait are told so, or (0)
// to look what it is now.
static void reset(struct fd *d, uint32_t flags, int result, struct glist *ready)
{
	struct waiter *w;

	gort__store_release(&d->generation, d->generation + 1);
	gort__store_release(&d->edges, d->edges + 1);
	gort__store_release(&d->flags, flags);
	while ((w = d->queue)) {
		gort__queue_remove(&d->queue, w);
		if (!gort__wait_claim(w->g, w->ticket))
			continue;
		w->g->wake_result = result;
		gort__glist_push(ready, w->g);
	}
}

void gort__fd_fresh(int fd, uint32_t flags)
{
	struct fd *d = gort__fd(fd);
	struct glist ready = { 0 };

	if (!d)
		return;
	gort__enter("gort_fd");
	gort__lock(&d->lock);
	reset(d, FD_KNOWN | flags, -EBADF, &ready);
	gort__unlock(&d->lock);
	gort__ready_list(&ready);
	gort__leave();
}

// What is known of the number, unless it was said to be fresh after generation *since. *now: the
// generation that begins. True when anything was known.
static bool forget(struct fd *d, int fd, const uint32_t *since, int result, uint32_t *now,
		   const char *who)
{
	struct glist ready = { 0 };
	bool known = false;

	gort__enter(who);
	gort__lock(&d->lock);
	if (!since || d->generation == *since) {
		known = d->flags & FD_KNOWN;
		// A duplicate would keep the registration alive.
		if (d->flags & FD_REGISTERED)
			gort__netpoll_remove(fd);
		// Also when nothing is known: somebody may be about to have learned it.
		reset(d, 0, result, &ready);
	}
	*now = d->generation;
	gort__unlock(&d->lock);
	gort__ready_list(&ready);
	gort__leave();
	return known;
}

int gort_fd_forget(int fd)
{
	struct fd *d = gort__fd(fd);
	uint32_t now;

	if (!d) {
		gort__enter(__func__);
		gort__leave();
	}
	return d && forget(d, fd, NULL, -EBADF, &now, __func__) ? 0 : -ENOENT;
}

// Closing may take long (SO_LINGER), so the entry cannot be locked for it: while it lasts others
// may learn of the number, register it and wait for what is about to be gone, or for what has the
// number next. So what was learned meanwhile is forgotten as well, and who waits looks again.
int gort_fd_close(int fd)
{
	struct fd *d = gort__fd(fd);
	uint32_t now;
	int ret;

	if (d) {
		forget(d, fd, NULL, -EBADF, &now, __func__);
	} else {
		gort__enter(__func__);
		gort__leave();
	}
	// Interrupted or not, the number is free.
	ret = close(fd) && errno != EINTR ? -errno : 0;
	if (d)
		forget(d, fd, &now, 0, &now, __func__);
	return ret;
}

// ---- waiting ------------------------------------------------------------------------------------

// With the lock.
static int enlist(struct fd *d, int fd)
{
	int ret;

	if (d->flags & FD_REGISTERED)
		return 0;
	if (d->flags & FD_DIRECT)
		return -EPERM;
	ret = gort__netpoll_add(fd, d->generation);
	if (!ret)
		gort__store(&d->flags, d->flags | FD_REGISTERED);
	else if (ret == -EPERM)
		gort__store(&d->flags, d->flags | FD_DIRECT);
	return ret;
}

static bool unlock(struct g *g, void *lock)
{
	(void)g;
	gort__unlock(lock);
	return true;
}

static bool unlock_and_wake(struct g *g, void *lock)
{
	(void)g;
	gort__unlock(lock);
	gort__wake_for_netpoll();
	return true;
}

int gort__fd_wait(struct fd *d, int fd, struct g *g, uint32_t events, uint32_t edge,
		  int64_t deadline)
{
	struct waiter w;
	bool first;
	int ret;

	gort__lock(&d->lock);
	// Forgotten since the caller looked: it must look what the number is now.
	if (d->edges != edge || !(d->flags & FD_KNOWN)) {
		gort__unlock(&d->lock);
		return 0;
	}
	ret = enlist(d, fd);
	if (ret) {
		gort__unlock(&d->lock);
		return ret;
	}
	ret = gort__waiter_begin(&w, g, deadline);
	if (ret) {
		gort__unlock(&d->lock);
		return ret;
	}
	w.tag = events;
	gort__queue_push(&d->queue, &w);
	first = gort__add(&gort__netpoll_waiters, 1u) == 1;
	ret = gort__waiter_park_with(&w, first ? unlock_and_wake : unlock, &d->lock, deadline,
				     WAIT_IO);
	gort__add(&gort__netpoll_waiters, -1u);
	if (ret == -ECANCELED || ret == -ETIMEDOUT) {
		gort__lock(&d->lock);
		gort__queue_remove(&d->queue, &w);
		gort__unlock(&d->lock);
	}
	return ret;
}
