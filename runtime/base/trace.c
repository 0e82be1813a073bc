// SPDX-License-Identifier: MIT
// The ring of events and how it is written.
#include "runtime/base/trace.h"
#include "runtime/base/print.h"
#include "runtime/base/raw.h"

#include <sys/mman.h>
#include <time.h>

enum { USUAL = 4096, MOST = 1 << 20, NS_PER_US = 1000 };

struct event {
	uint64_t turn; // its number counted from 1; 0 while it is being written
	int64_t when;
	const char *what, *status;
	long number;
	const void *pc;
	int tid;
};

static struct {
	struct event *events; // NULL: nothing is kept
	uint64_t size, next;
	int64_t start;
} ring;

static int64_t now(void)
{
	struct timespec ts;

	// Without libc's help, which may use vector registers.
	gort__raw(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts, 0, 0, 0, 0);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

void gort__trace_init(void)
{
	long events;

	if (gort__debug.trace <= 0)
		return;
	ring.size = gort__debug.trace == 1     ? USUAL
		    : gort__debug.trace < MOST ? (uint64_t)gort__debug.trace
					       : MOST;
	events = gort__raw(SYS_mmap, 0, (long)(ring.size * sizeof(struct event)),
			   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ring.start = now();
	if (events >= 0 || events < -GORT__ERRNO_MAX)
		gort__store_release(&ring.events, (struct event *)events);
}

void gort__trace_add(const char *event, const char *status, long number, const void *pc)
{
	struct event *events = gort__load_acquire(&ring.events), *e;
	uint64_t turn;

	if (!events)
		return;
	turn = gort__add(&ring.next, UINT64_C(1));
	e = &events[(turn - 1) % ring.size];
	gort__store(&e->turn, 0);
	e->when = now();
	e->what = event;
	e->status = status;
	e->number = number;
	e->pc = pc;
	e->tid = (int)gort__raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
	gort__store_release(&e->turn, turn);
}

static void write_one(const struct event *e)
{
	char number[24] = "", pc[32] = "";
	int64_t since = e->when - ring.start;

	if (e->number)
		gort__format(number, sizeof(number), " %ld", e->number);
	if (e->pc)
		gort__format(pc, sizeof(pc), " at %p", e->pc);
	gort__print("TRACE %8ld.%03ld us thread %d: %s%s%s%s%s\n", since / NS_PER_US,
		    since % NS_PER_US, e->tid, e->what, e->status ? " " : "",
		    e->status ? e->status : "", number, pc);
}

void gort__trace_write(void)
{
	const struct event *events = gort__load_acquire(&ring.events);
	uint64_t end = gort__load(&ring.next);
	uint64_t turn = end > ring.size ? end - ring.size : 0;

	while (events && turn < end) {
		struct event e = events[turn % ring.size];
		if (e.turn == ++turn &&
		    gort__load_acquire(&events[(turn - 1) % ring.size].turn) == turn)
			write_one(&e);
	}
}
