// SPDX-License-Identifier: MIT
// Breakpoints are given in sets, each as a whole: what is asked for again stays as it is.
#include "debugger/front/dap/dap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void breakpoint_destroy(struct breakpoint *breakpoint)
{
	json_decref(breakpoint->asked);
	free(breakpoint->source);
	free(breakpoint->problem);
	free(breakpoint->file);
	free(breakpoint);
}

void breakpoints_clear(struct breakpoints *breakpoints)
{
	while (breakpoints->first) {
		struct breakpoint *breakpoint = breakpoints->first;

		breakpoints->first = breakpoint->next;
		breakpoint_destroy(breakpoint);
	}
}

struct breakpoint *breakpoints_find(const struct breakpoints *breakpoints, unsigned number)
{
	struct breakpoint *at = breakpoints->first;

	while (at && (!number || at->number != number))
		at = at->next;
	return at;
}

bool breakpoints_any(const struct breakpoints *breakpoints)
{
	const struct breakpoint *at = breakpoints->first;

	while (at && !at->number)
		at = at->next;
	return at != NULL;
}

// ---- Setting one ----

const char *breakpoint_text(const json_t *asked, const char *name)
{
	const char *text = json_string_value(json_object_get(asked, name));

	return text && *text ? text : NULL;
}

struct described {
	struct breakpoint *breakpoint;
	bool found;
};

static bool describe(const struct dc_breakpoint *is, void *arg)
{
	struct described *described = arg;
	struct breakpoint *breakpoint = described->breakpoint;

	if (is->number != breakpoint->number)
		return true;
	free(breakpoint->file);
	breakpoint->nr_locations = is->nr_locations;
	breakpoint->is_pending = is->kind == DC_BREAK && !is->nr_locations;
	breakpoint->addr = is->nr_locations ? is->locations[0].at.pc : 0;
	breakpoint->line = is->nr_locations ? is->locations[0].at.line : 0;
	breakpoint->file = is->nr_locations && is->locations[0].at.file
				   ? strdup(is->locations[0].at.file)
				   : NULL;
	described->found = true;
	return false;
}

struct dc_error *breakpoint_set(struct dc_session *session, struct breakpoint *breakpoint,
				const struct dc_breakpoint_options *options)
{
	struct dc_breakpoint_options whole = *options;
	struct described described = { breakpoint, false };
	struct dc_error *err;

	if (breakpoint->condition_is_place)
		whole.place = breakpoint_text(breakpoint->asked, "condition");
	else
		whole.condition = breakpoint_text(breakpoint->asked, "condition");
	err = dc_breakpoint_set(session, &whole, &breakpoint->number);
	return err ? err : dc_breakpoints(session, describe, &described);
}

static struct dc_error *set_at(struct dc_session *session, struct breakpoint *breakpoint,
			       const char *place)
{
	const struct dc_breakpoint_options options = { .kind = DC_BREAK, .place = place };

	return breakpoint_set(session, breakpoint, &options);
}

static void unset(struct dc_session *session, struct breakpoint *breakpoint)
{
	if (breakpoint->number)
		dc_error_destroy(dc_breakpoint_delete(session, breakpoint->number));
	breakpoint->number = 0;
}

// The debug information may know the file by a shorter path than the client, relative to where it
// was compiled: each is tried, and the right one is the one that leads back.
static struct dc_error *set_line(struct request *request, struct dc_session *session,
				 struct breakpoint *breakpoint, const char *path, int line)
{
	struct dc_error *last = NULL;

	for (const char *rest = path; rest && *rest; rest = strchr(rest + 1, '/')) {
		char *place, *back = NULL;

		if (rest != path)
			rest++;
		if (asprintf(&place, "%s:%d", rest, line) < 0)
			break;
		struct dc_error *err = set_at(session, breakpoint, place);

		free(place);
		if (!err)
			back = dap_path(request->dap, breakpoint->file ?: "");
		if (!err &&
		    (rest == path || !back || *back != '/' || !strcmp(back, breakpoint->source))) {
			free(back);
			dc_error_destroy(last);
			return NULL;
		}
		free(back);
		// It is another file of such a name.
		if (!err)
			unset(session, breakpoint);
		if (err) {
			dc_error_destroy(last);
			last = err;
		}
		if (last && last->code != DC_NAME)
			break;
	}
	if (!last)
		request_complain(request, "no file '%s' is what the program was made from",
				 breakpoint->source);
	breakpoint->is_pending = !last || last->code == DC_NAME;
	return last;
}

