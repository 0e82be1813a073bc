// SPDX-License-Identifier: MIT
// Sessions: opening a target, what is made ready for it, cancelling.
#include "debugger/session/session.h"

#include "debugger/base/trace.h"
#include "debugger/inject/agent/agent_memory.h"
#include "debugger/target/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void dc_options_init(struct dc_options *options)
{
	*options = (struct dc_options){ 0 };
}

void dc_call_options_init(struct dc_call_options *options)
{
	static const int64_t second = 1000 * 1000 * 1000;

	*options = (struct dc_call_options){
		.timeout_ns = 5 * second,
		.wait_ns = second,
		.signals = DC_SIGNALS_HOLD,
	};
}

struct dc_call_options options_or_usual(const struct dc_call_options *options)
{
	struct dc_call_options usual;

	dc_call_options_init(&usual);
	return options ? *options : usual;
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

// ---- Scopes ----

static bool has_thread(const struct process *process, pid_t tid)
{
	char path[32];

	snprintf(path, sizeof(path), "task/%d", tid);
	_cleanup_close_ int fd = process_openat(process, path, O_PATH);
	return fd >= 0;
}

struct dc_error *scope_init(struct dc_session *session, const struct dc_scope *from,
			    struct scope *ret)
{
	*ret = (struct scope){ .thread = session->thread };
	if (!from)
		return NULL;
	if (from->goroutine && from->thread)
		return error_make(DC_USAGE, "a goroutine goes with no thread: it runs on the one "
					    "that it is on");
	if (from->goroutine)
		ret->thread = 0;
	if (from->thread)
		ret->thread = from->thread;
	if (from->thread && !has_thread(session->process, from->thread))
		return error_make(DC_ATTACH, "process %d has no thread %d", session->process->pid,
				  from->thread);
	ret->goroutine = from->goroutine;
	ret->no_stop = from->no_stop;
	ret->frame = from->frame ? strdup(from->frame) : NULL;
	return from->frame && !ret->frame ? &dc_out_of_memory : NULL;
}

void scope_deinit(struct scope *scope)
{
	free(scope->frame);
	*scope = (struct scope){ 0 };
}

bool scope_equal(const struct scope *a, const struct scope *b)
{
	return a->thread == b->thread && a->goroutine == b->goroutine && a->place == b->place &&
	       !strcmp(a->frame ?: "", b->frame ?: "");
}

// ---- Opening and closing ----

// It became another program, and what was read is another's.
static bool is_another_program(const struct dc_session *session)
{
	return memory_is_anothers(session->process);
}

static struct dc_error *load_symbols(struct dc_session *session)
{
	enum { TRIES = 5 };
	struct dc_error *err = symbols_load(session->process, &session->symbols);

	for (int i = 0; i < TRIES && is_another_program(session); i++) {
		dc_error_destroy(err);
		symbols_destroy(take_ptr(session->symbols));
		process_renew(session->process);
		err = symbols_load(session->process, &session->symbols);
	}
	return err;
}

static struct dc_error *open_target(struct dc_session *session, const struct dc_options *options)
{
	struct dc_error *err = process_open(options->pid, &session->process);

	if (err)
		return err;
	// -p with a thread's id means that thread.
	if (options->pid != session->process->pid)
		session->thread = options->pid;
	session->barrier = process_may_attach(session->process);
	session->barrier_lasts = session->barrier && !process_may_attach_later(session->process);
	// Where nobody may trace it, an agent that is there is for those who could read it.
	if (session->barrier_lasts && session->process->mem_fd < 0)
		dc_error_destroy(agent_memory_open(session->process, &session->memory));
	err = load_symbols(session);
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
	struct dc_error *err = trace_want(options->trace);

	if (err)
		return err;

	struct dc_session *session = calloc(1, sizeof(*session));

