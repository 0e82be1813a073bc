// SPDX-License-Identifier: MIT
// What the stacks of a program with goroutines are: which goroutine each thread runs, and the stacks
// of those that no thread runs.
#include "debugger/session/goroutine_stacks.h"

#include "debugger/stack/goroutines/descriptor.h"
#include "debugger/stack/goroutines/go_goroutines.h"
#include "debugger/stack/goroutines/parked.h"

#include <string.h>

void goroutine_stacks_deinit(struct goroutine_stacks *stacks)
{
	for (size_t i = 0; i < stacks->n; i++)
		free(stacks->threads[i].frames);
	free(stacks->threads);
	free(stacks->goroutines);
	goroutines_deinit(&stacks->all);
	machines_deinit(&stacks->machines);
	*stacks = (struct goroutine_stacks){ 0 };
}

static bool is_running(const struct goroutine_stacks *stacks, const struct goroutine *g)
{
	for (size_t i = 0; i < stacks->machines.n; i++) {
		if (stacks->machines.machine[i].current == g->addr)
			return true;
	}
	return false;
}

static struct dc_error *walk(struct dc_session *session, const struct debugcall_descriptor *d,
			     const struct goroutine *g, struct unwound *frames,
			     struct dump_thread *ret)
{
	size_t n;
	struct dc_error *err = parked_walk(session->process, session->unwind, d, g, frames, &n,
					   &ret->complete, &ret->why);

	return err ? err : dump_keep_frames(ret, frames, n);
}

// Those of a real Go program; each belongs to one wait, or nothing is said of it.
static struct dc_error *take_go(struct dc_session *session, const struct go_layout *layout,
				struct goroutine_stacks *ret)
{
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	struct dc_error *err = frames ? go_goroutines_read(session->process, session->symbols,
							   layout, &ret->all)
				      : &dc_out_of_memory;

	if (!err)
		err = go_machines_read(session->process, layout, &ret->machines);
	if (!err) {
		ret->threads = calloc(ret->all.n ?: 1, sizeof(*ret->threads));
		ret->goroutines = calloc(ret->all.n ?: 1, sizeof(*ret->goroutines));
		if (!ret->threads || !ret->goroutines)
			err = &dc_out_of_memory;
	}
	for (size_t i = err ? 0 : ret->all.n; !err && i > 0; i--) {
		const struct goroutine *g = &ret->all.goroutine[i - 1];
		struct dump_thread *thread = &ret->threads[ret->n];
		size_t n = 0;
		bool waited = false;

		if (is_running(ret, g))
			continue;
		ret->goroutines[ret->n++] = g;
		if (g->waits)
			err = go_walk(session->process, g, frames, UNWIND_MAX, &n,
				      &thread->complete);
		if (!err && g->waits)
			err = go_waits_still(session->process, layout, g, &waited);
		if (!err && waited)
			err = dump_keep_frames(thread, frames, n);
		if (!waited)
			thread->complete = false;
		thread->why = !g->waits		 ? "it may run at any moment"
			      : !waited		 ? "moving: it woke meanwhile"
			      : thread->complete ? NULL
						 : "its frame pointers lead no further";
	}
	if (err)
		goroutine_stacks_deinit(ret);
	return err;
}

struct dc_error *goroutine_stacks_take(struct dc_session *session, struct goroutine_stacks *ret)
{
	struct debugcall_descriptor descriptor;
	struct go_layout layout;
	struct maps maps;
	bool found = false;
	struct dc_error *err = maps_read(session->process, &maps);

	*ret = (struct goroutine_stacks){ 0 };
	if (err)
		return err;
	err = descriptor_find(session->process, &maps, &descriptor, &found);
	maps_deinit(&maps);
	// One that is damaged is not believed, and the threads have stacks all the same.
	dc_error_destroy(err);
	if (err)
		return NULL;
	if (!found) {
		err = symbols_go_layout(session->symbols, &layout, &found);
		dc_error_destroy(err);
		return err || !found ? NULL : take_go(session, &layout, ret);
	}

	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));

	err = frames ? goroutines_read(session->process, &descriptor, &ret->all)
		     : &dc_out_of_memory;
	if (!err)
		err = machines_read(session->process, &descriptor, &ret->machines);
	if (!err) {
		ret->threads = calloc(ret->all.n ?: 1, sizeof(*ret->threads));
		ret->goroutines = calloc(ret->all.n ?: 1, sizeof(*ret->goroutines));
		if (!ret->threads || !ret->goroutines)
			err = &dc_out_of_memory;
	}
	// The oldest first.
	for (size_t i = err ? 0 : ret->all.n; !err && i > 0; i--) {
		const struct goroutine *g = &ret->all.goroutine[i - 1];

		if (is_running(ret, g))
			continue;
		ret->goroutines[ret->n] = g;
		err = walk(session, &descriptor, g, frames, &ret->threads[ret->n++]);
	}
	if (err)
		goroutine_stacks_deinit(ret);
	return err;
}

uint64_t goroutine_stacks_on(const struct goroutine_stacks *stacks, pid_t inner_tid)
{
	const struct machine *machine = machines_with(&stacks->machines, inner_tid);

	for (size_t i = 0; machine && machine->current && i < stacks->all.n; i++) {
		if (stacks->all.goroutine[i].addr == machine->current)
			return stacks->all.goroutine[i].id;
	}
	return 0;
}

const char *goroutine_stacks_wait(const struct goroutine_stacks *stacks, size_t i)
{
	const struct goroutine *g = stacks->goroutines[i];

	return g->waits && g->wait_reason < stacks->all.nr_wait_reasons
		       ? stacks->all.wait_reasons[g->wait_reason]
		       : NULL;
}
