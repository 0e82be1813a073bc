// SPDX-License-Identifier: MIT
// Which frame of the borrowed thread an expression's locals and registers belong to.
#include "debugger/session/session.h"

#include "debugger/control/control.h"
#include "debugger/target/sample.h"

#include <errno.h>
#include <string.h>

static bool is_number(const char *text, unsigned *ret)
{
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number > UNWIND_MAX)
		return false;
	*ret = (unsigned)number;
	return true;
}

enum { INLINED_MAX = 32 };

static bool is_named(const struct dc_frame *frame, const char *function)
{
	return frame->function && symbols_is_named(frame->function, function);
}

static bool is_in(struct symbols *symbols, const struct symbols_frame *frame, const char *function)
{
	struct dc_frame here[INLINED_MAX];
	size_t n = symbols_describe_inlined(symbols, frame->pc, here, INLINED_MAX);

	return is_named(&here[frame->inlined < n ? frame->inlined : n - 1], function);
}

// Functions that are inlined into one another share a frame, and each has a number.
static size_t count_inlined(struct symbols *symbols, const struct unwound *frame)
{
	struct dc_frame here[INLINED_MAX];

	return symbols_describe_inlined(symbols, frame->frame.pc, here, INLINED_MAX);
}

struct dc_error *frame_find_number(struct symbols *symbols, unsigned wanted,
				   const struct unwound *frames, size_t n, unsigned *index,
				   unsigned *inlined)
{
	size_t passed = 0;

	*inlined = 0;
	for (*index = 0; wanted && *index < n; ++*index) {
		size_t here = count_inlined(symbols, &frames[*index]);

		if (passed + here > wanted) {
			*inlined = wanted - (unsigned)passed;
			return NULL;
		}
		passed += here;
	}
	return wanted ? error_make(DC_NAME, "no frame %u: the stack has %zu", wanted, passed)
		      : NULL;
}

static bool pick_name(struct symbols *symbols, const char *wanted, const struct unwound *frames,
		      size_t n, unsigned *index, unsigned *inlined)
{
	struct dc_frame here[INLINED_MAX];

	for (*index = 0; *index < n; ++*index) {
		size_t count = symbols_describe_inlined(symbols, frames[*index].frame.pc, here,
							INLINED_MAX);

		for (*inlined = 0; *inlined < count; ++*inlined) {
			if (is_named(&here[*inlined], wanted))
				return true;
		}
	}
	return false;
}

// Nobody who asks for a local means one of the C library's, though its debug information may be
// here.
static bool is_users(struct symbols *symbols, const struct symbols_frame *frame)
{
	static const char *const theirs[] = { "libc.so",    "libc-",   "ld-linux", "ld-musl",
					      "libpthread", "libm.so", "libgcc_s", "[vdso]" };
	struct dc_frame here = symbols_describe(symbols, frame->pc);

	for (size_t i = 0; here.module && i < sizeof(theirs) / sizeof(*theirs); i++) {
		if (!strncmp(here.module, theirs[i], strlen(theirs[i])))
			return false;
	}
	return here.file != NULL;
}

// *inlined: so many functions that are inlined there are passed over, from the innermost on.
static struct dc_error *pick(struct dc_session *session, const char *wanted, pid_t tid,
			     const struct unwound *frames, size_t n, unsigned *index,
			     unsigned *inlined)
{
	unsigned number;

	if (wanted && is_number(wanted, &number))
		return frame_find_number(session->symbols, number, frames, n, index, inlined);
	if (wanted && !pick_name(session->symbols, wanted, frames, n, index, inlined))
		return error_make(DC_NAME, "no frame of %s on the stack of thread %d", wanted, tid);
	if (wanted)
		return NULL;
	*inlined = 0;
	for (*index = 0; *index < n; ++*index) {
		if (is_users(session->symbols, &frames[*index].frame))
			return NULL;
	}
	*index = 0;
	return NULL;
}

// The frames above it, as far as each was called and not interrupted.
static void add_callers(const struct unwound *frames, size_t n, unsigned index,
			struct symbols_frame *frame)
{
	enum { ROOM = sizeof(frame->callers) / sizeof(*frame->callers) };

	for (size_t i = index + 1; i < n && frame->nr_callers < ROOM; i++) {
		const struct symbols_frame *up = &frames[i].frame;
		struct symbols_caller *caller = &frame->callers[frame->nr_callers];

		if (frames[i].is_signal_frame || frames[i - 1].is_signal_frame)
			break;
		*caller = (struct symbols_caller){ .pc = up->pc,
						   .cfa = up->cfa,
						   .valid = up->valid };
		memcpy(caller->regs, up->regs, sizeof(caller->regs));
		frame->nr_callers++;
	}
}

