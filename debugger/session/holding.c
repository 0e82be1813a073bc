// SPDX-License-Identifier: MIT
// The thread that a session has borrowed: which one, for what, and giving it back.
#include "debugger/session/session.h"

#include "debugger/arch/arch.h"
#include "debugger/base/trace.h"
#include "debugger/inject/host.h"
#include "debugger/session/pending.h"

#include <string.h>

// Frames, registers that are assigned and threads that all stand still belong to a thread that
// stays stopped from one call to the next, which the target's own host gives back each time.
static const char *what_keeps(const struct dc_call_options *options, const struct needs *needs)
{
	return needs->frame || needs->registers ? "registers and locals of a frame need"
	       : options->all_stop		? "--all-stop needs"
						: NULL;
}

// Nothing that the hosts themselves would refuse.
static struct dc_error *may_call(const struct dc_session *session,
				 const struct dc_call_options *options, const struct needs *needs)
{
	const char *what = what_keeps(options, needs);
	const struct host *named = host_by_id(options->host), *keeps = host_that_keeps();
	const struct host *host = what ? keeps : named;

	if (what && named && !named->keeps_thread)
		return error_make(DC_REFUSED, "%s the %s host", what, keeps->name);
	// Without a goroutine, what enters the program's runtime ends the program.
	if (host && !host->is_targets_own && !options->force && !needs->avoids_stdio &&
	    safepoints_has_runtime(session->safepoints))
		return error_make(DC_REFUSED,
				  "the callee may need a goroutine, which the %s host does not "
				  "give it; --force calls it all the same%s%s%s%s%s",
				  host->name, what ? " (" : "", what ?: "", what ? " the " : "",
				  what ? keeps->name : "", what ? " host)" : "");
	return NULL;
}

static struct dc_error *hold_one(struct dc_session *session, const struct scope *scope,
				 const struct dc_call_options *options, const struct needs *needs,
				 const struct chosen_frame *sample)
{
	struct holding *holding = &session->holding;
	// Whose registers are meant when nobody says: the first thread's.
	pid_t usual = needs->registers ? session->process->pid : 0;
	struct borrow_options borrow = {
		.host = needs->calls && !what_keeps(options, needs) ? options->host : DC_HOST_AUTO,
		.keeps_thread = !needs->calls || what_keeps(options, needs),
		.goroutine = needs->calls ? scope->goroutine : 0,
		.own_thread = needs->thread,
		.thread = needs->frame ? sample->tid : scope->thread ?: usual,
		.wait_ns = options->wait_ns,
		.all_stop = options->all_stop,
		// Where nothing will run, no place is unsafe.
		.force = options->force || !needs->calls,
		.avoids_stdio = needs->avoids_stdio,
		.is_go = needs->go,
		.drop_literals = options->drop_literals,
		.assume_seccomp_ok = options->assume_seccomp_ok,
		.signals = options->signals,
		.pass_signals = options->pass_signals,
		.vm = needs->vm,
		.suspend = pending_suspend,
		.arg = session->pending_enters,
	};
	struct dc_error *err = needs->calls ? may_call(session, options, needs) : NULL;

	if (!err && session->control && !needs->calls && !options->all_stop && borrow.thread)
		err = injection_look(session->tracer, session->process, borrow.thread,
				     &holding->injection);
	if (!err && !holding->injection)
		err = injection_begin(session->tracer, session->process, session->symbols,
				      session->safepoints, session->unwind, &borrow,
				      &holding->injection);
	if (err)
		return err;
	session->departure.thread = injection_tid(holding->injection);
	session->departure.chosen = session->departure.thread && !scope->thread;
	return NULL;
}

// The thread that is held will do for what is wanted now.
static bool serves(const struct holding *holding, const struct scope *scope,
		   const struct dc_call_options *options, const struct needs *needs)
{
	const struct dc_call_options *had = &holding->options;

	if (scope->thread && scope->thread != injection_tid(holding->injection))
		return false;
	if (needs->thread && !injection_tid(holding->injection))
		return false;
	if (needs->frame &&
	    (!holding->frame.known || strcmp(scope->frame ?: "", holding->scope.frame ?: "") != 0))
		return false;
	if (options->all_stop && !had->all_stop)
		return false;
	if (!needs->calls)
		return true;
	return holding->needs.calls && holding->needs.go == needs->go &&
	       (!holding->needs.avoids_stdio || needs->avoids_stdio) &&
	       (holding->needs.vm || !needs->vm) && scope->goroutine == holding->scope.goroutine &&
	       options->host == had->host && options->force == had->force &&
	       options->signals == had->signals && options->pass_signals == had->pass_signals;
}

