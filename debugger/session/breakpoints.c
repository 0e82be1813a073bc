// SPDX-License-Identifier: MIT
// Setting breakpoints, judging their hits.
#include "debugger/session/breakpoints.h"

#include <string.h>

// ---- one ------------------------------------------------------------------------------------------

static void breakpoint_free(struct breakpoint *breakpoint)
{
	breakpoint_unresolve(breakpoint);
	watch_destroy(breakpoint->watch);
	catch_destroy(breakpoint->catch);
	free((char *)breakpoint->is.place);
	free((char *)breakpoint->is.condition);
	free((char *)breakpoint->is.why_not_kernel);
	free(breakpoint);
}

// ---- what the kernel judges -----------------------------------------------------------------------

// What all users of a location want to be told of, in one; NULL: not all of that can be said.
static const struct predicate *wanted(struct dc_session *session, const struct location *location,
				      struct arena *arena, const char **why)
{
	const struct predicate *all = NULL;
	unsigned users = 0;

	for (struct breakpoint *at = session->breakpoints.first; at; at = at->next) {
		for (size_t i = 0; i < at->is.nr_locations; i++) {
			const struct spot *spot = &at->spots[i];
			const struct predicate *its;

			if (spot->location != location)
				continue;
			*why = "another breakpoint is there, too";
			if (!spot->condition)
				return NULL;
			its = condition_predicate(spot->condition, why);
			if (!its)
				return NULL;
			all = users++ ? predicate_both(arena, PREDICATE_OR, all, its) : its;
		}
	}
	return users == location->users ? all : NULL;
}

// REFUSED, with the reason: each of its hits is told.
static struct dc_error *judge_location(struct dc_session *session, const struct location *location)
{
	struct arena arena = { 0 };
	const char *why = "it is too deep";
	const struct predicate *all;
	struct dc_error *err;

	all = wanted(session, location, &arena, &why);
	if (all) {
		err = control_judge_location(session->control, location, all);
	} else {
		control_lift_condition(session->control, location);
		err = error_make(DC_REFUSED, "%s", why);
	}
	arena_deinit(&arena);
	return err;
}

static void judge_breakpoint(struct dc_session *session, struct breakpoint *breakpoint)
{
	size_t n = breakpoint->is.nr_locations, judged = 0;
	_cleanup_error_ struct dc_error *first = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct location *location = breakpoint->spots[i].location;
		struct dc_error *err = location ? judge_location(session, location) : NULL;

		judged += location && !err;
		dc_error_destroy(first ? err : NULL);
		first = first ?: err;
	}
	free((char *)breakpoint->is.why_not_kernel);
	breakpoint->is.in_kernel = n && judged == n;
	breakpoint->is.why_not_kernel = first && breakpoint->is.condition ? strdup(first->message)
									  : NULL;
}

void breakpoints_judge_in_kernel(struct dc_session *session)
{
	for (struct breakpoint *at = session->breakpoints.first; at; at = at->next)
		judge_breakpoint(session, at);
}

static void disarm(struct dc_session *session, struct breakpoint *breakpoint)
{
	for (size_t i = 0; i < breakpoint->is.nr_locations; i++) {
		struct spot *spot = &breakpoint->spots[i];

		if (spot->location && session->control)
			control_remove_location(session->control, spot->location);
		spot->location = NULL;
	}
}

static struct dc_error *arm(struct dc_session *session, struct breakpoint *breakpoint)
{
	struct dc_error *err = NULL;

	for (size_t i = 0; !err && i < breakpoint->is.nr_locations; i++) {
		struct spot *spot = &breakpoint->spots[i];

		if (!spot->location)
			err = control_add_location(session->control, spot->place.addr, spot->kind,
						   spot->size, &spot->location);
	}
	if (err)
		disarm(session, breakpoint);
	if (err && breakpoint->is.nr_locations > 1)
		err = error_note(err, "%s is at %zu addresses", breakpoint->is.place,
				 breakpoint->is.nr_locations);
	return err;
}

struct arming {
	struct dc_session *session;
	struct breakpoint *breakpoint;
	bool armed;
};

static struct dc_error *run_arming(void *arg)
{
	struct arming *arming = arg;

	if (arming->armed)
		return arm(arming->session, arming->breakpoint);
	disarm(arming->session, arming->breakpoint);
	return NULL;
}

static struct dc_error *set_armed(struct dc_session *session, struct breakpoint *breakpoint,
				  bool armed)
{
	struct arming arming = { session, breakpoint, armed };

	return session_run(session, run_arming, &arming);
}

