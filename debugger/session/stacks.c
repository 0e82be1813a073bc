// SPDX-License-Identifier: MIT
// The stacks of all threads, described: names, lines, what each thread waits for.
#include "debugger/stack/dump.h"

#include "debugger/session/goroutine_stacks.h"
#include "debugger/session/session.h"
#include "debugger/symbols/perf_map.h"
#include "debugger/target/memory.h"
#include "debugger/target/waits.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <regex.h>
#include <string.h>
#include <sys/syscall.h>

enum { INLINED_MAX = 32 };

// One address of code and what is there; many threads share few of them.
struct place {
	uint64_t pc, looked_up;
	struct dc_frame *frames;
	size_t n;
};

struct places {
	struct place *place; // sorted
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->pc != y->pc)
		return x->pc < y->pc ? -1 : 1;
	return x->looked_up < y->looked_up ? -1 : x->looked_up > y->looked_up;
}

static void places_deinit(struct places *places)
{
	for (size_t i = 0; i < places->n; i++)
		free(places->place[i].frames);
	free(places->place);
}

static struct dc_error *describe(struct symbols *symbols, const struct perf_map *made,
				 struct place *place)
{
	struct dc_frame frames[INLINED_MAX];
	size_t n = symbols_describe_inlined(symbols, place->looked_up, frames, INLINED_MAX);

	if (!frames[0].module &&
	    perf_map_find(made, symbols, place->looked_up, &frames[0].function, &frames[0].offset))
		frames[0].module = "code made at run time";
	place->frames = calloc(n, sizeof(*place->frames));
	if (!place->frames)
		return &dc_out_of_memory;
	memcpy(place->frames, frames, n * sizeof(*frames));
	place->n = n;
	for (size_t i = 0; i < n; i++)
		place->frames[i].pc = place->pc;
	// The offset is the one of the address that is shown.
	place->frames[n - 1].offset += place->pc - place->looked_up;
	return NULL;
}

static size_t count_frames(const struct dump_thread *threads, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += threads[i].n;
	return count;
}

static void add_places(struct places *places, const struct dump_thread *threads, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct dump_thread *thread = &threads[i];

		for (size_t k = 0; k < thread->n; k++)
			places->place[places->n++] = (struct place){
				.pc = thread->frames[k].pc, .looked_up = thread->frames[k].looked_up
			};
	}
}

static struct dc_error *describe_all(struct dc_session *session, const struct dump *dump,
				     const struct goroutine_stacks *parked, struct places *ret)
{
	_cleanup_(perf_map_deinit) struct perf_map made = { 0 };
	size_t n = 0, room = count_frames(dump->threads, dump->n) +
			     count_frames(parked->threads, parked->n);
	struct dc_error *err = perf_map_load(session->process, &made);

	if (err)
		return err;
	ret->place = calloc(room ?: 1, sizeof(*ret->place));
	if (!ret->place)
		return &dc_out_of_memory;
	add_places(ret, dump->threads, dump->n);
	add_places(ret, parked->threads, parked->n);
	qsort(ret->place, ret->n, sizeof(*ret->place), compare);
	for (size_t i = 0; i < ret->n; i++) {
		if (!n || compare(&ret->place[n - 1], &ret->place[i]))
			ret->place[n++] = ret->place[i];
	}
	ret->n = n;
	for (size_t i = 0; !err && i < ret->n; i++)
		err = describe(session->symbols, &made, &ret->place[i]);
	return err;
}

static struct dc_error *fill_frames(const struct places *places, const struct dump_thread *thread,
				    struct dc_stack *stack)
{
	const struct place *at;
	size_t n = 0;

	for (int pass = 0; pass < 2; pass++) {
		n = 0;
		for (size_t i = 0; i < thread->n; i++) {
			const struct dump_frame *frame = &thread->frames[i];
			const struct place key = { .pc = frame->pc, .looked_up = frame->looked_up };

			at = bsearch(&key, places->place, places->n, sizeof(key), compare);
			for (size_t k = 0; at && k < at->n; k++, n++) {
				if (pass)
					stack->frames[n] = (struct dc_stack_frame){
						.at = at->frames[k],
						.is_inlined = k + 1 < at->n,
						.is_signal = frame->is_signal_frame,
						.is_guess = frame->is_guess,
					};
			}
		}
		if (!pass) {
			stack->frames = calloc(n ?: 1, sizeof(*stack->frames));
			if (!stack->frames)
				return &dc_out_of_memory;
		}
	}
	stack->nr_frames = n;
	return NULL;
}

