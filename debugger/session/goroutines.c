// SPDX-License-Identifier: MIT
// The goroutines of a target, with what they do and where a call may begin. Stops nothing.
#include "debugger/stack/goroutines/goroutines.h"

#include "debugger/stack/goroutines/descriptor.h"
#include "debugger/stack/goroutines/go_goroutines.h"
#include "debugger/session/session.h"
#include "debugger/target/memory.h"

#include <string.h>

struct listing {
	struct dc_session *session;
	struct debugcall_descriptor descriptor;
	struct go_layout go;
	bool is_go; // of the two that is what was found
	struct known_place {
		uint64_t pc;
		bool is_runtime;
		struct dc_frame frame;
	} places[256]; // of Go's, by their addresses: many wait in the same
	struct machines machines;
	struct goroutines goroutines;
	struct thread_info *infos; // of the process's threads
	pid_t *tids;
	size_t nr_threads;
	struct unwound *frames;
};

static void listing_deinit(struct listing *listing)
{
	machines_deinit(&listing->machines);
	goroutines_deinit(&listing->goroutines);
	free(listing->infos);
	free(listing->tids);
	free(listing->frames);
}

static struct dc_error *read_threads(struct listing *listing)
{
	_cleanup_(process_threads_deinit) struct process_threads threads = { 0 };
	struct process *process = listing->session->process;
	struct dc_error *err = process_threads(process, &threads);

	if (err)
		return err;
	listing->infos = calloc(threads.n ?: 1, sizeof(*listing->infos));
	listing->tids = calloc(threads.n ?: 1, sizeof(*listing->tids));
	if (!listing->infos || !listing->tids)
		return &dc_out_of_memory;
	for (size_t i = 0; i < threads.n; i++) {
		size_t at = listing->nr_threads;

		err = process_thread_info(process, threads.tids[i], &listing->infos[at]);
		// It has ended meanwhile.
		if (err) {
			dc_error_destroy(err);
			continue;
		}
		listing->tids[at] = threads.tids[i];
		listing->nr_threads++;
	}
	return NULL;
}

static struct dc_error *read_all(struct listing *listing, bool *found)
{
	struct process *process = listing->session->process;
	struct maps maps;
	struct dc_error *err = maps_read(process, &maps);

	if (err)
		return err;
	err = descriptor_find(process, &maps, &listing->descriptor, found);
	maps_deinit(&maps);
	if (err)
		return err;
	if (*found) {
		err = goroutines_read(process, &listing->descriptor, &listing->goroutines);
		if (!err)
			err = machines_read(process, &listing->descriptor, &listing->machines);
	} else {
		err = symbols_go_layout(listing->session->symbols, &listing->go, found);
		listing->is_go = *found;
		if (!err && *found)
			err = go_goroutines_read(process, listing->session->symbols, &listing->go,
						 &listing->goroutines);
		if (!err && *found)
			err = go_machines_read(process, &listing->go, &listing->machines);
	}
	if (err || !*found)
		return err;
	if (!err)
		err = read_threads(listing);
	listing->frames = calloc(UNWIND_MAX, sizeof(*listing->frames));
	return err || listing->frames ? err : &dc_out_of_memory;
}

// The M that runs the goroutine; NULL: none does.
static const struct machine *machine_of(const struct listing *listing, const struct goroutine *g)
{
	for (size_t i = 0; i < listing->machines.n; i++)
		if (listing->machines.machine[i].current == g->addr)
			return &listing->machines.machine[i];
	return NULL;
}

static const struct thread_info *thread_of(const struct listing *listing,
					   const struct machine *machine, pid_t *tid)
{
	*tid = 0;
	for (size_t i = 0; machine && machine->tid && i < listing->nr_threads; i++) {
		if (listing->infos[i].inner_tid == machine->tid) {
			*tid = listing->tids[i];
			return &listing->infos[i];
		}
	}
	return NULL;
}

static const struct known_place *place_at(struct listing *listing, uint64_t pc)
{
	const size_t n = sizeof(listing->places) / sizeof(*listing->places);
	struct known_place *place = &listing->places[(pc ^ pc >> 8) % n];
	struct symbols *symbols = listing->session->symbols;
	const char *name;
	uint64_t offset;

	if (place->pc == pc)
		return place;
	*place = (struct known_place){ .pc = pc };
	place->is_runtime = !symbols_name_of(symbols, pc, &name, &offset) ||
			    !strncmp(name, "runtime.", 8);
	place->frame = symbols_describe(symbols, pc);
	place->frame.pc = pc;
	return place;
}