static struct dc_error *find_locations(struct dc_session *session, struct breakpoint *breakpoint)
{
	_cleanup_free_ struct code_place *places = NULL;
	size_t n;
	struct dc_error *err = symbols_places(session->symbols, breakpoint->is.place, &places, &n);

	if (err)
		return err;

	struct dc_location *locations = calloc(n, sizeof(*locations));

	breakpoint->is.locations = locations;
	breakpoint->spots = calloc(n, sizeof(*breakpoint->spots));
	if (!locations || !breakpoint->spots)
		return &dc_out_of_memory;
	breakpoint->is.nr_locations = n;
	for (size_t i = 0; i < n; i++) {
		breakpoint->spots[i].place = places[i];
		locations[i].is_inlined = places[i].is_inlined;
		locations[i].at = symbols_describe(session->symbols, places[i].addr);
	}
	return NULL;
}

// What is watched is at one address. A local goes with its frame, which somebody has to notice.
static struct dc_error *find_object(struct dc_session *session, struct breakpoint *breakpoint,
				    const struct dc_scope *scope)
{
	enum { OBJECT, BACK, NR };
	struct dc_location *locations = calloc(NR, sizeof(*locations));
	const struct watch *watch;
	struct dc_error *err;

	breakpoint->is.locations = locations;
	breakpoint->spots = calloc(NR, sizeof(*breakpoint->spots));
	if (!locations || !breakpoint->spots)
		return &dc_out_of_memory;
	err = watch_create(session, breakpoint->is.place, scope, &breakpoint->watch);
	if (err)
		return err;
	watch = breakpoint->watch;
	breakpoint->is.nr_locations = watch->back ? NR : 1;
	breakpoint->spots[OBJECT] = (struct spot){ .place.addr = watch->addr,
						   .kind = watch_kind(breakpoint->is.kind),
						   .size = watch->size };
	breakpoint->spots[BACK] = (struct spot){ .place.addr = watch->back };
	locations[OBJECT].at.pc = watch->addr;
	locations[BACK].at = symbols_describe(session->symbols, watch->back);
	return NULL;
}

// Parsed for each of its addresses, before the old one is forgotten.
static struct dc_error *set_condition(struct dc_session *session, struct breakpoint *breakpoint,
				      const char *condition)
{
	size_t n = breakpoint->is.nr_locations;
	_cleanup_free_ struct dc_expression **parsed = calloc(n ?: 1, sizeof(*parsed));
	char *copy = condition ? strdup(condition) : NULL;
	struct dc_error *err = parsed && (copy || !condition) ? NULL : &dc_out_of_memory;
	const struct dc_call_options usual = options_or_usual(NULL);

	for (size_t i = 0; !err && condition && i < n; i++) {
		err = breakpoint->watch
			      ? session_parse(session, condition, NULL, 0, NULL, &parsed[i])
			      : session_parse_at(session, condition,
						 breakpoint->spots[i].place.addr, &parsed[i]);
		if (!err)
			err = expression_prepare(parsed[i], &usual);
	}
	for (size_t i = 0; parsed && i < n; i++) {
		if (err) {
			dc_expression_destroy(parsed[i]);
			continue;
		}
		dc_expression_destroy(breakpoint->spots[i].condition);
		breakpoint->spots[i].condition = parsed[i];
	}
	if (err) {
		free(copy);
		return err;
	}
	free((char *)breakpoint->is.condition);
	breakpoint->is.condition = copy;
	return NULL;
}

// ---- all ------------------------------------------------------------------------------------------

static struct dc_error *find(struct dc_session *session, unsigned number, struct breakpoint **ret)
{
	struct breakpoint *at = session->breakpoints.first;

	while (at && at->is.number != number)
		at = at->next;
	*ret = at;
	return at ? NULL : error_make(DC_NAME, "no breakpoint %u", number);
}

struct dc_error *breakpoint_resolve(struct dc_session *session, struct breakpoint *breakpoint)
{
	struct dc_error *err = find_locations(session, breakpoint);

	if (!err && breakpoint->is.condition)
		err = set_condition(session, breakpoint, breakpoint->is.condition);
	if (!err && breakpoint->is.enabled)
		err = set_armed(session, breakpoint, true);
	if (err)
		breakpoint_unresolve(breakpoint);
	return err;
}

void breakpoint_unresolve(struct breakpoint *breakpoint)
{
	for (size_t i = 0; breakpoint->spots && i < breakpoint->is.nr_locations; i++)
		dc_expression_destroy(breakpoint->spots[i].condition);
	free(breakpoint->spots);
	free((void *)breakpoint->is.locations);
	breakpoint->spots = NULL;
	breakpoint->is.locations = NULL;
	breakpoint->is.nr_locations = 0;
}