// ---- what a thread waits for ----------------------------------------------------------------------

// Whether one of the innermost frames is a mutex's.
static bool takes_mutex(const struct dc_stack *stack)
{
	enum { INNER = 4 };

	for (size_t i = 0; i < stack->nr_frames && i < INNER; i++) {
		const char *name = stack->frames[i].at.function;

		if (name && (strstr(name, "mutex_lock") || strstr(name, "mutex_timedlock") ||
			     strstr(name, "mutex_clocklock") || strstr(name, "lll_lock_wait")))
			return true;
	}
	return false;
}

// glibc's mutexes name their owner behind the lock.
static pid_t holder(struct process *process, const struct dump *dump,
		    const struct dump_thread *thread, const struct dc_stack *stack)
{
	enum { OWNER_OFFSET = 8 };
	int32_t owner;

	if (!takes_mutex(stack) || memory_read_some(process, thread->args[0] + OWNER_OFFSET, &owner,
						    sizeof(owner)) != sizeof(owner))
		return 0;
	for (size_t i = 0; i < dump->n; i++) {
		if (dump->threads[i].tid == owner)
			return owner;
	}
	return 0;
}

static char *wait_of(const struct dump_thread *thread, const struct dc_stack *stack)
{
	const char *name = waits_name(thread->syscall);
	char *text;

	if (!thread->is_waiting)
		return NULL;
	// A wait that goes on after a stop is called this, whichever it was; the place tells.
	if (!name && thread->syscall == SYS_restart_syscall && stack->nr_frames)
		name = stack->frames[0].at.function;
	if (name)
		return strdup(name);
	if (thread->syscall < 0)
		return strdup("no system call");
	return asprintf(&text, "system call %ld", thread->syscall) < 0 ? NULL : text;
}

static struct dc_error *fill_wait(struct process *process, const struct dump *dump,
				  const struct dump_thread *thread, struct dc_stack *stack)
{
	stack->wait = wait_of(thread, stack);
	if (thread->is_waiting && !stack->wait)
		return &dc_out_of_memory;
	if (!thread->is_waiting || thread->syscall != SYS_futex)
		return NULL;

	pid_t owner = holder(process, dump, thread, stack);
	int n = owner ? asprintf(&stack->detail, "0x%" PRIx64 ", held by %d", thread->args[0],
				 owner)
		      : asprintf(&stack->detail, "0x%" PRIx64, thread->args[0]);

	if (n >= 0)
		return NULL;
	stack->detail = NULL;
	return &dc_out_of_memory;
}

static struct dc_error *fill_why(const struct dump_thread *thread, struct dc_stack *stack)
{
	const char *name = waits_name(thread->syscall);
	bool would_help = thread->way == DUMP_PROC && !thread->complete && name;
	bool would_end = would_help && waits_of(thread->syscall) & WAIT_EINTR;

	if (thread->complete || !thread->why)
		return NULL;
	if (asprintf(&stack->why, "%s%s%s%s", thread->why,
		     would_end	  ? "; --stop would end its "
		     : would_help ? "; --stop gives it, and may end its "
				  : "",
		     would_help ? name : "", would_help ? " with EINTR" : "") >= 0)
		return NULL;
	stack->why = NULL;
	return &dc_out_of_memory;
}

// ---- all of it ------------------------------------------------------------------------------------

static const char *const ways[NR_DUMP_WAYS] = {
	[DUMP_BPF] = "bpf", [DUMP_PROC] = "proc", [DUMP_SAMPLE] = "perf", [DUMP_STOP] = "stop"
};

struct filling {
	struct dc_session *session;
	const struct dump *dump;
	const struct goroutine_stacks *parked;
	struct places places;
	regex_t *regex; // NULL: every name
	uint64_t only; // the goroutine that is asked for; 0: all are
	struct dc_stacks *ret;
};

static bool is_asked_for(const struct filling *filling, const char *name)
{
	return !filling->regex || regexec(filling->regex, name, 0, NULL, 0) == 0;
}

