// SPDX-License-Identifier: MIT
// Turns, operations that run on a thread of the session's own, and the events that tell of them.
#include "debugger/session/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

struct event_entry {
	struct event_entry *next;
	struct dc_event event;
};

void operations_init(struct operations *operations)
{
	pthread_condattr_t clock;

	*operations = (struct operations){ .event_fd = -1, .poll_fd = -1 };
	operations->last = &operations->first;
	operations->last_event = &operations->events;
	pthread_mutex_init(&operations->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&operations->changed, &clock);
	pthread_condattr_destroy(&clock);
}

// ---- Events ----

static void entry_free(struct event_entry *entry)
{
	if (!entry)
		return;
	stop_forget_texts(&entry->event.stop);
	free((char *)entry->event.failure);
	free(entry);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

void stop_keep_texts(struct dc_stop *stop)
{
	stop->was = copy(stop->was);
	stop->is = copy(stop->is);
	stop->problem = copy(stop->problem);
}

void stop_forget_texts(struct dc_stop *stop)
{
	free((char *)stop->was);
	free((char *)stop->is);
	free((char *)stop->problem);
}

// With the lock.
static void tell(struct operations *operations, const struct dc_event *event)
{
	struct event_entry *entry;

	if (operations->event_fd < 0)
		return;
	// One that there is no memory for is lost; an operation's end can still be waited for.
	entry = malloc(sizeof(*entry));
	if (!entry)
		return;
	*entry = (struct event_entry){ .event = *event };
	stop_keep_texts(&entry->event.stop);
	entry->event.failure = copy(event->failure);
	*operations->last_event = entry;
	operations->last_event = &entry->next;
	eventfd_write(operations->event_fd, 1);
}

void operations_tell(struct dc_session *session, const struct dc_event *event)
{
	pthread_mutex_lock(&session->operations.lock);
	tell(&session->operations, event);
	pthread_mutex_unlock(&session->operations.lock);
}

// One descriptor for our own events and the process's end.
static int open_events(struct dc_session *session)
{
	struct operations *operations = &session->operations;
	struct epoll_event in = { .events = EPOLLIN };
	int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int poll_fd = event_fd >= 0 ? epoll_create1(EPOLL_CLOEXEC) : -1;

	if (poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, event_fd, &in) ||
	    epoll_ctl(poll_fd, EPOLL_CTL_ADD, session->process->pidfd, &in)) {
		int saved = errno;

		if (event_fd >= 0)
			close(event_fd);
		if (poll_fd >= 0)
			close(poll_fd);
		errno = saved;
		return -1;
	}
	operations->event_fd = event_fd;
	operations->poll_fd = poll_fd;
	return poll_fd;
}

