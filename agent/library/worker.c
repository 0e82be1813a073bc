// SPDX-License-Identifier: MIT
// Requests, one after the other. What stands in the slot may change at any moment: it is copied, then
// judged, then used.
#include "agent/library/worker.h"

#include "agent/library/contain.h"
#include "agent/library/futex.h"
#include "agent/library/poll.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

struct worker workers[MAILBOX_SLOTS];
bool workers_closed;
uint32_t *workers_bell;
// A page that children of any fork find empty.
static volatile uint32_t *alive;

bool workers_init(void)
{
	long page = sysconf(_SC_PAGESIZE);
	void *map;

	if (alive)
		return true;
	map = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return false;
	if (madvise(map, (size_t)page, MADV_WIPEONFORK) < 0) {
		munmap(map, (size_t)page);
		return false;
	}
	alive = map;
	*alive = 1;
	return true;
}

void worker_forget_all(void)
{
	memset(workers, 0, sizeof(workers));
	contain_forget();
	if (alive)
		*alive = 1;
}

bool worker_in_child(void)
{
	return !*alive;
}

// Where another thread's stack may lie beside, the thread tells.
static bool is_guest(const struct worker *worker, uintptr_t addr)
{
	enum { STACK_MAX = 8 * 1024 * 1024 };

	return worker->has_guest && worker->guest_high - addr < STACK_MAX &&
	       pthread_equal(worker->guest_self, pthread_self());
}

int worker_callee_tid(const struct worker *worker)
{
	return worker->guest ?: worker->tid;
}

struct worker *worker_on(uintptr_t addr)
{
	for (unsigned i = 0; i < MAILBOX_SLOTS; i++) {
		struct worker *worker = &workers[i];

		if (!__atomic_load_n(&worker->there, __ATOMIC_ACQUIRE))
			continue;
		if (is_guest(worker, addr))
			return worker;
		if (addr - worker->stack_low < worker->stack_high - worker->stack_low ||
		    addr - (uintptr_t)worker->alternate < worker->alternate_size)
			return worker;
	}
	return NULL;
}

void worker_turn(struct worker *worker, enum mailbox_turn turn)
{
	struct mailbox_slot *slot = worker->slot;

	__atomic_store_n(&slot->turn, turn, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&slot->client_sleeps, __ATOMIC_SEQ_CST))
		futex_wake(&slot->turn);
}

void worker_note(struct worker *worker, enum mailbox_outcome outcome)
{
	worker->call.outcome = outcome;
	worker->slot->calls[worker->slot->current % MAILBOX_CALLS].outcome = outcome;
}

void worker_escape(struct worker *worker, enum mailbox_outcome outcome)
{
	uint64_t frame = worker->entry.frame;

	worker_note(worker, outcome);
	worker->entry.frame = 0;
	enter_leave(frame);
}

static void send_on(int signo, siginfo_t *info)
{
	// Only the first thread may send with what the kernel itself has written.
	if (raw_syscall(SYS_rt_sigqueueinfo, getpid(), signo, (long)info, 0, 0, 0) < 0)
		kill(getpid(), signo);
}

// What a callee has raised is for the program: the thread that it ran on lets nothing through.
static void send_on_signals(void)
{
	sigset_t pending;
	siginfo_t info;

	if (sigpending(&pending) < 0 || sigisemptyset(&pending))
		return;
	for (int signo = 1; signo < _NSIG; signo++) {
		sigset_t one;

		if (!sigismember(&pending, signo))
			continue;
		sigemptyset(&one);
		sigaddset(&one, signo);
		if (sigtimedwait(&one, &info, &(struct timespec){ 0 }) == signo)
			send_on(signo, &info);
	}
}

// ---- calls --------------------------------------------------------------------------------------

// Many calls of one record; where their times go.
struct times {
	uint32_t *ns;
	uint32_t n, max;
};