static struct dc_error *set_source(struct request *request, struct dc_session *session,
				   struct breakpoint *breakpoint)
{
	int64_t line = argument_integer(request, breakpoint->asked, "line", true, 0);
	char *path = dap_unmapped(request->dap, breakpoint->source);
	struct dc_error *err = NULL;

	if (path && !request->complaint)
		err = set_line(request, session, breakpoint, path,
			       (int)line + request->dap->lines_from_0);
	free(path);
	return err;
}

static struct dc_error *set_function(struct request *request, struct dc_session *session,
				     struct breakpoint *breakpoint)
{
	const char *name = argument_text(request, breakpoint->asked, "name", true);
	struct dc_error *err = name ? set_at(session, breakpoint, name) : NULL;

	breakpoint->is_pending = err && err->code == DC_NAME;
	return err;
}

static struct dc_error *set_instruction(struct request *request, struct dc_session *session,
					struct breakpoint *breakpoint)
{
	uint64_t addr = argument_address(request, breakpoint->asked, "instructionReference");
	int64_t offset = argument_integer(request, breakpoint->asked, "offset", false, 0);
	char place[32];

	snprintf(place, sizeof(place), "*0x%" PRIx64, addr + (uint64_t)offset);
	return request->complaint ? NULL : set_at(session, breakpoint, place);
}

static struct dc_error *set_one(struct request *request, struct dc_session *session,
				struct breakpoint *breakpoint)
{
	const char *hit = breakpoint_text(breakpoint->asked, "hitCondition");

	if (hit && !breakpoint_is_hit_condition(hit)) {
		breakpoint->problem = strdup("a hit condition is a number, or such as '>= 5' or "
					     "'% 10'");
		return NULL;
	}
	breakpoint->log = breakpoint_text(breakpoint->asked, "logMessage");
	switch (breakpoint->set) {
	case SET_SOURCE: return set_source(request, session, breakpoint);
	case SET_FUNCTIONS: return set_function(request, session, breakpoint);
	case SET_INSTRUCTIONS: return set_instruction(request, session, breakpoint);
	case SET_DATA: return dap_watch(request, session, breakpoint);
	default: return dap_set_exception(request, session, breakpoint);
	}
}

// ---- A set ----

static bool is_of(const struct breakpoint *breakpoint, enum breakpoint_set set, const char *source)
{
	return breakpoint->set == set && (!source || !strcmp(breakpoint->source, source));
}

// Takes one that was asked for in the same words out of the list; NULL: there is none.
static struct breakpoint *take_same(struct breakpoint **list, const json_t *asked)
{
	for (struct breakpoint **at = list; *at; at = &(*at)->next) {
		struct breakpoint *found = *at;

		if ((!found->number && !found->is_pending) || !json_equal(found->asked, asked))
			continue;
		*at = found->next;
		found->next = NULL;
		return found;
	}
	return NULL;
}

static bool is_verified(const struct breakpoint *breakpoint)
{
	return breakpoint->number && !breakpoint->is_pending;
}

static json_t *describe_breakpoint(struct request *request, const struct breakpoint *breakpoint)
{
	struct dap *dap = request->dap;
	json_t *body = json_pack("{si sb so* so*}", "id", breakpoint->id, "verified",
				 is_verified(breakpoint), "message",
				 breakpoint->problem ? json_text(breakpoint->problem) : NULL,
				 "source", dap_source(dap, breakpoint->file));

	if (breakpoint->file)
		json_object_set_new(body, "line",
				    json_integer(breakpoint->line - dap->lines_from_0));
	if (breakpoint->addr)
		json_object_set_new(body, "instructionReference",
				    json_sprintf("0x%" PRIx64, breakpoint->addr));
	return body;
}

// ---- Places that are not there ----

