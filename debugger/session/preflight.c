// SPDX-License-Identifier: MIT
// The pre-flight: what could be borrowed, and why not. Reads /proc and memory; stops nothing.
#include "debugger/session/session.h"
#include "debugger/base/cleanup.h"
#include "debugger/inject/host.h"
#include "debugger/inject/loan/pad.h"
#include "debugger/symbols/go.h"
#include "debugger/target/gadgets.h"
#include "debugger/target/maps.h"
#include "debugger/target/waits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static struct dc_error *set(char **ret, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static struct dc_error *set(char **ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vasprintf(ret, format, args);
	va_end(args);
	if (n >= 0)
		return NULL;
	*ret = NULL;
	return &dc_out_of_memory;
}

// One check, of one thread or all.
struct preflight {
	struct dc_session *session;
	struct scope scope;
	bool force; // places that are not safe will do
	struct dc_check *check;
	FILE *notes;
	bool seccomp; // a filter was seen
	struct dc_error *lack; // what every call would miss in the target; NULL: nothing
};

// Instructions that a borrowed thread is pointed at.
static struct dc_error *find_lack(struct dc_session *session)
{
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct gadgets gadgets;
	struct dc_error *err = maps_read(session->process, &maps);

	return err ? err : gadgets_find(session->process, &maps, &gadgets);
}

static struct dc_error *judge_asleep(const struct preflight *preflight,
				     const struct thread_info *info, enum rank rank,
				     struct dc_check_thread *row)
{
	struct verdict verdict;
	struct dc_error *err = safepoints_asleep(preflight->session->safepoints,
						 preflight->session->unwind, info, &verdict);

	if (err)
		return err;
	row->borrowable = verdict.safety != SAFETY_UNSAFE || preflight->force;
	err = set(&row->state, "%s (system call %ld)%s%s", waits_name(info->syscall) ?: "waits",
		  info->syscall,
		  rank == RANK_EINTR
			  ? ", awaited where it returns (--wait), sees EINTR when stopped"
			  : "",
		  verdict.safety == SAFETY_GUARDED   ? ", only for functions without stdio"
		  : verdict.safety == SAFETY_SUSPECT ? ", decided at the stop"
						     : "");
	if (err || row->borrowable)
		return err;
	return set(&row->reason, "%s", verdict.reason);
}

static struct dc_error *judge(const struct preflight *preflight, const struct thread_info *info,
			      struct dc_check_thread *row)
{
	const struct dc_error *barrier = preflight->session->barrier ?: preflight->lack;
	const struct candidate candidate = candidate_judge(preflight->session->process, row->tid,
							   info);
	const char *state = "running: decided at the stop", *reason = NULL;

	if (candidate.rank == RANK_NOT_NOW)
		reason = candidate.reason;
	if (barrier)
		reason = barrier->message;
	switch (info->state) {
	case 'S':
		if (info->in_syscall && info->syscall >= 0 && !reason)
			return judge_asleep(preflight, info, candidate.rank, row);
		state = "asleep: decided at the stop";
		break;
	case 'D': state = "uninterruptible sleep"; break;
	case 'T': state = "stopped by job control, and stays so"; break;
	case 't': state = "stopped by a tracer"; break;
	case 'Z':
	case 'X': state = "ended"; break;
	}
	row->borrowable = !reason;
	struct dc_error *err = set(&row->state, "%s", state);
	return err || !reason ? err : set(&row->reason, "%s", reason);
}

static struct dc_error *check_threads(struct preflight *preflight)
{
	struct dc_session *session = preflight->session;
	struct dc_check *ret = preflight->check;
	struct process_threads threads;
	struct dc_error *err = process_threads(session->process, &threads);

	if (err)
		return err;
	ret->threads = calloc(threads.n, sizeof(*ret->threads));
	if (!ret->threads && threads.n)
		err = &dc_out_of_memory;
	for (size_t i = 0; i < threads.n && !err; i++) {
		pid_t only = preflight->scope.thread;
		struct thread_info info;

		if (only && threads.tids[i] != only)
			continue;
		err = process_thread_info(session->process, threads.tids[i], &info);
		// A thread that ended meanwhile is not worth a line.
		if (err && (err->code == DC_TARGET_ENDED || err->code == DC_THREAD_ENDED) &&
		    process_alive(session->process)) {
			dc_error_destroy(err);
			err = NULL;
			continue;
		}
		if (err)
			break;
		struct dc_check_thread *row = &ret->threads[ret->nr_threads++];
		row->tid = threads.tids[i];
		memcpy(row->name, info.name, sizeof(row->name));
		if (info.seccomp == 2)
			preflight->seccomp = true;
		err = judge(preflight, &info, row);
	}
	process_threads_deinit(&threads);
	return err;
}

// What a debugger that was killed left behind: never reused, never unmapped, but told.
static struct dc_error *note_orphans(struct dc_session *session, const struct maps *maps,
				     FILE *notes)
{
	uint64_t *orphans = NULL;
	size_t n = 0;
	struct dc_error *err = pad_find_orphans(session->process, maps, &orphans, &n);

	for (size_t i = 0; i < n && !err; i++)
		fprintf(notes, "a landing pad left by an earlier session: 0x%" PRIx64 "\n",
			orphans[i]);
	free(orphans);
	return err;
}