// What the holding is for, once it is.
static struct dc_error *note_purpose(struct holding *holding, const struct scope *scope,
				     const struct dc_call_options *options,
				     const struct needs *needs)
{
	char *frame = scope->frame ? strdup(scope->frame) : NULL;

	if (scope->frame && !frame)
		return &dc_out_of_memory;
	scope_deinit(&holding->scope);
	holding->scope = *scope;
	holding->scope.frame = frame;
	holding->options = *options;
	holding->needs = *needs;
	holding->lost = false;
	holding->frame.known = false;
	return NULL;
}

struct dc_error *session_borrow(struct dc_session *session, const struct scope *scope,
				const struct dc_call_options *options, const struct needs *needs,
				const struct chosen_frame *sample)
{
	// Enough for a thread that rarely changes its function; more would be a hunt.
	enum { TRIES = 16 };
	struct holding *holding = &session->holding;
	struct chosen_frame chosen = *sample;
	const pid_t tid = scope->thread ?: session->process->pid;
	struct dc_error *err;

	if (holding->lost)
		return error_make(DC_REFUSED, "the borrowed thread did not come back from a call");
	if (holding->injection && serves(holding, scope, options, needs))
		return injection_renew(holding->injection);
	if (holding->has_objects)
		return error_make(DC_REFUSED,
				  "objects that the expression has made belong to the "
				  "thread that is held, which does not serve for the rest");
	if (scope->no_stop && !needs->calls && frame_runs(session, tid))
		return error_make(DC_REFUSED,
				  "thread %d runs: its registers and locals take a stop to see",
				  tid);
	err = session_release(session);
	if (!err)
		err = session_ready(session);
	if (!err && needs->frame && !chosen.known)
		err = frame_sample(session, scope, true, &chosen);
	if (!err && needs->frame && !chosen.known)
		err = error_make(DC_REFUSED,
				 "thread %d runs: which frame it is in takes a stop to see", tid);
	for (int i = 0; i < TRIES && !err; i++) {
		bool same = true;

		err = note_purpose(holding, scope, options, needs);
		if (!err)
			err = hold_one(session, scope, options, needs, &chosen);
		if (!err && needs->frame)
			err = frame_settle(session, &chosen, &same);
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
			  chosen.tid);
}

struct dc_error *session_release(struct dc_session *session)
{
	struct holding *holding = &session->holding;
	struct dc_departure departure = { 0 };

	if (!holding->injection) {
		scope_deinit(&holding->scope);
		return NULL;
	}

	struct dc_event event = { .kind = DC_EVENT_RAN_ON,
				  .thread = injection_tid(holding->injection) };
	struct dc_error *err = injection_release(holding->injection, &departure);

	scope_deinit(&holding->scope);
	*holding = (struct holding){ 0 };
	session->stale |= departure.state != DC_STATE_STANDS;
	session->epoch++;
	session->departure.pause_ns += departure.pause_ns;
	session->departure.literals_left += departure.literals_left;
	session->departure.state = departure.state;
	event.pause_ns = departure.pause_ns;
	// Under control it stands as before.
	if (departure.state != DC_STATE_STANDS)
		if (event.thread)
			operations_tell(session, &event);
	return err;
}

struct dc_error *session_depart(struct dc_session *session, struct dc_departure *ret)
{
	struct dc_error *err = session_release(session);

	*ret = session->departure;
	session->departure = (struct dc_departure){ 0 };
	session->called = false;
	session->attached = false;
	trace_write();
	return err;
}

static void tell_stop(struct dc_session *session)
{
	struct user_regs_struct *regs = injection_regs(session->holding.injection);
	struct dc_event event = { .kind = DC_EVENT_STOPPED,
				  .stop = { .thread = injection_tid(session->holding.injection),
					    .reason = DC_STOP_ATTACHED } };
	uint64_t pc = registers_pc(regs);

	event.stop.frame = symbols_describe(session->symbols, pc);
	event.stop.frame.pc = pc;
	operations_tell(session, &event);
}

struct dc_error *dc_attach(struct dc_session *session, const struct dc_scope *scope,
			   const struct dc_call_options *options)
{
	_turn_(session);
	_cleanup_(scope_deinit) struct scope where = { 0 };
	const struct dc_call_options usual = options_or_usual(options);
	// Nobody knows yet what will be called; what asks for more borrows anew.
	const struct needs needs = { .calls = !usual.no_call,
				     .avoids_stdio = true,
				     .frame = scope && scope->frame };
	const struct chosen_frame unknown = { 0 };
	struct dc_error *err = session_cancelled(session);

	if (!err)
		err = session_refresh(session);
	if (!err)
		err = scope_init(session, scope, &where);
	if (!err)
		err = session_borrow(session, &where, &usual, &needs, &unknown);
	if (err)
		return session_conclude(session, err);
	session->attached = true;
	// An agent holds none.
	if (injection_tid(session->holding.injection))
		tell_stop(session);
	return NULL;
}

struct dc_error *dc_detach(struct dc_session *session, struct dc_departure *ret)
{
	_turn_(session);
	return session_depart(session, ret);
}