// As the library is to look for it whenever libraries come; NULL: it is no such place.
static char *place_of(const struct request *request, const struct breakpoint *breakpoint)
{
	const json_t *line = json_object_get(breakpoint->asked, "line");
	char *path, *place = NULL;

	if (breakpoint->set == SET_FUNCTIONS)
		return strdup(breakpoint_text(breakpoint->asked, "name") ?: "");
	path = breakpoint->set == SET_SOURCE ? dap_unmapped(request->dap, breakpoint->source)
					     : NULL;
	if (path && asprintf(&place, "%s:%d", path,
			     (int)json_integer_value(line) + request->dap->lines_from_0) < 0)
		place = NULL;
	free(path);
	return place;
}

// The library waits for it by a breakpoint. Where none is free, or it has a condition that cannot
// be, it is tried again when libraries are known to have come.
static void await_place(struct request *request, struct dc_session *session,
			struct breakpoint *breakpoint)
{
	char *place = place_of(request, breakpoint);
	const struct dc_breakpoint_options options = { .kind = DC_BREAK,
						       .place = place,
						       .pending = true };
	struct dc_error *err = place ? breakpoint_set(session, breakpoint, &options) : NULL;

	// A wrong name in the condition, and not the place.
	breakpoint->is_pending = place && (!err || err->code != DC_NAME);
	dc_error_destroy(err);
	free(place);
}

// What is to stop threads now comes before what only waits; false: nothing did.
static bool make_room(struct dc_session *session, struct breakpoint *list)
{
	bool any = false;

	for (struct breakpoint *at = list; at; at = at->next) {
		if (!at->number || !at->is_pending)
			continue;
		unset(session, at);
		any = true;
	}
	return any;
}

// What is wrong with one is said of it, and others are set.
static void try_one(struct request *request, struct dc_session *session,
		    struct breakpoint *breakpoint)
{
	struct breakpoints *all = &request->dap->breakpoints;
	struct dc_error *err = set_one(request, session, breakpoint);

	if (err && err->code == DC_REFUSED &&
	    make_room(session, all->first) | make_room(session, all->kept)) {
		dc_error_destroy(err);
		err = set_one(request, session, breakpoint);
	}
	if (err && err->wants_patch && !request->dap->no_patch) {
		dc_error_destroy(err);
		request_tell(
			request, "output",
			json_pack("{ss ss}", "category", "important", "output",
				  "no other breakpoint is left: int3 is patched into the code, "
				  "and while it is there the process does not survive the "
				  "adapter being killed\n"));
		dc_allow_patches(session, true);
		err = set_one(request, session, breakpoint);
	}
	if (!err && !request->complaint)
		return;
	breakpoint->number = 0;
	breakpoint->problem = request->complaint ?: strdup(err->message);
	request->complaint = NULL;
	dc_error_destroy(err);
	if (breakpoint->is_pending)
		await_place(request, session, breakpoint);
}

static struct breakpoint *make_one(struct request *request, enum breakpoint_set set,
				   const char *source, json_t *asked)
{
	struct breakpoint *breakpoint = calloc(1, sizeof(*breakpoint));

	if (!breakpoint) {
		request_complain(request, "out of memory");
		return NULL;
	}
	breakpoint->set = set;
	breakpoint->id = ++request->dap->breakpoints.last_id;
	breakpoint->source = source ? strdup(source) : NULL;
	breakpoint->asked = json_incref(asked);
	return breakpoint;
}

// ---- What becomes of one ----

static void tell_breakpoint(struct request *request, const struct breakpoint *breakpoint,
			    const char *reason)
{
	request_tell(request, "breakpoint",
		     json_pack("{ss so}", "reason", reason, "breakpoint",
			       describe_breakpoint(request, breakpoint)));
}

void breakpoint_is_gone(struct request *request, struct breakpoint *breakpoint)
{
	struct breakpoint **at = &request->dap->breakpoints.first;

	breakpoint->number = 0;
	tell_breakpoint(request, breakpoint, "removed");
	while (*at != breakpoint)
		at = &(*at)->next;
	*at = breakpoint->next;
	breakpoint_destroy(breakpoint);
}

static void set_anew(struct request *request, struct dc_session *session,
		     struct breakpoint *breakpoint)
{
	bool was_verified = is_verified(breakpoint);

	free(breakpoint->problem);
	free(breakpoint->file);
	breakpoint->problem = breakpoint->file = NULL;
	breakpoint->number = 0;
	breakpoint->nr_locations = breakpoint->hits = 0;
	breakpoint->addr = 0;
	breakpoint->is_pending = false;
	try_one(request, session, breakpoint);
	if (was_verified != is_verified(breakpoint))
		tell_breakpoint(request, breakpoint, "changed");
}