// The innermost place that is not the runtime's.
static struct dc_frame where_in_go(struct listing *listing, const struct goroutine *g)
{
	const struct dc_frame nowhere = { 0 };
	bool complete;
	size_t n;
	struct dc_error *err = go_walk(listing->session->process, g, listing->frames, UNWIND_MAX,
				       &n, &complete);

	for (size_t i = 0; !err && i < n; i++) {
		const struct known_place *place = place_at(listing, listing->frames[i].frame.pc);

		if (!place->is_runtime)
			return place->frame;
	}
	dc_error_destroy(err);
	return nowhere;
}

// The innermost place that is not the runtime's; zero when there is none.
static struct dc_frame where(struct listing *listing, const struct goroutine *g,
			     const struct thread_info *info)
{
	const struct debugcall_descriptor *d = &listing->descriptor;
	struct symbols *symbols = listing->session->symbols;
	struct snapshot snapshot = { 0 };
	struct dc_frame frame = { 0 };
	bool complete;
	size_t n = 0;

	if (listing->is_go)
		return where_in_go(listing, g);
	if (info) {
		if (info->in_syscall) {
			frame = symbols_describe(symbols, info->pc);
			frame.pc = info->pc;
		}
		return frame;
	}
	if (!goroutine_registers(listing->session->process, d, g, &snapshot.regs))
		return frame;
	dc_error_destroy(unwind_walk(listing->session->unwind, &snapshot, listing->frames,
				     UNWIND_MAX, &n, &complete));
	for (size_t i = 0; i < n; i++) {
		uint64_t pc = listing->frames[i].frame.pc;

		if (pc >= d->text_start && pc < d->text_end)
			continue;
		frame = symbols_describe(symbols, pc);
		frame.pc = pc;
		break;
	}
	return frame;
}

static const char *reason(const struct listing *listing, const struct machine *machine,
			  const struct thread_info *info)
{
	if (!machine && listing->is_go)
		return "it is not running";
	if (!machine)
		return "it is not running: a call can begin on it when it next wakes "
		       "(--goroutine)";
	if (machine->in_runtime)
		return "it is in the runtime";
	if (info && info->in_syscall)
		return "it is in a system call";
	return NULL;
}

static const char *text_of(char (*texts)[32], size_t n, size_t i)
{
	return i < n && texts[i][0] ? texts[i] : NULL;
}

static struct dc_goroutine describe(struct listing *listing, const struct goroutine *g)
{
	const struct goroutines *all = &listing->goroutines;
	const struct machine *machine = machine_of(listing, g);
	struct dc_goroutine row = { .id = g->id, .waited_ns = g->waited_ns };
	const struct thread_info *info = thread_of(listing, machine, &row.thread);

	row.status = text_of(all->statuses, all->nr_statuses, g->status) ?: "?";
	if (g->waits)
		row.wait_reason = text_of(all->wait_reasons, all->nr_wait_reasons, g->wait_reason);
	row.label = g->label[0] ? g->label : NULL;
	row.is_system = g->is_system;
	row.where = where(listing, g, info);
	row.creator = g->creator_id;
	if (g->creator_pc) {
		row.created = place_at(listing, g->creator_pc - 1)->frame;
		row.created.pc = g->creator_pc;
	}
	row.reason = reason(listing, machine, info);
	return row;
}

struct dc_error *session_goroutines(struct dc_session *session, bool *found,
				    bool (*visit)(const struct dc_goroutine *, void *), void *arg)
{
	_cleanup_(listing_deinit) struct listing listing = { .session = session };
	struct dc_error *err = read_all(&listing, found);

	if (err || !*found)
		return err;
	// The oldest first.
	for (size_t i = listing.goroutines.n; i > 0; i--) {
		struct dc_goroutine row = describe(&listing, &listing.goroutines.goroutine[i - 1]);

		if (!visit(&row, arg))
			break;
	}
	return NULL;
}

struct dc_error *dc_goroutines(struct dc_session *session,
			       bool (*visit)(const struct dc_goroutine *, void *), void *arg)
{
	_turn_(session);
	struct dc_error *err = session_tables(session);
	bool found = false;

	// A process that another debugger holds can still be read.
	if (!err)
		err = session_goroutines(session, &found, visit, arg);
	if (err && session->barrier) {
		dc_error_destroy(err);
		return session_bar(session);
	}
	if (!err && !found)
		err = error_make(DC_REFUSED,
				 "process %d has no goroutines that this debugger knows",
				 session->process->pid);
	return err;
}
