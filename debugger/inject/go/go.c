// SPDX-License-Identifier: MIT
// One request after the other: written into the pad, begun by somebody in the target, and waited for.
#include "debugger/inject/go/go.h"

#include "debugger/base/cleanup.h"
#include "debugger/inject/outcome.h"
#include "debugger/symbols/go_runtime.h"
#include "debugger/target/memory.h"

#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <time.h>

_Static_assert((int)GO_ABI_GENERAL == (int)GO_PAD_GENERAL &&
		       (int)GO_ABI_FLOATS == (int)GO_PAD_FLOATS,
	       "registers");

static void destroy(void *host)
{
	struct go *go = host;

	if (!go)
		return;
	go_pad_unlock(go);
	dc_error_destroy(go->outcome);
	free(go);
}

// Go's own linker leaves a note in the program's first page.
static bool is_there(struct process *process, const struct maps *maps)
{
	static const char note[] = "\4\0\0\0";
	char page[4096];

	for (size_t i = 0; i < maps->n; i++) {
		const struct mapping *mapping = &maps->map[i];

		if (mapping->offset || mapping->path[0] != '/')
			continue;
		if (memory_read_some(process, mapping->start, page, sizeof(page)) != sizeof(page))
			return false;
		for (size_t at = 0; at + 16 < sizeof(page); at += 4)
			if (!memcmp(page + at, note, 4) && !memcmp(page + at + 12, "Go\0", 4))
				return true;
		return false;
	}
	return false;
}

static struct dc_error *probe(const struct host_context *context, void **ret)
{
	struct go *go = calloc(1, sizeof(*go));
	struct dc_error *err;
	bool found;

	if (!go)
		return &dc_out_of_memory;
	*go = (struct go){
		.loan = context->loan,
		.process = context->loan->process,
		.symbols = context->symbols,
		.lock = -1,
	};
	err = go_runtime_find(go->process, go->symbols, &go->runtime, &found);
	if (err || !found) {
		destroy(go);
		return err;
	}
	*ret = go;
	return NULL;
}

static struct dc_error *run_ready(void *arg)
{
	return go_pad_ready(arg);
}

static struct dc_error *can(void *host, int64_t wait_ns)
{
	struct go *go = host;

	go->wait_ns = wait_ns;
	return tracer_run(go->loan->tracer, run_ready, go);
}

enum { LATER_NS = 30 * 1000 }; // between two beginnings

// ---- a request ------------------------------------------------------------------------------------

static struct dc_error *fill(const struct go *go)
{
	const struct request *request = go->request;
	const struct go_abi_entry *entry = request->go;
	uint64_t left = request->n - request->done;
	struct dc_error *err;

	if (entry->stack_size > GO_PAD_STACK)
		return error_make(DC_REFUSED,
				  "the arguments and results of %s take %zu bytes, and "
				  "Go's debug call takes %d at the most",
				  request->name, entry->stack_size, GO_PAD_STACK);
	err = go_put(go, fn, request->addr);
	if (!err)
		err = go_put(go, context, entry->context);
	if (!err)
		err = go_put(go, frame, entry->stack_size);
	if (!err)
		err = go_put(go, stack_size, entry->stack_size);
	if (!err)
		err = go_put(go, n, left < GO_PAD_TIMES ? left : GO_PAD_TIMES);
	if (!err)
		err = go_put(go, slice_ns,
			     request->slice_ns ? (uint64_t)request->slice_ns : UINT64_MAX);
	if (!err)
		err = go_write(go, go_field(go, general), entry->general, sizeof(entry->general));
	if (!err)
		err = go_write(go, go_field(go, floats), entry->floats, sizeof(entry->floats));
	if (!err && entry->stack_size)
		err = go_write(go, go_field(go, stack), entry->stack, entry->stack_size);
	if (!err)
		err = go_put(go, done, 0);
	return err;
}

static struct dc_error *begin(void *host, struct request *request)
{
	struct go *go = host;
	struct dc_error *err;