// What they need of the threads, beside what is armed.
static struct dc_error *run_expect(void *arg)
{
	struct dc_error *err = loading_expect(arg);

	if (!err)
		err = catch_apply(arg);
	breakpoints_judge_in_kernel(arg);
	return err;
}

static struct dc_error *make(struct dc_session *session,
			     const struct dc_breakpoint_options *options,
			     struct breakpoint *breakpoint)
{
	bool catches = options->kind >= DC_CATCH_SYSCALL, pending = options->pending || catches;
	const char *place = options->place ?: "";
	struct dc_error *err = NULL;

	if (catches)
		err = catch_create(options->kind, options->place, &breakpoint->catch, &place);
	if (!err && breakpoint->catch && options->condition)
		err = error_make(DC_USAGE, "a condition is of a place, and nothing here has one");
	if (err)
		return err;
	breakpoint->is = (struct dc_breakpoint){ .kind = options->kind,
						 .place = strdup(place ?: options->place ?: ""),
						 .thread = options->thread,
						 .enabled = !options->disabled,
						 .temporary = options->temporary,
						 .ignore = options->ignore };
	if (!breakpoint->is.place)
		return &dc_out_of_memory;
	if (options->kind == DC_BREAK || (catches && !breakpoint->catch))
		err = find_locations(session, breakpoint);
	else if (!catches)
		err = find_object(session, breakpoint, options->scope);
	if (err && err->code == DC_NAME && pending && !breakpoint->watch) {
		dc_error_destroy(err);
		err = NULL;
		breakpoint_unresolve(breakpoint);
	}
	if (!err && options->condition)
		err = set_condition(session, breakpoint, options->condition);
	if (!err && options->kind == DC_CATCH_LOAD)
		err = catch_note_modules(session);
	if (!err && breakpoint->is.enabled)
		err = set_armed(session, breakpoint, true);
	return err;
}

struct dc_error *dc_breakpoint_set(struct dc_session *session,
				   const struct dc_breakpoint_options *options, unsigned *number)
{
	_turn_(session);
	struct breakpoint **at = &session->breakpoints.first;
	struct breakpoint *breakpoint = calloc(1, sizeof(*breakpoint));
	struct dc_error *err = session->control ? NULL : session_uncontrolled();

	if (!breakpoint)
		err = &dc_out_of_memory;
	if (!err)
		err = session_refresh(session);
	if (!err)
		err = make(session, options, breakpoint);
	if (err) {
		if (breakpoint)
			breakpoint_free(breakpoint);
		return session_conclude(session, err);
	}
	while (*at)
		at = &(*at)->next;
	*at = breakpoint;
	*number = breakpoint->is.number = ++session->breakpoints.last;
	err = session_run(session, run_expect, session);
	if (err)
		breakpoint_remove(session, breakpoint);
	return session_conclude(session, err);
}

void breakpoint_remove(struct dc_session *session, struct breakpoint *breakpoint)
{
	struct breakpoint **at = &session->breakpoints.first;

	while (*at != breakpoint)
		at = &(*at)->next;
	*at = breakpoint->next;
	dc_error_destroy(set_armed(session, breakpoint, false));
	breakpoint_free(breakpoint);
	dc_error_destroy(session_run(session, run_expect, session));
}

struct dc_error *dc_breakpoint_delete(struct dc_session *session, unsigned number)
{
	_turn_(session);
	struct breakpoint *breakpoint;
	struct dc_error *err = find(session, number, &breakpoint);

	if (!err)
		breakpoint_remove(session, breakpoint);
	return session_conclude(session, err);
}

struct dc_error *dc_breakpoint_enable(struct dc_session *session, unsigned number, bool enabled)
{
	_turn_(session);
	struct breakpoint *breakpoint;
	struct dc_error *err = find(session, number, &breakpoint);

	if (!err && breakpoint->is.enabled != enabled)
		err = set_armed(session, breakpoint, enabled);
	if (!err) {
		breakpoint->is.enabled = enabled;
		err = session_run(session, run_expect, session);
	}
	return session_conclude(session, err);
}

struct dc_error *dc_breakpoint_ignore(struct dc_session *session, unsigned number, uint64_t hits)
{
	_turn_(session);
	struct breakpoint *breakpoint;
	struct dc_error *err = find(session, number, &breakpoint);

	if (!err)
		breakpoint->is.ignore = hits;
	return session_conclude(session, err);
}