static void put_time(struct times *times, int64_t ns)
{
	if (times->n < times->max)
		times->ns[times->n++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static enum mailbox_outcome repeat(struct worker *worker, uint32_t *done, struct times *times)
{
	struct mailbox_call *call = &worker->call;
	struct mailbox_slot *slot = worker->slot;
	int64_t before = now_ns();

	do {
		int escaped = enter(&worker->entry);

		// A child of the callee's must not come back into the parent's conversation.
		if (worker_in_child())
			_exit(0);
		if (escaped)
			// Else the handler has said what.
			return escaped == 2 ? MAILBOX_THREW : MAILBOX_NOTHING;

		int64_t after = now_ns();

		put_time(times, after - before);
		before = after;
		__atomic_store_n(done, ++call->done, __ATOMIC_RELAXED);
		if (call->done < call->repeat &&
		    __atomic_load_n(&slot->cancel, __ATOMIC_RELAXED) != worker->cancel_seen)
			return MAILBOX_UNDONE;
	} while (call->done < call->repeat);
	return MAILBOX_RETURNED;
}

static void fill(struct worker *worker, unsigned char *result)
{
	const struct mailbox_call *call = &worker->call;
	uint64_t align = call->stack_align > 16 ? call->stack_align : 16;
	struct entry *entry = &worker->entry;

	entry->addr = call->addr;
	memcpy(entry->general, call->general, sizeof(entry->general));
	if (call->result_size)
		entry->general[0] = (uintptr_t)result;
	entry->al = call->al;
	entry->vector_width = call->vector_width;
	entry->stack = worker->slot->data + call->stack;
	entry->stack_size = call->stack_size;
	entry->stack_align = -align;
	entry->leaves_x87 = call->leaves_x87;
	entry->frame = 0;
	if (call->vector_width)
		memcpy(entry->vector, call->vector, sizeof(entry->vector));
}

static void answer(const struct worker *worker, struct mailbox_call *to,
		   const unsigned char *result)
{
	enum { X87_HEADER = 28, X87_BYTES = 10 };
	const struct mailbox_call *call = &worker->call;
	const struct entry *entry = &worker->entry;

	to->rax = entry->rax;
	to->rdx = entry->rdx;
	memcpy(to->left, entry->left, sizeof(to->left));
	for (int i = 0; i < 2 && call->leaves_x87; i++)
		memcpy(to->st[i], entry->x87 + X87_HEADER + i * X87_BYTES, X87_BYTES);
	if (call->result_size)
		memcpy(worker->slot->data + call->result, result, call->result_size);
}

static enum mailbox_outcome run(struct worker *worker, struct mailbox_call *to, struct times *times)
{
	struct mailbox_call *call = &worker->call;
	enum mailbox_outcome outcome;

	memcpy(call, to, sizeof(*call));
	call->done = 0;
	if (mailbox_call_unfit(call))
		return MAILBOX_REFUSED;

	size_t align = call->result_align > 16 ? call->result_align : 16;
	unsigned char *room = __builtin_alloca(call->result_size + align);
	unsigned char *result = (unsigned char *)(((uintptr_t)room + align - 1) & -align);

	fill(worker, result);
	outcome = repeat(worker, &to->done, times);
	if (outcome == MAILBOX_RETURNED)
		answer(worker, to, result);
	if (outcome == MAILBOX_THREW)
		to->rax = worker->entry.rax;
	return outcome;
}

static enum mailbox_outcome make_calls(struct worker *worker)
{
	struct mailbox_slot *slot = worker->slot;
	uint32_t n = __atomic_load_n(&slot->nr_calls, __ATOMIC_RELAXED);
	struct times times = { .ns = slot->times, .max = MAILBOX_TIMES };
	enum mailbox_outcome outcome = MAILBOX_RETURNED;

	if (!n || n > MAILBOX_CALLS || workers_closed || !contain_hold())
		return MAILBOX_REFUSED;
	for (uint32_t i = 0; i < n && outcome == MAILBOX_RETURNED; i++) {
		slot->current = i;
		outcome = run(worker, &slot->calls[i], &times);
		// What a handler has said stands there already.
		if (outcome != MAILBOX_NOTHING)
			slot->calls[i].outcome = outcome;
	}
	// On a thread of the program's they come when its mask is back.
	if (!worker->has_guest)
		send_on_signals();
	return outcome == MAILBOX_NOTHING ? worker->call.outcome : outcome;
}

void worker_serve_calls(struct worker *worker)
{
	worker->outcome = make_calls(worker);
}

static enum mailbox_outcome serve_calls(struct worker *worker)
{
	int32_t thread = __atomic_load_n(&worker->slot->thread, __ATOMIC_RELAXED);

	if (!thread)
		worker_serve_calls(worker);
	else if (!poll_hand_over(worker, thread, worker->slot->thread_until_ns))
		return MAILBOX_NOTHING;
	return worker->outcome;
}

// ---- memory -------------------------------------------------------------------------------------

// By the kernel, which finds out what can be read where we would crash.
static enum mailbox_outcome move(struct worker *worker, long nr, uint64_t addr, uint32_t size)
{
	struct iovec local = { worker->slot->data, size };
	struct iovec remote = { (void *)(uintptr_t)addr, size };
	long done = raw_syscall(nr, (long)getpid(), (long)&local, 1, (long)&remote, 1, 0);

	worker->slot->value = done < 0 ? (uint32_t)-done : (uint32_t)done;
	return done < 0 ? MAILBOX_FAILED : MAILBOX_RETURNED;
}

static enum mailbox_outcome place(struct worker *worker, uint32_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (size + page - 1) & -page;
	void *map = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED) {
		worker->slot->value = (uint32_t)errno;
		return MAILBOX_FAILED;
	}
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, map, whole, "debugcall literals");
	memcpy(map, worker->slot->data, size);
	worker->slot->address = (uintptr_t)map;
	return MAILBOX_RETURNED;
}