	go->request = request;
	go->outcome = NULL;
	go->deadline = go->undo_until = go->withdrawn_ns = go->asked_back = 0;
	go->is_overdue = false;
	go->seen = 0;
	go->until = tracer_now() + go->wait_ns;
	err = go_pad_lock(go, go->wait_ns);
	if (!err)
		err = go_pad_settle(go);
	if (!err)
		err = fill(go);
	if (!err) {
		// Where there is nobody now, there may be in a moment: the collector has all stand still.
		err = go_ask(go);
		request->is_refused = err && err->code == DC_REFUSED && !go->is_final;
	}
	if (err && go->lock >= 0) {
		go_pad_disarm(go);
		go_pad_unlock(go);
	}
	if (request->is_refused)
		nanosleep(&(struct timespec){ .tv_nsec = LATER_NS }, NULL);
	return error_in_state(err, DC_STATE_RUNNING);
}

static void end(struct go *go, struct dc_error *outcome)
{
	dc_error_destroy(go->outcome);
	go->outcome = outcome;
	go->request->is_over = true;
	go_pad_unlock(go);
}

static struct dc_error *read_exit(const struct go *go)
{
	const struct go_abi_entry *entry = go->request->go;
	struct go_abi_exit *exit = go->request->go_exit;

	free(exit->stack);
	*exit = (struct go_abi_exit){ .stack_size = entry->stack_size };
	if (entry->stack_size) {
		exit->stack = malloc(entry->stack_size);
		if (!exit->stack)
			return &dc_out_of_memory;
	}
	if (go_read(go, go_field(go, left_general), exit->general, sizeof(exit->general)) &&
	    go_read(go, go_field(go, left_floats), exit->floats, sizeof(exit->floats)) &&
	    go_read(go, go_field(go, left_stack), exit->stack, entry->stack_size))
		return NULL;
	return error_make(DC_REFUSED, "the results of %s cannot be read", go->request->name);
}

static struct dc_error *take_results(struct go *go)
{
	struct request *request = go->request;
	uint32_t *times = NULL;
	uint64_t done = 0;

	if (!go_get(go, done, &done) || done > request->n - request->done)
		return error_make(DC_REFUSED, "the pad of process %d says what cannot be",
				  go->process->pid);
	if (request->nanoseconds && done > 1) {
		times = calloc(done, sizeof(*times));
		if (times && go_read(go, go_field(go, times), times, done * sizeof(*times)))
			for (uint64_t i = 0; i < done; i++)
				request->nanoseconds[request->done + i] = times[i];
		free(times);
	} else if (request->nanoseconds && done) {
		request->nanoseconds[request->done] = tracer_now() - go->asked;
	}
	request->done += done;
	return read_exit(go);
}

static struct dc_error *refused(const struct go *go, uint32_t outcome)
{
	char reason[GO_PAD_REASON + 1] = "";
	uint32_t size = 0;

	if (go->loan->options->goroutine && outcome != GO_REFUSED)
		return error_make(DC_REFUSED,
				  "goroutine %" PRIu64 " came to no safe point within %.3g s",
				  go->loan->options->goroutine, (double)go->wait_ns / 1e9);
	switch (outcome) {
	case GO_UNSAFE:
		return error_make(
			DC_REFUSED,
			"no goroutine that runs in process %d came to a place where it may "
			"be preempted",
			go->process->pid);
	case GO_REFUSED:
		if (go_get(go, reason_size, &size) && size <= GO_PAD_REASON)
			go_read(go, go_field(go, reason), reason, size);
		return error_make(DC_REFUSED, "%s", reason);
	default:
		return error_make(DC_REFUSED, "nobody in process %d has begun it",
				  go->process->pid);
	}
}

static struct dc_error *not_entered(const struct request *request)
{
	return outcome_overdue(request->name, "was not entered", request->timeout_ns,
			       request->is_cancelled);
}

