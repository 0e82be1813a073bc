// SPDX-License-Identifier: MIT
// Futex waits and the one-shot note.
#include "runtime/base/futex.h"
#include "runtime/base/raw.h"

#include <errno.h>
#include <linux/futex.h>
#include <time.h>
#include <unistd.h>

// A raw system call: libc's syscall() would write errno, which belongs to the goroutine.
static long futex(uint32_t *word, int op, uint32_t val, const struct timespec *ts)
{
	return gort__raw(SYS_futex, (long)word, op, val, (long)ts, 0, 0);
}

int gort__futex_wait(uint32_t *word, uint32_t val, int64_t ns)
{
	struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	return (int)futex(word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, val, ns < 0 ? NULL : &ts);
}

void gort__futex_wake(uint32_t *word, int n)
{
	futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, (uint32_t)n, NULL);
}

void gort__note_wake(struct note *n)
{
	if (gort__xchg(&n->word, NOTE_WOKEN) == NOTE_SLEPT_ON)
		gort__futex_wake(&n->word, 1);
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

bool gort__note_sleep(struct note *n, int64_t ns)
{
	int64_t deadline = ns < 0 ? -1 : now() + ns;
	uint32_t clear = NOTE_CLEAR;

	if (!gort__cas(&n->word, &clear, NOTE_SLEPT_ON) && clear == NOTE_WOKEN)
		return true;
	for (;;) {
		gort__futex_wait(&n->word, NOTE_SLEPT_ON, ns);
		if (gort__load_acquire(&n->word) == NOTE_WOKEN)
			return true;
		if (deadline < 0)
			continue;
		ns = deadline - now();
		if (ns > 0)
			continue;
		// Taken back, unless the wake came just now.
		clear = NOTE_SLEPT_ON;
		return !gort__cas(&n->word, &clear, NOTE_CLEAR);
	}
}
