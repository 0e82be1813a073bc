// SPDX-License-Identifier: MIT
// A worker's request is offered to one thread; whoever takes the offer back or up first has it.
#include "agent/library/poll.h"

#include "agent/library/contain.h"
#include "agent/library/debugcall_agent.h"
#include "agent/library/futex.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

// Of a worker's offer.
enum { NONE, OFFERED, TAKEN, DONE };

static struct mailbox_header *header; // NULL: nobody can ask
static uint32_t offers; // so that a poll in vain is one load
static __thread bool is_known;

void poll_open(struct mailbox_header *of)
{
	__atomic_store_n(&header, of, __ATOMIC_SEQ_CST);
}

static int own_tid(void)
{
	return (int)raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

// One that has ended gives its place to the next: the number is all there is.
static void make_known(void)
{
	static uint32_t next;
	struct mailbox_header *to = __atomic_load_n(&header, __ATOMIC_SEQ_CST);

	if (!to)
		return;
	is_known = true;
	__atomic_store_n(
		&to->pollers[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % MAILBOX_POLLERS],
		own_tid(), __ATOMIC_SEQ_CST);
}

bool poll_hand_over(struct worker *worker, int tid, int64_t until)
{
	enum { LOOK_NS = 10 * 1000 * 1000 };
	uint32_t state;

	worker->guest = tid;
	__atomic_store_n(&worker->offer, OFFERED, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&offers, 1, __ATOMIC_SEQ_CST);
	while ((state = __atomic_load_n(&worker->offer, __ATOMIC_SEQ_CST)) != DONE) {
		uint32_t expected = OFFERED;

		if (now_ns() > until &&
		    __atomic_compare_exchange_n(&worker->offer, &expected, NONE, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			break;
		futex_wait(&worker->offer, state, LOOK_NS);
	}
	__atomic_fetch_sub(&offers, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&worker->guest, 0, __ATOMIC_SEQ_CST);
	return state == DONE;
}

static void done(void *arg)
{
	struct worker *worker = arg;

	if (worker_in_child())
		return;
	worker->has_guest = false;
	__atomic_store_n(&worker->offer, DONE, __ATOMIC_SEQ_CST);
	futex_wake(&worker->offer);
}

// With the mask and the alternate stack of a worker's thread, so that faults are contained as there.
static void serve_as_guest(struct worker *worker)
{
	stack_t ours = { .ss_sp = worker->alternate, .ss_size = worker->alternate_size }, theirs;
	sigset_t mask;

	worker->guest_high = (uintptr_t)__builtin_frame_address(0);
	worker->guest_self = pthread_self();
	worker->has_guest = true;
	// Should a callee end the thread.
	worker->outcome = MAILBOX_THREAD_ENDED;
	pthread_cleanup_push(done, worker);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (sigaltstack(&ours, &theirs) < 0)
		theirs.ss_flags = -1;
	contain_unblock();
	worker_serve_calls(worker);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (theirs.ss_flags != -1)
		sigaltstack(&theirs, NULL);
	pthread_cleanup_pop(1);
}

static void look(void)
{
	int tid = own_tid();

	for (unsigned i = 0; i < MAILBOX_SLOTS; i++) {
		struct worker *worker = &workers[i];
		uint32_t expected = OFFERED;

		if (__atomic_load_n(&worker->guest, __ATOMIC_SEQ_CST) != tid ||
		    !__atomic_compare_exchange_n(&worker->offer, &expected, TAKEN, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		serve_as_guest(worker);
	}
}

void debugcall_poll(void)
{
	if (!is_known)
		make_known();
	if (__atomic_load_n(&offers, __ATOMIC_RELAXED))
		look();
}