static enum mailbox_outcome drop(struct worker *worker, uint64_t addr, uint32_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!munmap((void *)(uintptr_t)addr, (size + page - 1) & -page))
		return MAILBOX_RETURNED;
	worker->slot->value = (uint32_t)errno;
	return MAILBOX_FAILED;
}

static enum mailbox_outcome serve_memory(struct worker *worker, uint32_t request)
{
	struct mailbox_slot *slot = worker->slot;
	uint32_t size = __atomic_load_n(&slot->size, __ATOMIC_RELAXED);
	uint64_t addr = __atomic_load_n(&slot->address, __ATOMIC_RELAXED);

	if (!size || size > MAILBOX_DATA)
		return MAILBOX_REFUSED;
	switch (request) {
	case MAILBOX_LITERAL: return place(worker, size);
	case MAILBOX_DROP: return drop(worker, addr, size);
	case MAILBOX_READ: return move(worker, SYS_process_vm_readv, addr, size);
	case MAILBOX_WRITE: return move(worker, SYS_process_vm_writev, addr, size);
	}
	return MAILBOX_REFUSED;
}

static void serve(struct worker *worker)
{
	struct mailbox_slot *slot = worker->slot;
	uint32_t request = __atomic_load_n(&slot->request, __ATOMIC_RELAXED);

	worker->deadline_ns = slot->deadline_ns;
	worker->cancel_seen = __atomic_load_n(&slot->cancel, __ATOMIC_RELAXED);
	worker->cancel_judged = worker->cancel_seen;
	worker->asked_alone = 0;
	worker->is_orphan = false;
	__atomic_store_n(&worker->calling, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->turn, MAILBOX_RUNNING, __ATOMIC_RELAXED);
	slot->outcome = request == MAILBOX_CALL ? serve_calls(worker)
						: serve_memory(worker, request);
	__atomic_store_n(&worker->calling, 0, __ATOMIC_SEQ_CST);
	worker_turn(worker, MAILBOX_ANSWERED);
}

// ---- the thread ---------------------------------------------------------------------------------

// A client that asks again at once need not wake us; where the CPU is needed by others, we sleep.
struct patience {
	bool pays; // the last look was not in vain
	unsigned tries;
};

