// SPDX-License-Identifier: MIT
// The ring of traced events. Its lock is held for as long as it takes to copy one, never while one is
// written out.
#include "debugger/base/trace.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RING = 8192 }; // events: some hundred calls

struct traced {
	int64_t ns;
	const char *what;
	int64_t status;
	uint64_t pc;
	pid_t tid;
	enum trace_area area;
	char name[56];
};

unsigned trace_wanted;
static struct traced ring[RING];
static uint64_t put, written; // how many
static int64_t start;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const names[] = {
#define X(name, text) [TRACE_##name] = text,
	TRACE_AREAS(X)
#undef X
};
enum { NR_AREAS = sizeof(names) / sizeof(*names) };

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static unsigned area_named(const char *word, size_t n)
{
	if (n == strlen("all") && !strncmp(word, "all", n))
		return (1U << NR_AREAS) - 1;
	for (unsigned i = 0; i < NR_AREAS; i++) {
		if (n == strlen(names[i]) && !strncmp(word, names[i], n))
			return 1U << i;
	}
	return 0;
}

static void begin(unsigned areas)
{
	pthread_mutex_lock(&lock);
	if (!start) {
		start = now();
		// Touched here, so that no event is the first to touch a page.
		memset(ring, 0, sizeof(ring));
	}
	pthread_mutex_unlock(&lock);
	__atomic_fetch_or(&trace_wanted, areas, __ATOMIC_RELEASE);
}

struct dc_error *trace_want(const char *areas)
{
	const char *word = areas ? areas : secure_getenv("DC_TRACE");
	unsigned wanted = 0;

	while (word && *word) {
		size_t n = strcspn(word, ",");
		unsigned area = area_named(word, n);

		if (!area)
			return error_make(DC_USAGE,
					  "there is no trace of '%.*s', only of target, inject, "
					  "symbols and all",
					  (int)n, word);
		wanted |= area;
		word += n + (word[n] == ',');
	}
	if (wanted)
		begin(wanted);
	return NULL;
}

void trace_put(enum trace_area area, const char *what, pid_t tid, int64_t status, uint64_t pc,
	       const char *name)
{
	struct traced traced = {
		.ns = now(), .what = what, .status = status, .pc = pc, .tid = tid, .area = area
	};

	if (name)
		strncat(traced.name, name, sizeof(traced.name) - 1);
	pthread_mutex_lock(&lock);
	ring[put++ % RING] = traced;
	pthread_mutex_unlock(&lock);
}

// The oldest that was not written. *lost: how many were put over before it could be.
static bool take(struct traced *ret, uint64_t *lost)
{
	pthread_mutex_lock(&lock);

	bool any = written < put;

	*lost = put - written > RING ? put - written - RING : 0;
	written += *lost;
	if (any)
		*ret = ring[written++ % RING];
	pthread_mutex_unlock(&lock);
	return any;
}

static void write_one(const struct traced *traced)
{
	fprintf(stderr, "trace: %11.6f  %-7s ", (double)(traced->ns - start) / 1e9,
		names[traced->area]);
	if (traced->tid)
		fprintf(stderr, " thread %d", traced->tid);
	fprintf(stderr, "  %s %" PRId64, traced->what, traced->status);
	if (traced->pc)
		fprintf(stderr, "  at 0x%" PRIx64, traced->pc);
	fprintf(stderr, "%s%s\n", *traced->name ? "  " : "", traced->name);
}

void trace_write(void)
{
	struct traced traced;
	uint64_t lost;

	if (!__atomic_load_n(&trace_wanted, __ATOMIC_RELAXED))
		return;
	while (take(&traced, &lost)) {
		if (lost)
			fprintf(stderr, "trace: %" PRIu64 " events before this are lost\n", lost);
		write_one(&traced);
	}
}