// Somewhere else, or somewhat later, it may go well.
static bool ask_again(struct go *go)
{
	struct dc_error *err;

	if (tracer_now() > go->until || go->request->is_cancelled || go->withdrawn_ns)
		return false;
	nanosleep(&(struct timespec){ .tv_nsec = LATER_NS }, NULL);
	err = go_ask(go);
	dc_error_destroy(err);
	if (err)
		dc_error_destroy(go_put(go, turn, GO_HOME));
	return !go->is_final;
}

static void conclude(struct go *go)
{
	struct request *request = go->request;
	uint64_t type = 0, value = 0;
	uint32_t outcome = GO_NOTHING;
	struct dc_error *err = NULL;

	if (!go_get(go, outcome, &outcome))
		outcome = GO_NOTHING;
	switch (outcome) {
	case GO_RETURNED:
		err = take_results(go);
		// Late, but there: of several calls no more are begun.
		if (!err && go->undo_until && request->done < request->n)
			err = error_note(outcome_overdue(request->name, "did not return",
							 request->timeout_ns,
							 request->is_cancelled),
					 "it has returned since");
		break;
	case GO_PANICKED:
		go_get(go, type, &type);
		go_get(go, value, &value);
		err = go_panicked(go, type, value);
		break;
	case GO_EXITED: err = error_make(DC_EXITED, "%s ended its goroutine", request->name); break;
	case GO_UNDONE:
		err = outcome_note_locks(
			go_with_frames(go,
				       outcome_overdue(request->name, "did not return",
						       request->timeout_ns, request->is_cancelled)),
			request->name);
		break;
	default:
		if (ask_again(go))
			return;
		request->is_refused = !request->is_cancelled && !request->done && !go->is_overdue;
		err = request->is_refused ? refused(go, outcome) : not_entered(request);
	}
	go_pad_disarm(go);
	end(go, error_in_state(err, DC_STATE_RUNNING));
}

// The process, or the program in it, may be gone, and nobody answers then.
static struct dc_error *look_for_end(const struct go *go)
{
	struct process *process = go->process;

	if (!process_alive(process))
		return error_in_state(error_make(DC_TARGET_ENDED, "process %d ended in %s",
						 process->pid, go->request->name),
				      DC_STATE_ENDED);
	return memory_is_gone(process) ? outcome_execed(process) : NULL;
}

static void give_up(struct go *go)
{
	const struct request *request = go->request;
	struct dc_error *err = outcome_overdue(request->name, "did not return", request->timeout_ns,
					       request->is_cancelled);

	end(go, error_in_state(go_still_there(go, err), DC_STATE_IN_CALLEE));
}

// It does not run yet: nobody is to begin it. What is on its way to the callee then returns from
// there at once, and says so by its end.
static void withdraw(struct go *go)
{
	enum { LATE_NS = 500 * 1000 * 1000 };
	struct request *request = go->request;
	uint32_t serial = 0, turn = GO_FREE;
	struct dc_error *err;

	if (!go->withdrawn_ns) {
		go->withdrawn_ns = tracer_now();
		// Written before the turn is read: both are system calls, whose locks order them.
		if (go_get(go, serial, &serial))
			dc_error_destroy(go_put(go, withdrawn, serial));
	}
	if (!go_get(go, turn, &turn) || (turn != GO_ASKED && turn != GO_TAKEN) ||
	    tracer_now() - go->withdrawn_ns < LATE_NS)
		return;
	request->is_refused = !go->is_overdue && !request->is_cancelled;
	err = request->is_refused ? refused(go, GO_NOTHING) : not_entered(request);
	end(go, error_in_state(err, DC_STATE_RUNNING));
}

// Where no signal makes it leave.
static bool is_asleep(const struct go *go)
{
	uint64_t callee = 0;
	uint32_t status;

	if (!go_get(go, callee, &callee) || !callee)
		return false;
	status = go_status(go, callee);
	return status == GO_STATUS_WAITING || status == GO_STATUS_SYSCALL;
}