// Callers only tell what was passed to a frame: those of one that is named by its number, or of the
// innermost where a thread stands at its place, are not followed to the stack's end.
static size_t frames_needed(const struct scope *scope)
{
	enum { CALLERS = 7 };
	unsigned number = 0;

	if (!scope->place && (!scope->frame || !is_number(scope->frame, &number)))
		return UNWIND_MAX;
	return number < UNWIND_MAX - CALLERS - 1 ? number + CALLERS + 1 : UNWIND_MAX;
}

static struct dc_error *choose(struct dc_session *session, const struct snapshot *snapshot,
			       const struct scope *scope, pid_t tid, struct chosen_frame *ret)
{
	const size_t max = frames_needed(scope);
	_cleanup_free_ struct unwound *frames = calloc(max, sizeof(*frames));
	unsigned index = 0, inlined = 0;
	bool complete;
	size_t n;

	if (!frames)
		return &dc_out_of_memory;
	struct dc_error *err = unwind_walk(session->unwind, snapshot, frames, max, &n, &complete);
	if (!err && !n)
		err = error_make(DC_REFUSED, "the stack cannot be read");
	if (!err && !scope->place)
		err = pick(session, scope->frame, tid, frames, n, &index, &inlined);
	if (err)
		return err;
	*ret = (struct chosen_frame){
		.known = true,
		.tid = tid,
		.index = index,
		.number = inlined,
		.frame = frames[index].frame,
	};
	ret->frame.inlined = inlined;
	for (unsigned i = 0; scope->numbers && i < index; i++)
		ret->number += (unsigned)count_inlined(session->symbols, &frames[i]);
	add_callers(frames, n, index, &ret->frame);
	return NULL;
}

// A sleeping thread's chain of callers shows without a stop, as far as it can be followed without
// the registers that /proc does not tell. That is enough to know whose names are meant.
static void sample_asleep(struct dc_session *session, const struct scope *scope, pid_t tid,
			  struct chosen_frame *ret)
{
	struct thread_info info;
	struct dc_error *err = process_thread_info(session->process, tid, &info);

	if (!err && info.in_syscall) {
		const struct snapshot snapshot = {
			.regs = registers_known_from(info.pc, info.sp, info.syscall),
			.unknown = ~(uint32_t)REGISTERS_PLACE,
		};

		err = choose(session, &snapshot, scope, tid, ret);
	}
	dc_error_destroy(err);
}

bool frame_runs(const struct dc_session *session, pid_t tid)
{
	struct thread_info info;
	_cleanup_error_ struct dc_error *err = process_thread_info(session->process, tid, &info);

	return !err && info.state == 'R';
}

// One that stands under control takes no stop.
static bool stands(const struct dc_session *session, pid_t tid)
{
	struct thread_info info;
	_cleanup_error_ struct dc_error *err = process_thread_info(session->process, tid, &info);

	return !err && info.state == 't';
}

// One that runs shows where it is without a stop, too, where the kernel's profiler may look. It may
// wait for a CPU for a while.
static void sample_running(struct dc_session *session, const struct scope *scope, pid_t tid,
			   struct chosen_frame *ret)
{
	enum { WAIT_NS = 50 * 1000 * 1000, LOOKS = 20 };
	struct sample sample = { 0 };
	bool taken = false;
	struct dc_error *err = NULL;

	for (int i = 0; i < LOOKS && !err && !taken && frame_runs(session, tid); i++)
		err = sample_take(tid, WAIT_NS, &sample, &taken);
	if (!err && taken) {
		const struct snapshot snapshot = {
			.regs = sample.regs,
			.stack = sample.stack,
			.stack_start = registers_sp(&sample.regs),
			.stack_size = sample.size,
		};

		err = choose(session, &snapshot, scope, tid, ret);
		free(sample.stack);
	}
	dc_error_destroy(err);
}

struct standing_job {
	struct dc_session *session;
	pid_t tid;
	struct snapshot snapshot;
	bool stands;
};

static struct dc_error *run_standing(void *arg)
{
	struct standing_job *job = arg;
	const struct thread *thread = control_find(job->session->control, job->tid);

	job->stands = thread && thread->stands;
	return job->stands ? registers_get(job->tid, &job->snapshot.regs) : NULL;
}

// One that stands under control is looked at as it stands; *ret stays unknown for others.
static struct dc_error *sample_standing(struct dc_session *session, const struct scope *scope,
					pid_t tid, struct chosen_frame *ret)
{
	struct standing_job job = { .session = session, .tid = tid };
	struct dc_error *err = session_run(session, run_standing, &job);

	return err || !job.stands ? err : choose(session, &job.snapshot, scope, tid, ret);
}