static bool spin(struct mailbox_slot *slot, struct patience *patience)
{
	enum { SPIN_NS = 20 * 1000, LOOKS = 64, RETRY = 32 };
	int64_t end;

	if (!patience->pays && patience->tries++ % RETRY)
		return false;
	end = now_ns() + SPIN_NS;
	do {
		for (int i = 0; i < LOOKS; i++) {
			if (__atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE) == MAILBOX_ASKED) {
				patience->pays = true;
				return true;
			}
			__builtin_ia32_pause();
		}
	} while (now_ns() < end);
	patience->pays = false;
	return false;
}

static void wait_for_request(struct worker *worker, uint32_t turn)
{
	struct mailbox_slot *slot = worker->slot;

	__atomic_store_n(&slot->host_sleeps, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&worker->end, __ATOMIC_SEQ_CST))
		futex_wait(&slot->turn, turn, -1);
	__atomic_store_n(&slot->host_sleeps, 0, __ATOMIC_RELAXED);
}

static void gone(void *arg)
{
	struct worker *worker = arg;
	struct mailbox_slot *slot = worker->slot;

	if (worker_in_child())
		return;
	if (worker->calling) {
		// By pthread_exit(): the callee was its thread's last.
		worker_note(worker, MAILBOX_THREAD_ENDED);
		slot->outcome = MAILBOX_THREAD_ENDED;
		worker->calling = 0;
		worker_turn(worker, MAILBOX_ANSWERED);
	}
	__atomic_store_n(&slot->serving, 0, __ATOMIC_SEQ_CST);
	if (worker->contains)
		contain_release();
	stack_t none = { .ss_flags = SS_DISABLE };
	sigaltstack(&none, NULL);
	munmap(worker->alternate, worker->alternate_size);
	__atomic_store_n(&worker->there, 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(workers_bell, 1, __ATOMIC_SEQ_CST);
	futex_wake(workers_bell);
}

static bool take_stacks(struct worker *worker)
{
	enum { ROOM = 128 * 1024 };

	// libc keeps what it knows of a thread at the top of its stack; to ask it would allocate.
	worker->stack_high = (uintptr_t)pthread_self();
	worker->stack_low = worker->stack_high - worker->stack_size;
	worker->alternate_size = (getauxval(AT_MINSIGSTKSZ) + ROOM + 4095) & -(size_t)4096;
	worker->alternate = mmap(NULL, worker->alternate_size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (worker->alternate == MAP_FAILED) {
		worker->alternate = NULL;
		worker->alternate_size = 0;
		return false;
	}
	stack_t alternate = { .ss_sp = worker->alternate, .ss_size = worker->alternate_size };

	return sigaltstack(&alternate, NULL) == 0;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct mailbox_slot *slot = worker->slot;
	struct patience patience = { 0 };

	prctl(PR_SET_NAME, MAILBOX_WORKER_NAME);
	worker->tid = slot->tid = (int)raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
	pthread_cleanup_push(gone, worker);
	if (take_stacks(worker) && (worker->contains = contain_take())) {
		contain_unblock();
		__atomic_store_n(&slot->serving, 1, __ATOMIC_SEQ_CST);
		futex_wake(&slot->serving);
		while (!__atomic_load_n(&worker->end, __ATOMIC_SEQ_CST)) {
			uint32_t turn = __atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE);

			if (turn == MAILBOX_ASKED)
				serve(worker);
			else if (!spin(slot, &patience))
				wait_for_request(worker, turn);
		}
	}
	pthread_cleanup_pop(1);
	return NULL;
}

bool worker_start(struct worker *worker, struct mailbox_slot *slot)
{
	enum { STACK = 8 * 1024 * 1024, LITTLE = 512 * 1024 };
	static const size_t sizes[] = { STACK, LITTLE };

	*worker = (struct worker){ .slot = slot, .there = 1 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		pthread_attr_t attr;
		pthread_t thread;
		int err;

		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		pthread_attr_setstacksize(&attr, sizes[i]);
		worker->stack_size = sizes[i];
		err = pthread_create(&thread, &attr, work, worker);
		pthread_attr_destroy(&attr);
		if (!err)
			return true;
	}
	worker->there = 0;
	return false;
}
