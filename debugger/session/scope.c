// SPDX-License-Identifier: MIT
// Which frame of the borrowed thread an expression's locals and registers belong to.
#include "debugger/session/session.h"

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

static bool is_in(struct symbols *symbols, const struct symbols_frame *frame, const char *function)
{
	struct dc_frame here = symbols_describe(symbols, frame->pc);

	return here.function && symbols_is_named(here.function, function);
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

static struct dc_error *pick(struct dc_session *session, pid_t tid, const struct unwound *frames,
			     size_t n, unsigned *ret)
{
	const char *wanted = session->options.frame;

	if (wanted && is_number(wanted, ret)) {
		if (*ret < n)
			return NULL;
		return error_make(DC_NAME, "no frame %u: the stack has %zu", *ret, n);
	}
	for (unsigned i = 0; i < n; i++) {
		if (wanted ? is_in(session->symbols, &frames[i].frame, wanted)
			   : is_users(session->symbols, &frames[i].frame)) {
			*ret = i;
			return NULL;
		}
	}
	if (wanted)
		return error_make(DC_NAME, "no frame of %s on the stack of thread %d", wanted, tid);
	*ret = 0;
	return NULL;
}

struct dc_error *scope_choose(struct dc_session *session, const struct snapshot *snapshot,
			      struct scope *ret)
{
	_cleanup_free_ struct unwound *frames = calloc(UNWIND_MAX, sizeof(*frames));
	bool complete;
	size_t n;

	if (!frames)
		return &dc_out_of_memory;
	struct dc_error *err = unwind_walk(session->unwind, snapshot, frames, UNWIND_MAX, &n,
					   &complete);
	if (!err && !n)
		err = error_make(DC_REFUSED, "the stack cannot be read");
	if (!err)
		err = pick(session, ret->tid, frames, n, &ret->index);
	if (err)
		return err;
	ret->known = true;
	ret->frame = frames[ret->index].frame;
	return NULL;
}

// A sleeping thread's chain of callers shows without a stop, as far as it can be followed without
// the registers that /proc does not tell. That is enough to know whose names are meant.
static void sample_asleep(struct dc_session *session, pid_t tid)
{
	struct scope scope = session->scope;
	struct snapshot snapshot = { 0 };
	struct thread_info info;
	struct dc_error *err = process_thread_info(session->process, tid, &info);

	scope.tid = tid;
	if (!err && info.in_syscall) {
		snapshot.regs = registers_known_from(info.pc, info.sp, info.syscall);
		snapshot.unknown = ~(uint32_t)REGISTERS_PLACE;
		err = scope_choose(session, &snapshot, &scope);
	}
	if (!err && scope.known)
		session->scope = scope;
	dc_error_destroy(err);
}

// Any other thread has to be held for as long as it takes to copy its stack.
static struct dc_error *sample_stopped(struct dc_session *session, pid_t tid)
{
	struct borrow_options options = {
		.thread = tid,
		.wait_ns = session->options.wait_ns,
		.force = true, // nothing runs
		.assume_seccomp_ok = true,
	};
	_cleanup_free_ unsigned char *stack = NULL;
	struct snapshot snapshot = { 0 };
	struct scope scope = session->scope;
	struct dc_departure departure = { 0 };
	struct dc_error *err = borrow_thread(session->tracer, session->process, session->symbols,
					     session->safepoints, session->unwind, &options,
					     &session->borrowed);

	if (err)
		return err;
	session->touched = true;
	scope.tid = borrowed_tid(session->borrowed);
	err = borrowed_snapshot(session->borrowed, &snapshot);
	stack = snapshot.stack;
	struct borrowed *borrowed = take_ptr(session->borrowed);
	struct dc_error *release = borrowed_release(borrowed, &departure);
	session->departure.pause_ns += departure.pause_ns;
	if (err || release) {
		dc_error_destroy(err ? release : NULL);
		return err ? err : release;
	}
	err = scope_choose(session, &snapshot, &scope);
	if (!err)
		session->scope = scope;
	return err;
}

// A thread that is held already is looked at as it stands.
static struct dc_error *look_at_held(struct dc_session *session)
{
	struct scope scope = session->scope;
	struct snapshot snapshot = { 0 };

	scope.tid = borrowed_tid(session->borrowed);
	struct dc_error *err = borrowed_snapshot(session->borrowed, &snapshot);
	if (!err)
		err = scope_choose(session, &snapshot, &scope);
	free(snapshot.stack);
	if (err)
		return err;
	scope.settled = true;
	session->scope = scope;
	return NULL;
}

static pid_t thread_of_scope(const struct dc_session *session)
{
	return session->options.thread ? session->options.thread : session->process->pid;
}

struct dc_error *scope_glance(struct dc_session *session)
{
	if (session->borrowed)
		return look_at_held(session);

	struct dc_error *err = session_look(session);
	if (!err)
		sample_asleep(session, thread_of_scope(session));
	return err;
}

struct dc_error *scope_sample(struct dc_session *session)
{
	struct dc_error *err = scope_glance(session);

	if (!err && !session->scope.known)
		err = session_ready(session);
	if (!err && !session->scope.known)
		err = sample_stopped(session, thread_of_scope(session));
	return err;
}

struct dc_error *scope_settle(struct dc_session *session, bool *same)
{
	const struct symbols_frame before = session->scope.frame;
	struct dc_error *err = look_at_held(session);

	if (err)
		return err;
	// The function's names were loaded with the sample; another place in it has the same ones.
	const char *function = symbols_describe(session->symbols, before.pc).function;
	*same = session->scope.frame.pc == before.pc ||
		(function && is_in(session->symbols, &session->scope.frame, function));
	return NULL;
}