// Any other thread has to be held for as long as it takes to copy its stack.
static struct dc_error *sample_stopped(struct dc_session *session, const struct scope *scope,
				       pid_t tid, struct chosen_frame *ret)
{
	const struct borrow_options options = {
		.thread = tid,
		.wait_ns = options_or_usual(NULL).wait_ns,
		.force = true, // nothing runs
		.assume_seccomp_ok = true,
	};
	_cleanup_free_ unsigned char *stack = NULL;
	struct snapshot snapshot = { 0 };
	struct dc_departure departure = { 0 };
	struct injection *injection;
	struct dc_error *err = injection_begin(session->tracer, session->process, session->symbols,
					       session->safepoints, session->unwind, &options,
					       &injection);

	if (err)
		return err;
	tid = injection_tid(injection);
	err = injection_snapshot(injection, &snapshot);
	stack = snapshot.stack;
	struct dc_error *release = injection_release(injection, &departure);
	session->departure.pause_ns += departure.pause_ns;
	if (err || release) {
		dc_error_destroy(err ? release : NULL);
		return err ? err : release;
	}
	return choose(session, &snapshot, scope, tid, ret);
}

// A thread that is held already is looked at as it stands.
static struct dc_error *look_at_held(struct dc_session *session, const struct scope *scope,
				     struct chosen_frame *ret)
{
	struct injection *injection = session->holding.injection;
	struct snapshot snapshot = { 0 };
	struct dc_error *err = injection_snapshot(injection, &snapshot);

	if (!err)
		err = choose(session, &snapshot, scope, injection_tid(injection), ret);
	free(snapshot.stack);
	return err;
}

struct dc_error *frame_sample(struct dc_session *session, const struct scope *scope, bool may_stop,
			      struct chosen_frame *ret)
{
	struct holding *holding = &session->holding;
	pid_t tid = scope->thread ?: session->process->pid;

	if (holding->injection &&
	    (!scope->thread || scope->thread == injection_tid(holding->injection))) {
		struct dc_error *err = look_at_held(session, scope, ret);

		if (!err && scope_equal(scope, &holding->scope))
			holding->frame = *ret;
		return err;
	}

	struct dc_error *err = session_look(session);

	if (!err && session->control)
		err = sample_standing(session, scope, tid, ret);
	if (err || ret->known)
		return err;
	if (!err)
		sample_asleep(session, scope, tid, ret);
	if (!err && !ret->known && may_stop)
		sample_running(session, scope, tid, ret);
	if (!err && !ret->known && may_stop)
		sample_asleep(session, scope, tid, ret); // meanwhile
	if (!err && !ret->known && may_stop && (!scope->no_stop || stands(session, tid))) {
		err = session_ready(session);
		if (!err)
			err = sample_stopped(session, scope, tid, ret);
	}
	return err;
}

struct dc_frame frame_describe(const struct dc_session *session, const struct chosen_frame *frame)
{
	struct dc_frame here[INLINED_MAX];
	size_t n = symbols_describe_inlined(session->symbols, frame->frame.pc, here, INLINED_MAX);

	return here[frame->frame.inlined < n ? frame->frame.inlined : n - 1];
}

enum { DESCRIBED_ROOM = 512 };
struct described {
	uint64_t pc;
	struct dc_frame *frames; // NULL: nothing is kept here
	size_t n;
};

const struct dc_frame *session_describe(struct dc_session *session, uint64_t pc, size_t *n)
{
	struct dc_frame here[INLINED_MAX];
	struct described *at;

	*n = 0;
	if (!session->described)
		session->described = calloc(DESCRIBED_ROOM, sizeof(*session->described));
	if (!session->described)
		return NULL;
	at = &session->described[pc % DESCRIBED_ROOM];
	if (!at->frames || at->pc != pc) {
		size_t found = symbols_describe_inlined(session->symbols, pc, here, INLINED_MAX);

		free(at->frames);
		*at = (struct described){ .pc = pc, .n = found };
		at->frames = calloc(found, sizeof(*at->frames));
		if (!at->frames)
			return NULL;
		memcpy(at->frames, here, found * sizeof(*here));
	}
	*n = at->n;
	return at->frames;
}

void session_forget_described(struct dc_session *session)
{
	for (size_t i = 0; session->described && i < DESCRIBED_ROOM; i++)
		free(session->described[i].frames);
	free(take_ptr(session->described));
}

struct dc_error *frame_settle(struct dc_session *session, const struct chosen_frame *sample,
			      bool *same)
{
	struct chosen_frame *now = &session->holding.frame;
	struct dc_error *err = look_at_held(session, &session->holding.scope, now);

	if (err)
		return err;
	// The function's names were loaded with the sample; another place in it has the same ones.
	struct dc_frame before = frame_describe(session, sample);

	*same = now->frame.pc == sample->frame.pc ||
		(before.function && is_in(session->symbols, &now->frame, before.function));
	return NULL;
}