	if (!session)
		return &dc_out_of_memory;
	operations_init(&session->operations);
	atomic_store(&session->status, -1);
	err = open_target(session, options);
	trace_write();
	if (err) {
		dc_close(session);
		return err;
	}
	*ret = session;
	return NULL;
}

static void forget_tables(struct dc_session *session)
{
	session_forget_described(session);
	safepoints_destroy(take_ptr(session->safepoints));
	unwind_destroy(take_ptr(session->unwind));
}

void dc_close(struct dc_session *session)
{
	if (!session)
		return;
	dc_error_destroy(dc_uncontrol(session));
	operations_stop(&session->operations);
	// What cannot be said any more: the caller closes without having detached.
	dc_error_destroy(session_release(session));
	dc_expression_destroy(session->called_last);
	variables_destroy(session->variables);
	tracer_destroy(session->tracer);
	forget_tables(session);
	symbols_destroy(session->symbols);
	dc_error_destroy(session->barrier);
	agent_memory_close(session->memory);
	process_close(session->process);
	operations_deinit(session);
	trace_write();
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
	struct dc_operation *running = session->operations.running;
	bool cancelled = atomic_exchange(&session->cancelled, false);

	if (running && atomic_exchange(&running->cancelled, false))
		cancelled = true;
	if (!cancelled)
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
	return session->barrier_lasts && !session->memory ? session_bar(session)
							  : session_tables(session);
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
	const struct injection *injection = session->holding.injection;

	return session->tracer && !(injection && injection_is_untraced(injection))
		       ? tracer_run(session->tracer, job, arg)
		       : job(arg);
}

struct dc_error *session_refresh(struct dc_session *session)
{
	const struct module *const *modules;

	if (!(session->stale || session->renewed) || session->holding.injection)
		return NULL;

	size_t n = symbols_modules(session->symbols, &modules);
	_cleanup_free_ const struct module **before = calloc(n ?: 1, sizeof(*before));

	if (!before)
		return &dc_out_of_memory;
	memcpy(before, modules, n * sizeof(*before));
	session->stale = false;

	bool changed = session->renewed;

	session->renewed = false;

	struct dc_error *err = symbols_refresh(session->symbols);

	if (err)
		return err;
	// A module that is mapped anew is another one.
	if (symbols_modules(session->symbols, &modules) != n ||
	    memcmp(before, modules, n * sizeof(*before)) != 0) {
		changed = true;
		operations_tell(session, &(struct dc_event){ .kind = DC_EVENT_MODULES });
	}
	if (changed) {
		forget_tables(session);
		session->generation++;
		// Stacks of threads that stand are asked for at any time.
		if (session->control)
			err = session_tables(session);
	}
	return err;
}

bool session_begins_again(struct dc_session *session, struct dc_error *err)
{
	enum { RENEWALS_MAX = 5 };

	if (!err || err->code != DC_CHANGED || session->renewals == RENEWALS_MAX ||
	    session->holding.injection) {
		session->renewals = 0;
		return false;
	}
	dc_error_destroy(err);
	session->renewals++;
	process_renew(session->process);
	session->renewed = true;
	return true;
}

struct dc_error *session_last_word(const struct dc_session *session, struct dc_error *err,
				   enum dc_state state)
{
	if (!err || (err->state != DC_STATE_RUNNING && err->state != DC_STATE_STOPPED))
		return err;
	if (is_another_program(session))
		return error_in_state(err, DC_STATE_EXECED);
	if (!process_alive(session->process) || memory_is_gone(session->process))
		return error_in_state(err, DC_STATE_ENDED);
	// Who held the thread before has it as it was.
	return state == DC_STATE_STOPPED || state == DC_STATE_STANDS ? error_in_state(err, state)
								     : err;
}

struct dc_error *session_conclude(struct dc_session *session, struct dc_error *err)
{
	if (!err)
		return NULL;
	if (err->code == DC_ATTACH && session->barrier) {
		// The reason behind a failed read is the better message.
		dc_error_destroy(err);
		return session_bar(session);
	}
	// Nothing was run in it yet, so that one may begin again.
	if (is_another_program(session) && !session->departure.thread && !session->called &&
	    err->code != DC_CANCELLED) {
		dc_error_destroy(err);
		err = error_in_state(error_make(DC_CHANGED, "process %d became another program",
						session->process->pid),
				     DC_STATE_EXECED);
		return err;
	}
	if (err->code == DC_TARGET_EXECED && !session->execed) {
		session->execed = true;
		operations_tell(session, &(struct dc_event){ .kind = DC_EVENT_TARGET_EXECED });
	}
	if (err->state == DC_STATE_UNTOUCHED && session->tracer &&
	    tracer_has_seized(session->tracer))
		err = error_in_state(err, DC_STATE_RUNNING);
	if (err->code == DC_TARGET_ENDED)
		return error_in_state(err, DC_STATE_ENDED);
	if (err->code == DC_TARGET_EXECED || err->code == DC_MEMORY ||
	    (process_alive(session->process) && !memory_is_gone(session->process)))
		return err;
	// Whatever failed, it failed because nobody was there.
	struct dc_error *ended = error_make(DC_TARGET_ENDED, "process %d ended: %s",
					    session->process->pid, err->message);
	dc_error_destroy(err);
	return error_in_state(ended, DC_STATE_ENDED);
}