// What a program with goroutines knows the thread by may be another id than ours.
static uint64_t goroutine_on(const struct filling *filling, pid_t tid)
{
	struct thread_info info;

	if (!filling->parked->machines.n)
		return 0;

	_cleanup_error_ struct dc_error *err = process_thread_info(filling->session->process, tid,
								   &info);

	return err ? 0 : goroutine_stacks_on(filling->parked, info.inner_tid);
}

static struct dc_error *fill_thread(struct filling *filling, const struct dump_thread *thread)
{
	struct process *process = filling->session->process;
	struct dc_stack *stack = &filling->ret->stacks[filling->ret->nr_stacks];
	bool is_named = true;

	if (thread->name[0])
		memcpy(stack->name, thread->name, sizeof(stack->name));
	else
		is_named = process_thread_name(process, thread->tid, stack->name);
	if (!is_named)
		snprintf(stack->name, sizeof(stack->name), "(ended)");

	// One that has ended since is shown as it was.
	if (thread->has_ended || (!is_named && thread->way == DUMP_NONE) ||
	    !is_asked_for(filling, stack->name))
		return NULL;
	filling->ret->nr_stacks++;
	stack->thread = thread->tid;
	stack->how = ways[thread->way];
	stack->is_ready = thread->way == DUMP_BPF && !thread->is_waiting;
	stack->complete = thread->complete;
	stack->goroutine = goroutine_on(filling, thread->tid);

	struct dc_error *err = fill_why(thread, stack);

	if (!err)
		err = fill_frames(&filling->places, thread, stack);
	return err ? err : fill_wait(process, filling->dump, thread, stack);
}

static struct dc_error *fill_goroutine(struct filling *filling, size_t i)
{
	const struct dump_thread *thread = &filling->parked->threads[i];
	const struct goroutine *g = filling->parked->goroutines[i];
	const char *wait = goroutine_stacks_wait(filling->parked, i);
	struct dc_stack *stack = &filling->ret->stacks[filling->ret->nr_stacks];

	snprintf(stack->name, sizeof(stack->name), "%.15s", g->label);
	if (!is_asked_for(filling, stack->name))
		return NULL;
	filling->ret->nr_stacks++;
	stack->goroutine = g->id;
	stack->how = thread->n ? "memory" : NULL;
	stack->complete = thread->complete;
	stack->is_ready = !wait;
	stack->wait = wait ? strdup(wait) : NULL;
	if (wait && !stack->wait)
		return &dc_out_of_memory;

	struct dc_error *err = fill_why(thread, stack);

	return err ? err : fill_frames(&filling->places, thread, stack);
}

static struct dc_error *fill_all(struct filling *filling)
{
	const struct dump *dump = filling->dump;
	const struct goroutine_stacks *parked = filling->parked;
	struct dc_stacks *ret = filling->ret;
	struct dc_error *err = describe_all(filling->session, dump, parked, &filling->places);

	ret->pid = filling->session->process->pid;
	ret->nr_stopped = dump->nr_stopped;
	ret->program = strdup(filling->session->process->name);
	ret->stacks = calloc(dump->n + parked->n + 1, sizeof(*ret->stacks));
	if (!err && (!ret->stacks || !ret->program))
		err = &dc_out_of_memory;
	for (size_t i = 0; !err && i < dump->n; i++)
		if (!filling->only || goroutine_on(filling, dump->threads[i].tid) == filling->only)
			err = fill_thread(filling, &dump->threads[i]);
	for (size_t i = 0; !err && i < parked->n; i++)
		if (!filling->only || parked->goroutines[i]->id == filling->only)
			err = fill_goroutine(filling, i);
	if (!err && filling->only && !ret->nr_stacks)
		err = error_make(DC_NAME, "process %d has no goroutine %" PRIu64, ret->pid,
				 filling->only);
	return err;
}

static struct dc_error *fill(struct dc_session *session, const struct dump *dump, pid_t thread,
			     uint64_t goroutine, regex_t *regex, struct dc_stacks *ret)
{
	_cleanup_(goroutine_stacks_deinit) struct goroutine_stacks parked = { 0 };
	struct filling filling = { .session = session,
				   .dump = dump,
				   .parked = &parked,
				   .regex = regex,
				   .only = goroutine,
				   .ret = ret };
	struct dc_error *err = NULL;

	// Who asks for one thread asks for no goroutines beside it.
	if (!thread)
		err = goroutine_stacks_take(session, &parked);
	if (!err)
		err = fill_all(&filling);
	places_deinit(&filling.places);
	return err;
}