// What is still to be told of threads and places of the process. With the lock.
static void forget_threads(struct operations *operations)
{
	struct event_entry **at = &operations->events;

	while (*at) {
		struct event_entry *entry = *at;
		enum dc_event_kind kind = entry->event.kind;

		if (kind == DC_EVENT_ENDED || kind == DC_EVENT_RETURNED || kind == DC_EVENT_CHILD) {
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		entry_free(entry);
	}
	operations->last_event = at;
}

void operations_become(struct dc_session *session, struct process *process)
{
	struct operations *operations = &session->operations;
	struct epoll_event in = { .events = EPOLLIN };

	pthread_mutex_lock(&operations->lock);
	if (operations->poll_fd >= 0)
		epoll_ctl(operations->poll_fd, EPOLL_CTL_DEL, session->process->pidfd, NULL);
	process_become(session->process, process);
	if (operations->poll_fd >= 0)
		epoll_ctl(operations->poll_fd, EPOLL_CTL_ADD, session->process->pidfd, &in);
	forget_threads(operations);
	operations->told_end = false;
	operations->ended_at = 0;
	atomic_store(&session->status, -1);
	pthread_mutex_unlock(&operations->lock);
}

int dc_event_fd(struct dc_session *session)
{
	struct operations *operations = &session->operations;

	pthread_mutex_lock(&operations->lock);

	int fd = operations->poll_fd >= 0 ? operations->poll_fd : open_events(session);

	pthread_mutex_unlock(&operations->lock);
	return fd;
}

// Its status comes a moment after its end, to whoever follows it. With the lock.
static bool is_end_known(struct dc_session *session)
{
	enum { PATIENCE_NS = 500 * 1000 * 1000 };
	struct operations *operations = &session->operations;

	if (!operations->ended_at)
		operations->ended_at = tracer_now();
	return !atomic_load(&session->is_followed) || atomic_load(&session->status) != -1 ||
	       tracer_now() - operations->ended_at > PATIENCE_NS;
}

bool dc_next_event(struct dc_session *session, struct dc_event *ret)
{
	struct operations *operations = &session->operations;
	struct event_entry *entry;
	eventfd_t count;

	pthread_mutex_lock(&operations->lock);
	if (operations->event_fd >= 0)
		eventfd_read(operations->event_fd, &count);
	if (operations->event_fd >= 0 && !operations->told_end &&
	    !process_alive(session->process) && is_end_known(session)) {
		operations->told_end = true;
		epoll_ctl(operations->poll_fd, EPOLL_CTL_DEL, session->process->pidfd, NULL);
		tell(operations, &(struct dc_event){ .kind = DC_EVENT_TARGET_ENDED,
						     .status = atomic_load(&session->status) });
	}
	entry = operations->events;
	if (entry) {
		operations->events = entry->next;
		if (!entry->next)
			operations->last_event = &operations->events;
		else
			eventfd_write(operations->event_fd, 1);
		entry_free(operations->told);
		operations->told = entry;
	}
	pthread_mutex_unlock(&operations->lock);
	if (!entry)
		return false;
	*ret = entry->event;
	return true;
}

// ---- Turns ----

// With the lock.
static void enqueue(struct operations *operations, struct dc_operation *operation)
{
	*operations->last = operation;
	operations->last = &operation->next;
}

static void dequeue(struct operations *operations, struct dc_operation *operation)
{
	struct dc_operation **at = &operations->first;

	while (*at != operation)
		at = &(*at)->next;
	*at = operation->next;
	if (!*at)
		operations->last = at;
	operation->next = NULL;
}

static void take_turn(struct operations *operations, struct dc_operation *operation)
{
	dequeue(operations, operation);
	operation->state = OPERATION_RUNS;
	operations->running = operation;
	operations->owner = pthread_self();
}

static void give_turn(struct operations *operations)
{
	struct dc_operation *operation = operations->running;

	operation->state = OPERATION_ENDED;
	operations->running = NULL;
	// A cancel that came too late is not for the next one.
	if (atomic_exchange(&operation->cancelled, false) && operation->session->tracer)
		tracer_clear_cancel(operation->session->tracer);
	if (operation->is_left && !operation->is_quiet)
		tell(operations,
		     &(struct dc_event){ .kind = DC_EVENT_ENDED, .operation = operation });
	pthread_cond_broadcast(&operations->changed);
}

void turn_begin(struct dc_session *session, struct dc_operation *turn)
{
	struct operations *operations = &session->operations;

	*turn = (struct dc_operation){ .session = session };
	pthread_mutex_lock(&operations->lock);
	if (operations->running && pthread_equal(operations->owner, pthread_self())) {
		turn->nested = true;
	} else {
		enqueue(operations, turn);
		while (operations->first != turn || operations->running)
			pthread_cond_wait(&operations->changed, &operations->lock);
		take_turn(operations, turn);
	}
	pthread_mutex_unlock(&operations->lock);
}

bool turn_try(struct dc_session *session, struct dc_operation *turn)
{
	struct operations *operations = &session->operations;
	bool is_free;

	*turn = (struct dc_operation){ .session = session };
	pthread_mutex_lock(&operations->lock);
	is_free = !operations->running && !operations->first;
	if (is_free) {
		enqueue(operations, turn);
		take_turn(operations, turn);
	}
	pthread_mutex_unlock(&operations->lock);
	return is_free;
}

void turn_end(struct dc_operation *turn)
{
	struct operations *operations = &turn->session->operations;

	if (turn->nested)
		return;
	pthread_mutex_lock(&operations->lock);
	give_turn(operations);
	pthread_mutex_unlock(&operations->lock);
}

// ---- Operations that are left ----

static void *work(void *arg)
{
	struct dc_session *session = arg;
	struct operations *operations = &session->operations;

	pthread_mutex_lock(&operations->lock);
	for (;;) {
		struct dc_operation *next = operations->first;

		if (operations->running || !next || !next->is_left) {
			if (operations->closing && !next)
				break;
			pthread_cond_wait(&operations->changed, &operations->lock);
			continue;
		}
		take_turn(operations, next);
		pthread_mutex_unlock(&operations->lock);
		next->err = next->job(session, next->arg);
		pthread_mutex_lock(&operations->lock);
		give_turn(operations);
		if (next->is_quiet) {
			dc_error_destroy(next->err);
			free(next);
		}
	}
	pthread_mutex_unlock(&operations->lock);
	return NULL;
}

// With the lock.
static struct dc_error *start_worker(struct dc_session *session)
{
	struct operations *operations = &session->operations;
	sigset_t all, old;

	if (operations->has_worker)
		return NULL;
	// The host program's signals are not for this thread.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);

	int failed = pthread_create(&operations->worker, NULL, work, session);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed)
		return error_errno(failed, "cannot start the session's worker");
	operations->has_worker = true;
	return NULL;
}

