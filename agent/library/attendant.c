// SPDX-License-Identifier: MIT
// Rings of the bell, and what is done about them.
#include "agent/library/attendant.h"

#include "agent/library/contain.h"
#include "agent/library/futex.h"
#include "agent/library/poll.h"
#include "agent/library/worker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static void (*meet)(void); // NULL: it was done

static bool serve(struct worker *worker, struct mailbox_slot *slot)
{
	if (meet)
		meet();
	meet = NULL;
	return worker_start(worker, slot);
}

static void end(struct worker *worker)
{
	__atomic_store_n(&worker->end, 1, __ATOMIC_SEQ_CST);
	futex_wake(&worker->slot->turn);
}

static void look_after(const struct box *box, unsigned n)
{
	enum { ASKED_MAX = 3 };
	struct mailbox_slot *slot = mailbox_slot(box->header, n);
	struct worker *worker = &workers[n];
	bool is_there = __atomic_load_n(&worker->there, __ATOMIC_SEQ_CST);
	bool is_wanted = __atomic_load_n(&slot->wanted, __ATOMIC_SEQ_CST) && box_has_client(box, n);
	uint32_t cancel = __atomic_load_n(&slot->cancel, __ATOMIC_SEQ_CST);

	if (!is_there) {
		if (is_wanted && !serve(worker, slot))
			slot->wanted = 0;
		return;
	}
	if (is_wanted) {
		if (worker->calling && cancel != worker->cancel_seen &&
		    cancel != worker->cancel_judged)
			contain_ask(worker_callee_tid(worker));
	} else if (!worker->calling) {
		end(worker);
	} else if (now_ns() > worker->deadline_ns && worker->asked_alone++ < ASKED_MAX) {
		// Nobody waits for it any more.
		worker->is_orphan = true;
		contain_ask(worker_callee_tid(worker));
	}
}

// All threads that serve have ended.
static bool is_alone(void)
{
	for (unsigned n = 0; n < MAILBOX_SLOTS; n++)
		if (workers[n].there)
			return false;
	return true;
}

static void *attend(void *arg)
{
	enum { SECOND_NS = 1000 * 1000 * 1000 };
	struct box *box = arg;
	struct mailbox_header *header = box->header;

	prctl(PR_SET_NAME, MAILBOX_NAME);
	header->tid = (int32_t)raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
	header->pid = getpid();
	poll_open(header);
	__atomic_store_n(&header->state, MAILBOX_OPEN, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&header->state, __ATOMIC_SEQ_CST) == MAILBOX_OPEN) {
		uint32_t bell = __atomic_load_n(&header->bell, __ATOMIC_SEQ_CST);
		bool any = false;

		if (__atomic_load_n(&header->told_to_sleep, __ATOMIC_SEQ_CST) && is_alone()) {
			poll_open(NULL);
			box_close(box);
			break;
		}
		for (unsigned n = 0; n < MAILBOX_SLOTS; n++) {
			look_after(box, n);
			any |= workers[n].there;
		}
		// A client that was killed does not ring.
		futex_wait(&header->bell, bell, any ? SECOND_NS : -1);
	}
	return NULL;
}

bool attendant_start(struct box *box, void (*met)(void))
{
	enum { STACK = 64 * 1024 };
	long least = sysconf(_SC_THREAD_STACK_MIN);
	size_t size = least > 0 ? (size_t)least + STACK : 2 * STACK;
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, mask;
	int err;

	meet = met;
	workers_bell = &box->header->bell;
	if (!workers_init())
		return false;
	// Threads start with their maker's mask, and none of the program's signals is for ours.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, size);
	err = pthread_create(&thread, &attr, attend, box);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return !err;
}

static bool any_calls_but(const struct worker *self)
{
	for (unsigned n = 0; n < MAILBOX_SLOTS; n++)
		if (&workers[n] != self && workers[n].there &&
		    __atomic_load_n(&workers[n].calling, __ATOMIC_SEQ_CST))
			return true;
	return false;
}

void attendant_close(struct box *box)
{
	enum { PATIENCE_NS = 100 * 1000 * 1000, LOOK_NS = 200 * 1000 };
	int64_t limit = now_ns() + PATIENCE_NS;
	struct worker *self = worker_on((uintptr_t)&limit);

	__atomic_store_n(&workers_closed, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&box->header->state, MAILBOX_CLOSED, __ATOMIC_SEQ_CST);
	while (any_calls_but(self) && now_ns() < limit)
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
}
