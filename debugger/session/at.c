// SPDX-License-Identifier: MIT
// Evaluating where threads come by: breakpoints at a place, each hit served and let go. Everything
// between a hit and the thread's way on is done on the tracer's thread, with nothing printed.
#include "debugger/session/breakpoints.h"

#include "debugger/base/trace.h"

// What is evaluated at one of the place's addresses: its names are looked up there.
struct at_spot {
	struct code_place place;
	const struct location *location; // NULL: not armed
	struct dc_expression *condition; // NULL: none
	struct dc_expression **expressions;
};

struct at {
	struct dc_session *session;
	const struct dc_at *what;
	const char *const *texts;
	size_t n;
	const struct dc_call_options *options;
	struct at_spot *spots;
	size_t nr_spots;
	int64_t until; // the hit that is waited for; 0: for ever
	struct dc_hit hit;
	bool is_over; // the time is up
};

static void at_deinit(struct at *at)
{
	for (size_t i = 0; at->spots && i < at->nr_spots; i++) {
		struct at_spot *spot = &at->spots[i];

		dc_expression_destroy(spot->condition);
		for (size_t j = 0; spot->expressions && j < at->n; j++)
			dc_expression_destroy(spot->expressions[j]);
		free(spot->expressions);
	}
	free(at->spots);
	free(at->hit.outcomes);
}

// ---- before anything is armed ---------------------------------------------------------------------

static struct dc_error *parse_spot(const struct at *at, struct at_spot *spot)
{
	struct dc_session *session = at->session;
	struct dc_error *err = NULL;

	spot->expressions = calloc(at->n ?: 1, sizeof(*spot->expressions));
	if (!spot->expressions)
		return &dc_out_of_memory;
	if (at->what->condition)
		err = session_parse_at(session, at->what->condition, spot->place.addr,
				       &spot->condition);
	for (size_t i = 0; !err && i < at->n; i++)
		err = session_parse_at(session, at->texts[i], spot->place.addr,
				       &spot->expressions[i]);
	// What is refused is refused before anybody waits.
	if (!err && spot->condition)
		err = expression_prepare(spot->condition, at->options);
	for (size_t i = 0; !err && i < at->n; i++)
		err = expression_prepare(spot->expressions[i], at->options);
	return err;
}

static struct dc_error *find_spots(struct at *at)
{
	_cleanup_free_ struct code_place *places = NULL;
	size_t n;
	struct dc_error *err = symbols_places(at->session->symbols, at->what->place, &places, &n);

	if (err)
		return err;
	at->spots = calloc(n, sizeof(*at->spots));
	at->hit.outcomes = calloc(at->n + 1, sizeof(*at->hit.outcomes));
	if (!at->spots || !at->hit.outcomes)
		return &dc_out_of_memory;
	at->nr_spots = n;
	for (size_t i = 0; !err && i < n; i++) {
		at->spots[i].place = places[i];
		err = parse_spot(at, &at->spots[i]);
	}
	return err;
}

// Where it can be told the condition, only hits that it is true for are heard of.
static void judge_in_kernel(struct at *at)
{
	at->hit.in_kernel = at->what->condition != NULL;
	for (size_t i = 0; at->what->condition && i < at->nr_spots; i++) {
		const struct at_spot *spot = &at->spots[i];
		const char *why;
		const struct predicate *predicate = condition_predicate(spot->condition, &why);
		_cleanup_error_ struct dc_error *err = predicate
							       ? control_judge_location(
									 at->session->control,
									 spot->location, predicate)
							       : NULL;

		at->hit.in_kernel &= predicate && !err;
	}
}

static struct dc_error *arm(void *arg)
{
	struct at *at = arg;
	struct dc_error *err = NULL;

	for (size_t i = 0; !err && i < at->nr_spots; i++)
		err = control_add_location(at->session->control, at->spots[i].place.addr,
					   BREAKPOINT_EXECUTE, 0, &at->spots[i].location);
	if (err && at->nr_spots > LOCATIONS_MAX)
		err = error_note(err, "%s is at %zu addresses", at->what->place, at->nr_spots);
	if (!err)
		judge_in_kernel(at);
	return err;
}

// ---- a hit ----------------------------------------------------------------------------------------

static struct at_spot *spot_of(struct at *at, const struct location *location)
{
	for (size_t i = 0; i < at->nr_spots; i++) {
		if (at->spots[i].location == location)
			return &at->spots[i];
	}
	return NULL;
}

static struct dc_error *evaluate_at(struct at *at, const struct at_spot *spot, pid_t tid)
{
	struct dc_departure departure;

	for (size_t i = 0; i < at->n; i++)
		expression_settle(spot->expressions[i], tid);
	return session_evaluate_list(at->session, spot->expressions, at->n, NULL, at->options,
				     at->hit.outcomes, &at->hit.nr_outcomes, &departure);
}

// *served: it is a hit that was waited for.
static struct dc_error *serve(struct at *at, struct thread *thread, bool *served)
{
	const struct at_spot *spot = thread->stop.kind == STOP_LOCATION
					     ? spot_of(at, thread->stop.location)
					     : NULL;
	pid_t tid = thread->tracee.tid;
	struct dc_error *err;