static void operation_free(struct dc_operation *operation)
{
	if (operation->discard)
		operation->discard(operation->arg);
	free(operation);
}

static struct dc_error *leave(struct dc_session *session, const struct dc_operation *what,
			      struct dc_operation **ret)
{
	struct operations *operations = &session->operations;
	struct dc_operation *operation = malloc(sizeof(*operation));
	struct dc_error *err;

	if (!operation) {
		if (what->discard)
			what->discard(what->arg);
		return &dc_out_of_memory;
	}
	*operation = *what;
	operation->session = session;
	operation->is_left = true;
	pthread_mutex_lock(&operations->lock);
	err = start_worker(session);
	if (!err)
		enqueue(operations, operation);
	pthread_cond_broadcast(&operations->changed);
	pthread_mutex_unlock(&operations->lock);
	if (err) {
		operation_free(operation);
		return err;
	}
	*ret = operation;
	return NULL;
}

bool operations_leave_quietly(struct dc_session *session,
			      struct dc_error *(*job)(struct dc_session *, void *))
{
	const struct dc_operation what = { .job = job, .is_quiet = true };
	struct dc_operation *operation;
	struct dc_error *err = leave(session, &what, &operation);

	dc_error_destroy(err);
	return !err;
}

bool dc_operation_wait(struct dc_operation *operation, int64_t timeout_ns)
{
	struct operations *operations = &operation->session->operations;
	int64_t until = timeout_ns > 0 ? tracer_now() + timeout_ns : 0;
	const struct timespec deadline = { until / 1000000000, until % 1000000000 };
	int failed = timeout_ns == 0;

	pthread_mutex_lock(&operations->lock);
	while (operation->state != OPERATION_ENDED && !failed) {
		if (timeout_ns < 0)
			pthread_cond_wait(&operations->changed, &operations->lock);
		else
			failed = pthread_cond_timedwait(&operations->changed, &operations->lock,
							&deadline);
	}

	bool ended = operation->state == OPERATION_ENDED;

	pthread_mutex_unlock(&operations->lock);
	return ended;
}

void dc_operation_cancel(struct dc_operation *operation)
{
	struct dc_session *session = operation->session;
	struct operations *operations = &session->operations;

	pthread_mutex_lock(&operations->lock);
	if (operation->state == OPERATION_WAITS) {
		dequeue(operations, operation);
		operation->state = OPERATION_ENDED;
		operation->err = error_make(DC_CANCELLED, "cancelled before it began");
		tell(operations,
		     &(struct dc_event){ .kind = DC_EVENT_ENDED, .operation = operation });
		pthread_cond_broadcast(&operations->changed);
	} else if (operation->state == OPERATION_RUNS) {
		struct tracer *tracer;

		// The flag first: a tracer that is made after it is read finds the flag.
		atomic_store(&operation->cancelled, true);
		tracer = atomic_load(&session->tracer);
		if (tracer)
			tracer_cancel(tracer);
	}
	pthread_mutex_unlock(&operations->lock);
}

struct dc_error *dc_operation_finish(struct dc_operation *operation, struct dc_result *ret)
{
	struct operations *operations = &operation->session->operations;

	dc_operation_wait(operation, -1);

	struct dc_error *err = operation->err;

	if (operation->result && ret) {
		*ret = *operation->result;
		*operation->result = (struct dc_result){ 0 };
	}
	// Nobody is told of it any more.
	pthread_mutex_lock(&operations->lock);
	for (struct event_entry **at = &operations->events; *at;) {
		struct event_entry *entry = *at;

		if (entry->event.operation != operation) {
			at = &entry->next;
			continue;
		}
		*at = entry->next;
		if (!*at)
			operations->last_event = at;
		entry_free(entry);
	}
	pthread_mutex_unlock(&operations->lock);
	operation_free(operation);
	return err;
}