struct dc_error *dc_breakpoint_condition(struct dc_session *session, unsigned number,
					 const char *condition)
{
	_turn_(session);
	struct breakpoint *breakpoint;
	struct dc_error *err = find(session, number, &breakpoint);

	if (!err)
		err = set_condition(session, breakpoint, condition);
	if (!err)
		err = session_run(session, run_expect, session);
	return session_conclude(session, err);
}

static enum dc_armed_by armed_by(const struct breakpoint *breakpoint)
{
	static const enum dc_armed_by ways[] = {
		[LOCATION_HARDWARE] = DC_ARMED_BY_HARDWARE,
		[LOCATION_UPROBE] = DC_ARMED_BY_UPROBE,
		[LOCATION_PATCH] = DC_ARMED_BY_PATCH,
	};
	enum dc_armed_by last = DC_ARMED_BY_NOTHING;

	for (size_t i = 0; i < breakpoint->is.nr_locations; i++) {
		const struct location *location = breakpoint->spots[i].location;

		if (location && ways[location->way] > last)
			last = ways[location->way];
	}
	return last;
}

void breakpoints_disarmed(struct dc_session *session)
{
	for (struct breakpoint *at = session->breakpoints.first; at; at = at->next) {
		for (size_t i = 0; i < at->is.nr_locations; i++)
			at->spots[i].location = NULL;
	}
}

static struct dc_error *run_arm_all(void *arg)
{
	struct dc_session *session = arg;
	struct dc_error *err = NULL;

	for (struct breakpoint *at = session->breakpoints.first; at && !err; at = at->next) {
		if (at->is.enabled)
			err = arm(session, at);
	}
	return err ? err : run_expect(session);
}

struct dc_error *breakpoints_arm(struct dc_session *session)
{
	return session_run(session, run_arm_all, session);
}

static struct dc_error *run_count_unjudged(void *arg)
{
	struct dc_session *session = arg;

	for (struct breakpoint *at = session->breakpoints.first; at; at = at->next) {
		at->is.unjudged = 0;
		for (size_t i = 0; at->is.in_kernel && i < at->is.nr_locations; i++)
			at->is.unjudged += control_unjudged(session->control,
							    at->spots[i].location);
	}
	return NULL;
}

struct dc_error *dc_breakpoints(struct dc_session *session,
				bool (*visit)(const struct dc_breakpoint *, void *), void *arg)
{
	_turn_(session);
	struct dc_error *err = session->control ? session_run(session, run_count_unjudged, session)
						: NULL;

	if (err)
		return session_conclude(session, err);
	for (struct breakpoint *at = session->breakpoints.first; at; at = at->next) {
		at->is.armed_by = armed_by(at);
		if (!visit(&at->is, arg))
			break;
	}
	return NULL;
}

void breakpoints_clear(struct breakpoints *breakpoints)
{
	while (breakpoints->first) {
		struct breakpoint *breakpoint = breakpoints->first;

		breakpoints->first = breakpoint->next;
		breakpoint_free(breakpoint);
	}
}

// ---- hits -----------------------------------------------------------------------------------------

static const struct spot *spot_at(const struct breakpoint *breakpoint,
				  const struct location *location)
{
	for (size_t i = 0; i < breakpoint->is.nr_locations; i++) {
		if (breakpoint->spots[i].location == location)
			return &breakpoint->spots[i];
	}
	return NULL;
}

struct dc_error *breakpoints_judge(struct dc_session *session, const struct location *location,
				   pid_t tid, struct breakpoint **ret)
{
	const struct dc_call_options usual = options_or_usual(NULL);

	*ret = NULL;
	for (struct breakpoint *at = session->breakpoints.first; at; at = at->next) {
		const struct spot *spot = location ? spot_at(at, location) : NULL;
		bool holds = true;

		if (!spot || (at->is.thread && at->is.thread != tid))
			continue;
		if (at->watch && spot->kind == BREAKPOINT_EXECUTE) {
			at->is_out_of_scope = watch_is_gone(at->watch, tid);
			*ret = at->is_out_of_scope ? at : *ret;
			continue;
		}
		if (at->watch) {
			struct dc_error *err = watch_judge(session, at->watch, at->is.kind, &holds);

			if (err) {
				*ret = at;
				return err;
			}
			if (!holds)
				continue;
		}
		if (spot->condition) {
			struct dc_error *err = condition_holds(session, spot->condition, tid,
							       &usual, &holds);

			// Nobody knows whether it was to go on.
			if (err) {
				*ret = at;
				return err;
			}
		}
		if (!holds)
			continue;
		at->is.hits++;
		if (at->is.ignore)
			at->is.ignore--;
		else
			*ret = *ret ?: at;
	}
	return NULL;
}
