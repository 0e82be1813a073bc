// SPDX-License-Identifier: MIT
// Sessions: opening a target, borrowing a thread of it, giving it back, cancelling.
#include "debugger/session/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void dc_options_init(struct dc_options *options)
{
	static const int64_t second = 1000 * 1000 * 1000;

	*options = (struct dc_options){
		.timeout_ns = 5 * second,
		.wait_ns = second,
		.signals = DC_SIGNALS_HOLD,
	};
}

struct dc_error *dc_find_process(const char *what, pid_t *ret)
{
	char *end;

	errno = 0;
	long number = strtol(what, &end, 10);
	// A name may begin with a digit, so only a word of digits is an id.
	if (end == what || *end)
		return process_find(what, ret);
	if (errno || number <= 0 || number > INT32_MAX)
		return error_make(DC_ATTACH, "%s is not a process id", what);
	*ret = (pid_t)number;
	return NULL;
}

static bool has_thread(const struct process *process, pid_t tid)
{
	char path[32];

	snprintf(path, sizeof(path), "task/%d", tid);
	_cleanup_close_ int fd = process_openat(process, path, O_PATH);
	return fd >= 0;
}

static struct dc_error *open_target(struct dc_session *session)
{
	struct dc_options *options = &session->options;
	struct dc_error *err = process_open(options->pid, &session->process);

	if (err)
		return err;
	// -p with a thread's id means that thread.
	if (options->pid != session->process->pid && !options->thread)
		options->thread = options->pid;
	if (options->thread && !has_thread(session->process, options->thread))
		return error_make(DC_ATTACH, "process %d has no thread %d", session->process->pid,
				  options->thread);
	session->barrier = process_may_attach(session->process);
	err = symbols_load(session->process, &session->symbols);
	if (err && session->barrier) {
		// The reason behind a failed read is the better message.
		dc_error_destroy(err);
		return take_ptr(session->barrier);
	}
	if (err)
		return err;
	session->variables = variables_create();
	return session->variables ? NULL : &dc_out_of_memory;
}

struct dc_error *dc_open(const struct dc_options *options, struct dc_session **ret)
{
	if (options->goroutine && (options->thread || options->host == DC_HOST_BARE))
		return error_make(DC_USAGE, "a goroutine goes neither with a thread nor with the "
					    "bare host");

	struct dc_session *session = calloc(1, sizeof(*session));

	if (!session)
		return &dc_out_of_memory;
	session->options = *options;
	if (options->frame) {
		session->frame_name = strdup(options->frame);
		if (!session->frame_name) {
			free(session);
			return &dc_out_of_memory;
		}
		session->options.frame = session->frame_name;
		session->scope.wanted = true;
	}
	struct dc_error *err = open_target(session);
	if (err) {
		dc_close(session);
		return err;
	}
	*ret = session;
	return NULL;
}

static void forget_prepared(struct dc_session *session)
{
	while (session->prepared) {
		struct prepared *prepared = session->prepared;

		session->prepared = prepared->next;
		expression_destroy(prepared->expression);
		free(prepared->text);
		free(prepared);
	}
}

static void forget_tables(struct dc_session *session)
{
	safepoints_destroy(take_ptr(session->safepoints));
	unwind_destroy(take_ptr(session->unwind));
}

void dc_close(struct dc_session *session)
{
	if (!session)
		return;
	// What cannot be said any more: the caller closes without having detached.
	dc_error_destroy(borrowed_release(session->borrowed, &session->departure));
	forget_prepared(session);
	variables_destroy(session->variables);
	tracer_destroy(session->tracer);
	forget_tables(session);
	symbols_destroy(session->symbols);
	dc_error_destroy(session->barrier);
	process_close(session->process);
	free(session->frame_name);
	free(session);
}

void dc_cancel(struct dc_session *session)
{
	struct tracer *tracer;

	// The flag first: a tracer that is made after it is read finds the flag.
	atomic_store(&session->cancelled, true);
	tracer = atomic_load(&session->tracer);
	if (tracer)
		tracer_cancel(tracer);
}

struct dc_error *session_cancelled(struct dc_session *session)
{
	if (!atomic_exchange(&session->cancelled, false))
		return NULL;
	// One operation ends for each cancel; --finally may then still run.
	if (session->tracer)
		tracer_clear_cancel(session->tracer);
	return error_make(DC_CANCELLED, "cancelled");
}

// The barrier belongs to the session and may be told more than once.
struct dc_error *session_bar(const struct dc_session *session)
{
	return error_make(session->barrier->code, "%s", session->barrier->message);
}

struct dc_error *session_tables(struct dc_session *session)
{
	struct dc_error *err = NULL;

	if (!session->unwind)
		err = unwind_create(session->process, session->symbols, &session->unwind);
	if (!err && !session->safepoints)
		err = safepoints_create(session->process, session->symbols, &session->safepoints);
	return err ? err : session_cancelled(session);
}

struct dc_error *session_look(struct dc_session *session)
{
	return session->barrier ? session_bar(session) : session_tables(session);
}

struct dc_error *session_ready(struct dc_session *session)
{
	struct dc_error *err = session_look(session);
	struct tracer *tracer;

	if (err || session->tracer)
		return err;
	err = tracer_create(session->process, &tracer);
	if (err)
		return err;
	atomic_store(&session->tracer, tracer);
	// A cancel that came before could not tell the tracer.
	return session_cancelled(session);
}

struct dc_error *session_run(struct dc_session *session, struct dc_error *(*job)(void *), void *arg)
{
	return session->tracer ? tracer_run(session->tracer, job, arg) : job(arg);
}

bool session_calls(const struct dc_session *session)
{
	for (const struct prepared *prepared = session->prepared; prepared;
	     prepared = prepared->next) {
		if (prepared->calls)
			return true;
	}
	return false;
}