void operations_stop(struct operations *operations)
{
	pthread_mutex_lock(&operations->lock);
	operations->closing = true;
	pthread_cond_broadcast(&operations->changed);
	pthread_mutex_unlock(&operations->lock);
	if (operations->has_worker)
		pthread_join(operations->worker, NULL);
	operations->has_worker = false;
}

void operations_deinit(struct dc_session *session)
{
	struct operations *operations = &session->operations;
	struct dc_event event;

	operations->told_end = true;
	while (dc_next_event(session, &event))
		;
	entry_free(operations->told);
	if (operations->poll_fd >= 0) {
		close(operations->event_fd);
		close(operations->poll_fd);
	}
	pthread_cond_destroy(&operations->changed);
	pthread_mutex_destroy(&operations->lock);
}

// ---- What can be left ----

struct dc_error *dc_start(struct dc_session *session,
			  struct dc_error *(*job)(struct dc_session *, void *), void *arg,
			  struct dc_operation **ret)
{
	return leave(session, &(struct dc_operation){ .job = job, .arg = arg }, ret);
}

struct left_evaluation {
	struct dc_expression *expression;
	struct dc_call_options options;
	struct dc_result result;
};

static void discard_evaluation(void *arg)
{
	struct left_evaluation *left = arg;

	dc_expression_destroy(left->expression);
	dc_result_deinit(&left->result);
	free(left);
}

static struct dc_error *run_evaluation(struct dc_session *session, void *arg)
{
	struct left_evaluation *left = arg;

	return dc_evaluate(session, left->expression, &left->options, &left->result);
}

struct dc_error *dc_start_evaluate(struct dc_session *session, struct dc_expression *expression,
				   const struct dc_call_options *options, struct dc_operation **ret)
{
	struct left_evaluation *left = calloc(1, sizeof(*left));

	if (!left)
		return &dc_out_of_memory;
	left->expression = expression_share(expression);
	left->options = options_or_usual(options);
	return leave(session,
		     &(struct dc_operation){ .job = run_evaluation,
					     .discard = discard_evaluation,
					     .arg = left,
					     .result = &left->result },
		     ret);
}

struct left_call {
	char *function;
	struct dc_argument *args;
	size_t nr_args;
	struct dc_scope scope;
	struct dc_call_options options;
	struct dc_result result;
};

static void discard_call(void *arg)
{
	struct left_call *left = arg;

	for (size_t i = 0; left->args && i < left->nr_args; i++) {
		if (left->args[i].kind == DC_STRING)
			free((char *)left->args[i].string);
	}
	free(left->args);
	free(left->function);
	free((char *)left->scope.frame);
	dc_result_deinit(&left->result);
	free(left);
}

static struct dc_error *run_call(struct dc_session *session, void *arg)
{
	struct left_call *left = arg;

	return dc_call(session, left->function, left->args, left->nr_args, &left->scope,
		       &left->options, &left->result);
}

// The caller's arguments may go when dc_start_call() has returned.
static bool copy_call(struct left_call *left, const struct dc_argument *args, size_t nr_args,
		      const struct dc_scope *scope)
{
	left->args = calloc(nr_args ?: 1, sizeof(*left->args));
	if (!left->args || !left->function)
		return false;
	for (size_t i = 0; i < nr_args; i++) {
		left->args[i] = args[i];
		left->nr_args = i + 1;
		if (args[i].kind != DC_STRING)
			continue;
		left->args[i].string = strdup(args[i].string);
		if (!left->args[i].string)
			return false;
	}
	if (!scope)
		return true;
	left->scope = *scope;
	left->scope.frame = scope->frame ? strdup(scope->frame) : NULL;
	return !scope->frame || left->scope.frame;
}

struct dc_error *dc_start_call(struct dc_session *session, const char *function,
			       const struct dc_argument *args, size_t nr_args,
			       const struct dc_scope *scope, const struct dc_call_options *options,
			       struct dc_operation **ret)
{
	struct left_call *left = calloc(1, sizeof(*left));

	if (!left)
		return &dc_out_of_memory;
	left->function = strdup(function);
	left->options = options_or_usual(options);
	if (!copy_call(left, args, nr_args, scope)) {
		discard_call(left);
		return &dc_out_of_memory;
	}
	return leave(session,
		     &(struct dc_operation){ .job = run_call,
					     .discard = discard_call,
					     .arg = left,
					     .result = &left->result },
		     ret);
}