static void keep_deadline(struct go *go, uint32_t turn, uint64_t done)
{
	enum { UNDO_NS = 200 * 1000 * 1000, BACK_NS = 5 * 1000 * 1000 };
	const int64_t UNDO_MAX_NS = INT64_C(5000000000); // for one that only waits for a CPU
	const struct request *request = go->request;
	int64_t now = tracer_now();
	uint32_t serial = 0;

	if (turn == GO_TAKEN && go->way == GO_BY_GOROUTINE &&
	    (now > go->until || request->is_cancelled)) {
		// It has not woken in time. Who is to take it back needs a CPU first.
		if (now > go->asked_back + BACK_NS)
			dc_error_destroy(go_ask_back(go));
		return;
	}
	if (turn == GO_ASKED || turn == GO_TAKEN) {
		// Once it is taken the callee is entered in the end, as soon as there is a CPU for it.
		bool is_late = turn == GO_ASKED ? now > go->until
						: request->timeout_ns &&
							  now > go->until + request->timeout_ns;

		go->is_overdue |= is_late && turn == GO_TAKEN;
		if (is_late || request->is_cancelled || go->withdrawn_ns)
			withdraw(go);
		return;
	}
	if (turn != GO_CALLING)
		return;
	if (go->undo_until) {
		dc_error_destroy(go_ask_to_leave(go));
		if (now > go->undo_until && (now > go->undo_until + UNDO_MAX_NS || is_asleep(go)))
			give_up(go);
		return;
	}
	if (request->timeout_ns && (!go->deadline || done != go->seen)) {
		go->seen = done;
		go->deadline = now + request->timeout_ns;
	}
	if (!request->is_cancelled && (!go->deadline || now < go->deadline))
		return;
	if (go_get(go, serial, &serial))
		dc_error_destroy(go_put(go, undo, serial));
	go->undo_until = now + UNDO_NS;
}

static struct dc_error *attend(void *host, struct request *request, int64_t until)
{
	enum { SPINS = 100, SHORT_NS = 20 * 1000, LONG_NS = 1000 * 1000 };
	struct go *go = host;

	for (unsigned i = 0; !request->is_over; i++) {
		uint32_t turn = GO_FREE;
		uint64_t done = 0;

		if (!go_get(go, turn, &turn) || !go_get(go, done, &done) || i % 64 == 63) {
			struct dc_error *gone = look_for_end(go);

			if (gone) {
				end(go, gone);
				break;
			}
		}
		if (turn == GO_HOME && go_signals_have_come(go)) {
			conclude(go);
			i = 0;
			continue;
		}
		keep_deadline(go, turn, done);
		if (request->is_over ||
		    (!request->is_cancelled && tracer_cancelled(go->loan->tracer)) ||
		    (until && tracer_now() >= until))
			break;
		if (i < SPINS)
			sched_yield();
		else
			nanosleep(
				&(struct timespec){ .tv_nsec = i < 4 * SPINS ? SHORT_NS : LONG_NS },
				NULL);
	}
	return NULL;
}

static void cancel(void *host, struct request *request)
{
	(void)host;
	request->is_cancelled = true;
}

static struct dc_error *finish(void *host, struct request *request)
{
	struct go *go = host;

	(void)request;
	return take_ptr(go->outcome);
}

static struct dc_error *literal(void *host, const void *bytes, size_t n, uint64_t *addr)
{
	return go_pad_literal(host, bytes, n, addr);
}

const struct host go_host = {
	.id = DC_HOST_GO,
	.name = "go",
	.absence = "is no Go program",
	.is_targets_own = true,
	.takes_go = true,
	.has_goroutines = true,
	.is_there = is_there,
	.probe = probe,
	.destroy = destroy,
	.can = can,
	.begin = begin,
	.poll = attend,
	.cancel = cancel,
	.finish = finish,
	.literal = literal,
};