// Who may look: the kernel's rule for tracing, which BPF does not know. One that is traced already
// may be looked at all the same.
static struct dc_error *may_look(struct dc_session *session)
{
	_cleanup_close_ int fd = process_openat(session->process, "mem", O_RDONLY);

	if (fd >= 0)
		return NULL;
	return session->barrier ? session_bar(session)
				: error_make(DC_ATTACH, "the memory of process %d cannot be read",
					     session->process->pid);
}

// The process that was looked at is the one whose names are known.
static struct dc_error *still_there(const struct dc_session *session)
{
	if (memory_is_anothers(session->process))
		return error_in_state(error_make(DC_TARGET_EXECED,
						 "process %d became another program",
						 session->process->pid),
				      DC_STATE_EXECED);
	if (!process_alive(session->process) || memory_is_gone(session->process))
		return error_in_state(
			error_make(DC_TARGET_ENDED, "process %d has ended", session->process->pid),
			DC_STATE_ENDED);
	return NULL;
}

static struct dc_error *take(struct dc_session *session, pid_t thread, uint64_t goroutine,
			     regex_t *regex, bool stop, struct dc_stacks *ret)
{
	_cleanup_(dump_deinit) struct dump dump = { 0 };
	struct dump_options options = { .thread = thread };
	struct dc_error *why_no_bpf = bpf_threads_create(session->process, &options.bpf),
			*err = NULL;

	// Without a right to stop threads they can still be looked at.
	if (!session->barrier && !session->tracer) {
		struct tracer *tracer;

		err = tracer_create(session->process, &tracer);
		if (!err)
			atomic_store(&session->tracer, tracer);
	}
	// A thread that is held already is read as it stands.
	options.tracer = session->holding.injection ? NULL : session->tracer;
	options.stop_any = stop;
	if (!err)
		err = dump_take(session->process, session->unwind, &options, &dump);
	bpf_threads_destroy(options.bpf);
	// Unwinding goes on with its tables; who comes next has new ones made.
	session->renewed = true;
	session_forget_described(session);
	if (!err)
		err = symbols_refresh(session->symbols);
	if (!err)
		err = fill(session, &dump, thread, goroutine, regex, ret);
	if (!err && why_no_bpf &&
	    asprintf(&ret->notes, "registers come from /proc: %s\n", why_no_bpf->message) < 0) {
		ret->notes = NULL;
		err = &dc_out_of_memory;
	}
	dc_error_destroy(why_no_bpf);
	return err;
}

struct dc_error *dc_stacks(struct dc_session *session, const struct dc_stacks_options *options,
			   struct dc_stacks *ret)
{
	_turn_(session);
	_cleanup_(scope_deinit) struct scope scope = { 0 };
	regex_t regex;
	bool has_regex = options->regex;
	struct dc_error *err = may_look(session);

	*ret = (struct dc_stacks){ 0 };
	if (!err)
		err = scope_init(session, &(struct dc_scope){ .thread = options->thread }, &scope);
	if (!err && !session->unwind)
		err = unwind_create(session->process, session->symbols, &session->unwind);
	if (!err)
		err = session_cancelled(session);
	if (err)
		return err;
	if (has_regex && regcomp(&regex, options->regex, REG_EXTENDED | REG_NOSUB))
		return error_make(DC_USAGE, "'%s' is no regular expression", options->regex);
	// The descriptor by which the memory is read stays with the program that is there now.
	err = still_there(session);
	if (!err)
		err = take(session, scope.thread, options->goroutine, has_regex ? &regex : NULL,
			   options->stop, ret);
	if (has_regex)
		regfree(&regex);

	struct dc_error *lost = still_there(session);

	if (lost || err)
		dc_stacks_deinit(ret);
	if (lost)
		dc_error_destroy(err);
	return lost ?: err;
}

void dc_stacks_deinit(struct dc_stacks *stacks)
{
	for (size_t i = 0; i < stacks->nr_stacks; i++)
		dc_stack_deinit(&stacks->stacks[i]);
	free(stacks->stacks);
	free(stacks->program);
	free(stacks->notes);
	*stacks = (struct dc_stacks){ 0 };
}
