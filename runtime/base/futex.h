// SPDX-License-Identifier: MIT
// Futex waits and the one-shot note on which threads (never goroutines) sleep.
#ifndef RUNTIME_BASE_FUTEX_H
#define RUNTIME_BASE_FUTEX_H

#include "runtime/base/base.h"

// Sleeps while *word == val; ns < 0 for ever. 0, -ETIMEDOUT, -EAGAIN (other value), -EINTR.
gort__hidden int gort__futex_wait(uint32_t *word, uint32_t val, int64_t ns);
gort__hidden void gort__futex_wake(uint32_t *word, int n);

enum {
	NOTE_CLEAR,
	NOTE_WOKEN,
	NOTE_SLEPT_ON,
	NOTE_CALL, // an M's only: its sleeper does what sched/gather.c wants and sleeps on
};

// A note is cleared, slept on by one thread and woken once. All-zero is cleared.
struct note {
	uint32_t word;
};

static inline void gort__note_clear(struct note *n)
{
	gort__store(&n->word, 0);
}

gort__hidden void gort__note_wake(struct note *n);
// True when woken, false after ns nanoseconds (< 0: for ever).
gort__hidden bool gort__note_sleep(struct note *n, int64_t ns);

#endif