	*served = false;
	if (thread->stop.kind == STOP_EXEC)
		return error_in_state(error_make(DC_TARGET_EXECED,
						 "process %d became another program",
						 at->session->process->pid),
				      DC_STATE_EXECED);
	if (!spot || (at->what->thread && at->what->thread != tid))
		return NULL;
	*served = true;
	if (spot->condition)
		err = condition_holds(at->session, spot->condition, tid, at->options, served);
	else
		err = NULL;
	if (err || !*served)
		return err;
	at->hit.number++;
	at->hit.thread = tid;
	at->hit.where.pc = spot->place.addr;
	return evaluate_at(at, spot, tid);
}

// What stood when it was said goes on by now.
static struct dc_error *let_go(struct dc_error *err)
{
	return err && err->state == DC_STATE_STANDS ? error_in_state(err, DC_STATE_RUNNING) : err;
}

// One hit, from the wait to the thread's way on.
static struct dc_error *run_hit(void *arg)
{
	struct at *at = arg;
	struct control *control = at->session->control;
	struct dc_error *err = NULL;
	bool served = false;

	control->passes = false;
	while (!err && !served) {
		struct thread *thread;

		err = control_wait_stop(control, at->until, &thread);
		if (err || !thread) {
			at->is_over = !err;
			break;
		}

		int64_t since = thread->stop.since;
		pid_t tid = thread->tracee.tid;

		err = serve(at, thread, &served);
		// It may have ended meanwhile, by a call of ours.
		thread = control_find(control, tid);

		struct dc_error *go = thread && thread->stands ? thread_go(thread) : NULL;

		at->hit.pause_ns = tracer_now() - since;
		if (err)
			dc_error_destroy(go);
		else
			err = go;
	}
	for (size_t i = 0; i < at->hit.nr_outcomes; i++)
		at->hit.outcomes[i].err = let_go(at->hit.outcomes[i].err);
	err = let_go(err);
	control->passes = true;
	at->hit.missed = control->passed;
	at->hit.unjudged = 0;
	for (size_t i = 0; at->hit.in_kernel && i < at->nr_spots; i++)
		at->hit.unjudged += control_unjudged(control, at->spots[i].location);
	return err;
}

static void forget_outcomes(struct at *at)
{
	for (size_t i = 0; i < at->hit.nr_outcomes; i++) {
		dc_error_destroy(at->hit.outcomes[i].err);
		dc_result_deinit(&at->hit.outcomes[i].result);
	}
	at->hit.nr_outcomes = 0;
}

static struct dc_error *serve_hits(struct at *at, bool (*visit)(const struct dc_hit *, void *),
				   void *arg)
{
	const struct dc_at *what = at->what;
	bool more = true;

	while (more && (!what->count || at->hit.number < what->count)) {
		struct dc_error *err;

		at->until = what->wait_ns ? tracer_now() + what->wait_ns : 0;
		err = session_run(at->session, run_hit, at);
		if (err)
			return err;
		if (at->is_over)
			return error_in_state(error_make(DC_DEADLINE,
							 "no thread came by %s within %.3g s",
							 what->place, (double)what->wait_ns / 1e9),
					      DC_STATE_RUNNING);
		at->hit.where = symbols_describe(at->session->symbols, at->hit.where.pc);
		more = visit(&at->hit, arg);
		forget_outcomes(at);
	}
	return NULL;
}

// What would be taken for done, and is not.
static struct dc_error *refuse(const struct dc_session *session,
			       const struct dc_call_options *options)
{
	if (session->control)
		return error_make(
			DC_REFUSED,
			"the process is under control already, where breakpoints are set");
	if (options->all_stop)
		return error_make(DC_REFUSED, "--all-stop goes not with --at: only the thread that "
					      "comes by stands");
	return NULL;
}

struct dc_error *dc_at(struct dc_session *session, const struct dc_at *what,
		       const char *const *texts, size_t n, const struct dc_call_options *options,
		       bool (*visit)(const struct dc_hit *hit, void *arg), void *arg)
{
	_turn_(session);
	const struct dc_call_options usual = options_or_usual(options);
	_cleanup_(at_deinit) struct at at = {
		.session = session, .what = what, .texts = texts, .n = n, .options = &usual
	};
	struct dc_error *err = session_cancelled(session);

	if (!err)
		err = refuse(session, &usual);
	if (!err)
		err = session_refresh(session);
	if (!err)
		err = session_ready(session);
	if (!err)
		err = find_spots(&at);
	if (!err)
		err = control_create(session->tracer, session->process, CHILDREN_LEFT,
				     &session->control);
	if (!err) {
		session->control->patches.may = session->may_patch;
		err = session_run(session, arm, &at);
		if (!err)
			err = serve_hits(&at, visit, arg);
		control_destroy(take_ptr(session->control));
		forget_outcomes(&at);
	}
	trace_write();
	// What another program's beginning means to others, that all may begin again, it does not to
	// those who wait in this one.
	return err && err->code == DC_TARGET_EXECED ? err : session_conclude(session, err);
}
