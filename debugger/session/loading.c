// SPDX-License-Identifier: MIT
// Libraries that come, and another program: breakpoints whose place was not there find it.
#include "debugger/session/breakpoints.h"

#include "debugger/control/step.h"

// Where the dynamic linker tells debuggers of what it has loaded.
static const char notice[] = "_dl_debug_state";

static bool is_pending(const struct breakpoint *breakpoint)
{
	return !breakpoint->is.nr_locations && !breakpoint->watch && !breakpoint->catch;
}

// Somebody waits for a library.
static bool any_waits(const struct dc_session *session)
{
	const struct breakpoint *at = session->breakpoints.first;

	while (at && !is_pending(at) && !(at->is.kind == DC_CATCH_LOAD && at->is.enabled))
		at = at->next;
	return at != NULL;
}

struct dc_error *loading_expect(struct dc_session *session)
{
	struct function function;
	struct dc_error *err = NULL;

	if (any_waits(session) == (session->loads != NULL))
		return NULL;
	if (session->loads) {
		control_remove_location(session->control, session->loads);
		session->loads = NULL;
		return NULL;
	}
	err = symbols_lookup_function(session->symbols, NULL, notice, &function);
	// Without a dynamic linker nothing comes.
	if (err) {
		dc_error_destroy(err);
		return NULL;
	}
	return control_add_location(session->control, function.addr, BREAKPOINT_EXECUTE, 0,
				    &session->loads);
}

// Each that has found its place is armed; the others stay as they are.
static void resolve_pending(struct dc_session *session)
{
	for (struct breakpoint *at = session->breakpoints.first; at; at = at->next) {
		struct dc_event event = { .kind = DC_EVENT_BREAKPOINT,
					  .breakpoint = at->is.number };

		if (!is_pending(at))
			continue;

		struct dc_error *err = breakpoint_resolve(session, at);

		if (!err && at->is.nr_locations)
			operations_tell(session, &event);
		dc_error_destroy(err);
	}
}

struct dc_error *loading_done(struct dc_session *session)
{
	struct dc_error *err;

	session->stale = true;
	err = session_refresh(session);
	if (err)
		return err;
	resolve_pending(session);
	err = loading_expect(session);
	breakpoints_judge_in_kernel(session);
	return err;
}

struct dc_error *loading_execed(struct dc_session *session)
{
	struct breakpoint *next;

	// Locations are gone with their addresses; objects that were watched, too.
	session->loads = NULL;
	control_forget_locations(session->control);
	for (struct breakpoint *at = session->breakpoints.first; at; at = next) {
		next = at->next;
		breakpoint_unresolve(at);
		if (at->watch)
			breakpoint_remove(session, at);
	}
	process_renew(session->process);
	session->renewed = true;
	return loading_done(session);
}
