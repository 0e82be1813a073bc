// SPDX-License-Identifier: MIT
// A thread of its own tells of what goes on, which knows nothing of being told.
#include "debugger/front/shell/progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 500, STEP_MS = 200 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_allowed, has_thread;
	bool runs, is_shown, is_hidden;
	bool is_mid_line; // what was written last has not ended its line
	struct timespec began;
	char what[48];
} progress = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void put(const char *text, size_t n)
{
	while (n) {
		ssize_t put = write(STDOUT_FILENO, text, n);

		if (put <= 0)
			return;
		text += put;
		n -= (size_t)put;
	}
}

static void clear(void)
{
	static const char gone[] = "\r\033[K";

	if (progress.is_shown)
		put(gone, sizeof(gone) - 1);
	progress.is_shown = false;
}

static int64_t since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * INT64_C(1000) +
	       (now.tv_nsec - then->tv_nsec) / 1000000;
}

static void tell(void)
{
	char text[96];
	int64_t ms = since(&progress.began);
	int n = snprintf(text, sizeof(text), "\r%s: %jd.%jd s (Ctrl-C cancels)\033[K",
			 progress.what, (intmax_t)ms / 1000, (intmax_t)ms % 1000 / 100);

	put(text, (size_t)n);
	progress.is_shown = true;
}

static void *watch(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&progress.lock);
	for (;;) {
		struct timespec until;

		while (!progress.runs)
			pthread_cond_wait(&progress.changed, &progress.lock);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += STEP_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&progress.changed, &progress.lock, &until);
		if (progress.runs && !progress.is_hidden && !progress.is_mid_line &&
		    since(&progress.began) >= FIRST_MS)
			tell();
	}
	return NULL;
}

static bool start(void)
{
	pthread_condattr_t attributes;
	pthread_t thread;
	sigset_t all, old;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&progress.changed, &attributes);
	pthread_condattr_destroy(&attributes);
	// Ctrl-C is for the one that can do something about it.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);

	bool good = !pthread_create(&thread, NULL, watch, NULL);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (good)
		pthread_detach(thread);
	return good;
}

void progress_allow(bool is_allowed)
{
	progress.is_allowed = is_allowed;
}

void progress_begin(const char *what)
{
	if (!progress.is_allowed)
		return;
	if (!progress.has_thread)
		progress.has_thread = start();
	if (!progress.has_thread)
		return;
	pthread_mutex_lock(&progress.lock);
	snprintf(progress.what, sizeof(progress.what), "%s", what);
	// What is shown is one line, and commands no terminal.
	for (char *at = progress.what; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	clock_gettime(CLOCK_MONOTONIC, &progress.began);
	progress.runs = true;
	progress.is_hidden = progress.is_mid_line = false;
	pthread_cond_signal(&progress.changed);
	pthread_mutex_unlock(&progress.lock);
}

void progress_end(void)
{
	if (!progress.has_thread)
		return;
	pthread_mutex_lock(&progress.lock);
	clear();
	progress.runs = false;
	pthread_mutex_unlock(&progress.lock);
}

void progress_hide(void)
{
	if (!progress.has_thread)
		return;
	pthread_mutex_lock(&progress.lock);
	clear();
	progress.is_hidden = true;
	pthread_mutex_unlock(&progress.lock);
}

void progress_show(bool at_line_begin)
{
	if (!progress.has_thread)
		return;
	pthread_mutex_lock(&progress.lock);
	progress.is_hidden = false;
	progress.is_mid_line = !at_line_begin;
	pthread_mutex_unlock(&progress.lock);
}
