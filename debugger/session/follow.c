// SPDX-License-Identifier: MIT
// A session that goes on with a child of its process: what users have set goes with it.
#include "debugger/session/breakpoints.h"

#include "debugger/session/pending.h"

#include <string.h>

// Whether the program is the same, at the same addresses; *modules is what it was.
static bool is_same(const struct dc_session *session, const struct module **was, size_t n)
{
	const struct module *const *modules;

	return symbols_modules(session->symbols, &modules) == n &&
	       !memcmp(modules, was, n * sizeof(*was));
}

static void leave_process(struct dc_session *session)
{
	pending_abandon_all(session);
	dc_error_destroy(session_release(session));
	control_destroy(take_ptr(session->control));
	breakpoints_disarmed(session);
	session->loads = NULL;
	session->thread = 0;
	session->execed = false;
}

static struct dc_error *run_execed(void *arg)
{
	return loading_execed(arg);
}

static struct dc_error *take_up(struct dc_session *session)
{
	const struct dc_control_options options = { .stop_all = session->stop_all,
						    .stop_signals = session->stop_signals,
						    .is_child = true };
	const struct module *const *modules;
	size_t n = symbols_modules(session->symbols, &modules);
	_cleanup_free_ const struct module **was = calloc(n ?: 1, sizeof(*was));
	struct dc_error *err;

	if (!was)
		return &dc_out_of_memory;
	memcpy(was, modules, n * sizeof(*was));
	session->renewed = true;
	session->epoch++;
	err = session_control(session, &options);
	if (!err)
		err = is_same(session, was, n) ? breakpoints_arm(session)
					       : session_run(session, run_execed, session);
	return err ? err : session_attend(session);
}

struct dc_error *dc_follow(struct dc_session *session, pid_t child)
{
	_turn_(session);
	struct process *process;
	struct dc_error *err = session->control ? process_open(child, &process)
						: session_uncontrolled();

	if (err)
		return session_conclude(session, err);
	leave_process(session);
	operations_become(session, process);
	err = take_up(session);
	if (err)
		session_uncontrol(session);
	return session_conclude(session, err);
}
