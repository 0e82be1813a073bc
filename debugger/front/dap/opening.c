// SPDX-License-Identifier: MIT
// The thread that opens, and how it is stopped from another one.
#include "debugger/front/dap/opening.h"

#include "debugger/front/dap/request.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct opening {
	struct request *request;
	const struct opening_steps *steps;
	pthread_t thread;
	int fd;
	struct dc_error *err;
	// Seen by both threads.
	pthread_mutex_t lock;
	struct dc_session *session;
	bool cancelled;
};

static bool was_cancelled(struct opening *opening)
{
	pthread_mutex_lock(&opening->lock);

	bool cancelled = opening->cancelled;

	pthread_mutex_unlock(&opening->lock);
	return cancelled;
}

static bool goes_on(struct opening *opening)
{
	if (opening->err || opening->request->complaint)
		return false;
	if (!was_cancelled(opening))
		return true;
	request_complain(opening->request, "cancelled");
	return false;
}

// Not left to whoever waits for the end, since it may take a while.
static void let_go(struct opening *opening)
{
	pthread_mutex_lock(&opening->lock);

	struct dc_session *session = opening->session;

	opening->session = NULL;
	pthread_mutex_unlock(&opening->lock);
	dc_close(session);
}

static void *work(void *arg)
{
	struct opening *opening = arg;
	struct dc_session *session = NULL;
	struct dc_options options;

	dc_options_init(&options);
	if (goes_on(opening))
		opening->err = opening->steps->find(opening->request, &options.pid);
	if (goes_on(opening))
		opening->err = dc_open(&options, &session);
	// Whoever cancels from now on reaches the session, too.
	pthread_mutex_lock(&opening->lock);
	opening->session = session;
	pthread_mutex_unlock(&opening->lock);
	if (goes_on(opening)) {
		dc_event_fd(session);
		opening->err = opening->steps->begin(opening->request, session);
	}
	if (!goes_on(opening))
		let_go(opening);
	eventfd_write(opening->fd, 1);
	return NULL;
}

struct opening *opening_start(struct request *request, const struct opening_steps *steps)
{
	struct opening *opening = calloc(1, sizeof(*opening));
	sigset_t all, old;

	if (!opening)
		return NULL;
	*opening = (struct opening){ .request = request, .steps = steps };
	opening->fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&opening->lock, NULL);
	// Interrupts are for the thread that answers.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);

	int failed = opening->fd < 0 || pthread_create(&opening->thread, NULL, work, opening);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!failed)
		return opening;
	if (opening->fd >= 0)
		close(opening->fd);
	free(opening);
	return NULL;
}

int opening_fd(const struct opening *opening)
{
	return opening->fd;
}

void opening_cancel(struct opening *opening)
{
	pthread_mutex_lock(&opening->lock);
	opening->cancelled = true;
	if (opening->session)
		dc_cancel(opening->session);
	pthread_mutex_unlock(&opening->lock);
}

struct dc_error *opening_finish(struct opening *opening, struct dc_session **ret)
{
	struct dc_error *err;

	pthread_join(opening->thread, NULL);
	err = opening->err;
	*ret = opening->session;
	close(opening->fd);
	pthread_mutex_destroy(&opening->lock);
	free(opening);
	return err;
}