void breakpoints_renew(struct request *request, struct dc_session *session)
{
	for (struct breakpoint *at = request->dap->breakpoints.first; at; at = at->next)
		set_anew(request, session, at);
}

// The library may have found its place already, and told nobody of it yet.
static bool is_found(struct request *request, struct dc_session *session,
		     struct breakpoint *breakpoint)
{
	struct described described = { breakpoint, false };
	struct dc_error *err = breakpoint->number ? dc_breakpoints(session, describe, &described)
						  : NULL;

	dc_error_destroy(err);
	if (!described.found || breakpoint->is_pending)
		return false;
	free(breakpoint->problem);
	breakpoint->problem = NULL;
	tell_breakpoint(request, breakpoint, "changed");
	return true;
}

void breakpoints_look_again(struct request *request, struct dc_session *session)
{
	for (struct breakpoint *at = request->dap->breakpoints.first; at; at = at->next) {
		if (!at->is_pending || is_found(request, session, at))
			continue;
		unset(session, at);
		set_anew(request, session, at);
	}
}

struct dc_error *dap_breakpoint_found(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct breakpoint *breakpoint = breakpoints_find(&request->dap->breakpoints,
							 (unsigned)request->thread);

	if (breakpoint && breakpoint->is_pending)
		is_found(request, session, breakpoint);
	return NULL;
}

// ---- A set of them ----

static void remove_all(struct dc_session *session, struct breakpoint **list)
{
	while (*list) {
		struct breakpoint *gone = *list;

		*list = gone->next;
		unset(session, gone);
		breakpoint_destroy(gone);
	}
}

struct dc_error *breakpoints_replace(struct request *request, struct dc_session *session,
				     enum breakpoint_set set, const char *source, json_t *asked)
{
	struct breakpoints *all = &request->dap->breakpoints;
	struct breakpoint *old = NULL, **last = &old;
	json_t *list = json_array();
	struct dc_error *err = NULL;

	for (struct breakpoint **at = &all->first; *at;) {
		if (is_of(*at, set, source)) {
			*last = *at;
			last = &(*last)->next;
			*at = (*at)->next;
			*last = NULL;
		} else {
			at = &(*at)->next;
		}
	}
	if (json_array_size(asked))
		err = dap_take_control(request, session);

	struct breakpoint **end = &all->kept;

	// Those that go make room for those that come: the processor has few.
	for (size_t i = 0; i < json_array_size(asked); i++) {
		struct breakpoint *same = take_same(&old, json_array_get(asked, i));

		if (same) {
			*end = same;
			end = &same->next;
		}
	}
	remove_all(session, &old);
	for (size_t i = 0; !err && i < json_array_size(asked); i++) {
		json_t *each = json_array_get(asked, i);
		struct breakpoint *breakpoint = take_same(&all->kept, each);

		if (!breakpoint) {
			breakpoint = make_one(request, set, source, each);
			if (!breakpoint)
				continue;
			try_one(request, session, breakpoint);
		}
		breakpoint->next = all->first;
		all->first = breakpoint;
		json_array_append_new(list, describe_breakpoint(request, breakpoint));
	}
	remove_all(session, &all->kept);
	request->body = json_pack("{so}", "breakpoints", list);
	return err ? err : dap_leave_control(request, session);
}

struct dc_error *dap_set_breakpoints(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	json_t *source = argument_object(request, request->arguments, "source");
	json_t *asked = argument_list(request, request->arguments, "breakpoints");
	const char *path = argument_text(request, source, "path", true);

	return path && !request->complaint
		       ? breakpoints_replace(request, session, SET_SOURCE, path, asked)
		       : NULL;
}

struct dc_error *dap_set_function_breakpoints(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	json_t *asked = argument_list(request, request->arguments, "breakpoints");

	return request->complaint
		       ? NULL
		       : breakpoints_replace(request, session, SET_FUNCTIONS, NULL, asked);
}

struct dc_error *dap_set_instruction_breakpoints(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	json_t *asked = argument_list(request, request->arguments, "breakpoints");

	return request->complaint
		       ? NULL
		       : breakpoints_replace(request, session, SET_INSTRUCTIONS, NULL, asked);
}