// The hosts, and what they left.
static struct dc_error *check_hosts(struct dc_session *session, struct dc_check *ret, FILE *notes)
{
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct dc_error *err = maps_read(session->process, &maps);
	const size_t room = sizeof(ret->hosts) / sizeof(*ret->hosts) - 1;

	if (err)
		return err;
	for (size_t i = 0, n = 0; i < nr_hosts && n < room; i++) {
		if (!hosts[i]->is_there(session->process, &maps))
			continue;
		ret->hosts[n++] = hosts[i]->name;

		_cleanup_error_ struct dc_error *bar = hosts[i]->obstacle
							       ? hosts[i]->obstacle(
									 session->process)
							       : NULL;

		if (bar)
			fprintf(notes, "%s: %s\n", hosts[i]->name, bar->message);
	}
	return note_orphans(session, &maps, notes);
}

struct goroutine_notes {
	FILE *notes;
	size_t n, parked, told;
};

static bool note_goroutine(const struct dc_goroutine *g, void *arg)
{
	enum { TOLD_MAX = 32 };
	struct goroutine_notes *to = arg;

	to->n++;
	if (!g->thread)
		to->parked++;
	else if (to->told++ < TOLD_MAX)
		fprintf(to->notes, "goroutine %" PRIu64 "%s%s on thread %d: %s\n", g->id,
			g->label ? " " : "", g->label ? g->label : "", g->thread,
			g->reason ? g->reason : "a call may begin there");
	return true;
}

// What each goroutine that runs is to the host that knows it.
static void note_goroutines(struct dc_session *session, FILE *notes)
{
	struct goroutine_notes to = { .notes = notes };
	bool found = false;
	struct dc_error *err = session_goroutines(session, &found, note_goroutine, &to);

	if (err)
		fprintf(notes, "%s\n", err->message);
	dc_error_destroy(err);
	if (err || !found)
		return;
	fprintf(notes,
		"%zu goroutines, %zu of them not running: with none at work, a call begins on "
		"an idle thread\n",
		to.n, to.parked);
}

static struct dc_error *check(struct preflight *preflight)
{
	struct dc_session *session = preflight->session;
	struct dc_check *ret = preflight->check;
	FILE *notes = preflight->notes;
	struct dc_error *err;

	ret->pid = session->process->pid;
	err = set(&ret->program, "%s", session->process->name);
	if (!err && (!session->barrier || session->memory))
		err = session_look(session);
	if (!err && !session->barrier)
		preflight->lack = find_lack(session);
	if (!err)
		err = check_threads(preflight);
	if (err)
		return err;
	if (session->barrier)
		fprintf(notes, "%s\n", session->barrier->message);
	if (preflight->lack)
		fprintf(notes, "%s\n", preflight->lack->message);
	if (preflight->seccomp)
		fputs("a seccomp filter is installed: it is judged when a thread is borrowed\n",
		      notes);
	// Where nothing may be read, what could not be read is no news.
	if (session->barrier && !session->memory)
		return NULL;
	if (session->memory)
		fputs("its agent takes calls all the same: it asks for the right to read the "
		      "process "
		      "alone, which is given\n",
		      notes);
	const struct module *const *modules;
	size_t n = symbols_modules(session->symbols, &modules);
	for (size_t i = 0; i < n; i++) {
		if (modules[i]->problem)
			fprintf(notes, "%s: %s\n", modules[i]->name, modules[i]->problem);
	}
	if (symbols_go_lack(session->symbols))
		fprintf(notes, "%s: %s\n", session->process->name,
			symbols_go_lack(session->symbols));
	note_goroutines(session, notes);
	return check_hosts(session, ret, notes);
}

struct dc_error *dc_check(struct dc_session *session, const struct dc_scope *scope,
			  const struct dc_call_options *options, struct dc_check *ret)
{
	_turn_(session);
	struct preflight preflight = { .session = session,
				       .force = options && options->force,
				       .check = ret };
	size_t size;

	*ret = (struct dc_check){ 0 };
	preflight.notes = open_memstream(&ret->notes, &size);
	if (!preflight.notes)
		return error_make(DC_SYSTEM, "open_memstream failed");
	struct dc_error *err = scope_init(session, scope, &preflight.scope);
	if (!err)
		err = check(&preflight);
	scope_deinit(&preflight.scope);
	dc_error_destroy(preflight.lack);
	fclose(preflight.notes);
	if (!size) {
		free(ret->notes);
		ret->notes = NULL;
	}
	if (err)
		dc_check_deinit(ret);
	return err;
}

void dc_check_deinit(struct dc_check *check)
{
	for (size_t i = 0; i < check->nr_threads; i++) {
		free(check->threads[i].state);
		free(check->threads[i].reason);
	}
	free(check->threads);
	free(check->program);
	free(check->notes);
	*check = (struct dc_check){ 0 };
}