// A thread that waits inside stdio may serve when nothing that is prepared reaches stdio.
static bool avoids_stdio(const struct dc_session *session)
{
	for (const struct prepared *prepared = session->prepared; prepared;
	     prepared = prepared->next) {
		if (!prepared->avoids_stdio)
			return false;
	}
	return true;
}

static const struct module *called_vm(const struct dc_session *session)
{
	for (const struct prepared *prepared = session->prepared; prepared;
	     prepared = prepared->next) {
		if (prepared->vm)
			return prepared->vm;
	}
	return NULL;
}

// Frames, registers that are assigned and threads that all stand still belong to a thread that
// stays stopped from one call to the next, which the target's own host gives back each time.
static struct dc_error *choose_host(const struct dc_session *session, bool to_call,
				    enum dc_host *ret)
{
	const struct dc_options *options = &session->options;
	const char *what = session->scope.wanted ? "registers and locals of a frame need"
			   : options->all_stop	 ? "--all-stop needs"
						 : NULL;

	enum dc_host host = options->goroutine ? DC_HOST_GORT : options->host;

	*ret = what || !to_call ? DC_HOST_BARE : host;
	if (what && to_call && host == DC_HOST_GORT)
		return error_make(DC_REFUSED, "%s the bare host", what);
	// Without a goroutine, what enters the program's runtime ends the program.
	if (to_call && *ret == DC_HOST_BARE && !options->force && !avoids_stdio(session) &&
	    safepoints_has_runtime(session->safepoints))
		return error_make(DC_REFUSED,
				  "the callee may need a goroutine, which the bare host does not "
				  "give it; --force calls it all the same%s%s%s",
				  what ? " (" : "", what ?: "", what ? " the bare host)" : "");
	return NULL;
}

static struct dc_error *borrow_one(struct dc_session *session, bool to_call)
{
	const struct dc_options *options = &session->options;
	struct borrow_options borrow = {
		.goroutine = to_call ? options->goroutine : 0,
		.thread = session->scope.wanted ? session->scope.tid : options->thread,
		.wait_ns = options->wait_ns,
		.all_stop = options->all_stop,
		// Where nothing will run, no place is unsafe.
		.force = options->force || !to_call,
		.avoids_stdio = avoids_stdio(session),
		.drop_literals = options->drop_literals,
		.assume_seccomp_ok = options->assume_seccomp_ok,
		.signals = options->signals,
		.pass_signals = options->pass_signals,
		.vm = called_vm(session),
	};
	struct dc_error *err = choose_host(session, to_call, &borrow.host);

	if (!err)
		err = borrow_thread(session->tracer, session->process, session->symbols,
				    session->safepoints, session->unwind, &borrow,
				    &session->borrowed);

	if (!err) {
		session->callable = to_call;
		session->avoids_stdio = borrow.avoids_stdio;
		session->vm = borrow.vm;
		session->lost = false;
		session->touched = true;
		session->departure.thread = borrowed_tid(session->borrowed);
		session->departure.chosen = !options->thread;
	}
	return err;
}

// The thread that is held will do for what is wanted now.
static bool serves(const struct dc_session *session, bool to_call)
{
	if (session->scope.wanted && !session->scope.settled)
		return false;
	return !to_call ||
	       (session->callable && (!session->avoids_stdio || avoids_stdio(session)) &&
		(session->vm || !called_vm(session)));
}

struct dc_error *session_borrow(struct dc_session *session, bool to_call)
{
	// Enough for a thread that rarely changes its function; more would be a hunt.
	enum { TRIES = 16 };
	struct dc_error *err;

	if (session->lost)
		return error_make(DC_REFUSED, "the borrowed thread did not come back from a call");
	if (session->borrowed && serves(session, to_call))
		return borrowed_renew(session->borrowed);
	err = session_release(session);
	if (!err)
		err = session_ready(session);
	if (!err && session->scope.wanted && !session->scope.known)
		err = scope_sample(session);
	for (int i = 0; i < TRIES && !err; i++) {
		bool same = true;

		err = borrow_one(session, to_call);
		if (!err && session->scope.wanted)
			err = scope_settle(session, &same);
		if (!err && same)
			return NULL;
		struct dc_error *release = session_release(session);
		if (err)
			dc_error_destroy(release);
		else
			err = release;
		if (!err)
			err = session_cancelled(session);
	}
	if (err)
		return err;
	return error_make(DC_REFUSED,
			  "thread %d does not stay in one function; name it with --frame FUNC",
			  session->scope.tid);
}

struct dc_error *session_release(struct dc_session *session)
{
	struct dc_departure departure = { 0 };

	if (!session->borrowed)
		return NULL;
	struct dc_error *err = borrowed_release(session->borrowed, &departure);
	session->borrowed = NULL;
	session->lost = false;
	session->scope.settled = false;
	session->departure.pause_ns += departure.pause_ns;
	session->departure.literals_left += departure.literals_left;
	session->departure.state = departure.state;
	return err;
}

struct dc_error *dc_attach(struct dc_session *session)
{
	return session_borrow(session, !session->options.no_call);
}

struct dc_error *dc_detach(struct dc_session *session, struct dc_departure *ret)
{
	struct dc_error *err = session_release(session);

	*ret = session->departure;
	session->departure = (struct dc_departure){ 0 };
	// The program goes on: its frames move, it may load libraries.
	forget_prepared(session);
	session->scope = (struct scope){ .wanted = session->options.frame != NULL };
	session->stale = true;
	return err;
}

struct dc_error *session_refresh(struct dc_session *session)
{
	if (!session->stale || session->borrowed)
		return NULL;
	forget_tables(session);
	session->stale = false;
	return symbols_refresh(session->symbols);
}
