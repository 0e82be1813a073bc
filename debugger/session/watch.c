// SPDX-License-Identifier: MIT
// Watching objects: which bytes, and whether a hit has changed them.
#include "debugger/session/watch.h"

#include "debugger/target/memory.h"

#include <string.h>

enum kernel_breakpoint_kind watch_kind(enum dc_breakpoint_kind kind)
{
	// The processor cannot watch reads alone.
	return kind == DC_WATCH ? BREAKPOINT_WRITE : BREAKPOINT_ACCESS;
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	dc_expression_destroy(watch->expression);
	free(watch->was);
	free(watch->is);
	free(watch);
}

static struct dc_error *refuse(const struct value *value, const char *text)
{
	uint64_t size = value->type->size;

	if (value->lvalue != LVALUE_MEMORY || value->bit_size)
		return error_make(DC_REFUSED,
				  "%s has no address of its own; only objects in memory can be "
				  "watched",
				  text);
	if (size != 1 && size != 2 && size != 4 && size != WATCH_MAX)
		return error_make(DC_REFUSED,
				  "%s has %ju bytes; the processor watches 1, 2, 4 or %d", text,
				  (uintmax_t)size, WATCH_MAX);
	if (value->addr % size)
		return error_make(DC_REFUSED, "%s is not aligned, as what the processor watches is",
				  text);
	return NULL;
}

static struct dc_error *look(struct watch *watch, struct evaluation *evaluation)
{
	const struct dc_session *session = evaluation->session;
	struct dc_error *err = evaluation_compute(evaluation);

	if (!err)
		err = refuse(&evaluation->value, watch->expression->text);
	err = evaluation_end_objects(evaluation, err);
	if (err)
		return err;
	watch->type = evaluation->value.type;
	watch->addr = evaluation->value.addr;
	watch->size = watch->type->size;
	if (evaluation->value.bytes)
		memcpy(watch->last, evaluation->value.bytes, watch->size);
	if (watch->expression->needs.frame && session->holding.frame.known) {
		const struct symbols_frame *frame = &session->holding.frame.frame;

		watch->cfa = frame->cfa;
		watch->thread = session->holding.frame.tid;
		watch->back = frame->nr_callers ? frame->callers[0].regs[REGISTER_PC] : 0;
	}
	return NULL;
}

struct look {
	struct watch *watch;
	struct evaluation evaluation;
};

static struct dc_error *run_look(void *arg)
{
	struct look *job = arg;
	struct dc_error *err = look(job->watch, &job->evaluation);
	struct dc_error *release = session_release(job->evaluation.session);

	if (!err)
		return release;
	dc_error_destroy(release);
	return err;
}

struct dc_error *watch_create(struct dc_session *session, const char *text,
			      const struct dc_scope *scope, struct watch **ret)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct dc_call_options options = options_or_usual(NULL);
	struct look job = { .watch = watch };
	struct dc_error *err;

	if (!watch)
		return &dc_out_of_memory;
	options.no_number = true;
	err = session_parse(session, text, NULL, 0, scope, &watch->expression);
	job.evaluation = (struct evaluation){ .session = session,
					      .expression = watch->expression,
					      .options = &options };
	if (!err)
		err = session_run(session, run_look, &job);
	evaluation_deinit(&job.evaluation);
	if (err) {
		watch_destroy(watch);
		return err;
	}
	*ret = watch;
	return NULL;
}

// ---- hits -----------------------------------------------------------------------------------------

static char *print(struct dc_session *session, const struct watch *watch,
		   const unsigned char bytes[WATCH_MAX])
{
	unsigned char copy[WATCH_MAX];
	const struct value value = { .type = watch->type, .bytes = memcpy(copy, bytes, WATCH_MAX) };
	struct evaluation evaluation = { .session = session };
	struct caller caller = caller_of(&evaluation);
	struct environment environment = { session->symbols, &caller, session->variables };
	char *text = NULL;

	dc_error_destroy(value_print(expression_language(watch->expression->parsed), &environment,
				     &value, 0, &text));
	return text;
}

struct dc_error *watch_judge(struct dc_session *session, struct watch *watch,
			     enum dc_breakpoint_kind kind, bool *stops)
{
	unsigned char now[WATCH_MAX] = { 0 };
	struct dc_error *err = memory_read(session->process, watch->addr, now, watch->size);

	if (err)
		return err;

	bool changed = memcmp(now, watch->last, watch->size) != 0;

	*stops = kind == DC_WATCH_ACCESS || changed == (kind == DC_WATCH);
	if (*stops) {
		free(watch->was);
		free(watch->is);
		watch->was = print(session, watch, watch->last);
		watch->is = print(session, watch, now);
	}
	memcpy(watch->last, now, sizeof(now));
	return NULL;
}

bool watch_is_gone(const struct watch *watch, pid_t thread)
{
	struct user_regs_struct regs;
	struct dc_error *err;

	if (thread != watch->thread)
		return false;
	err = registers_get(thread, &regs);
	dc_error_destroy(err);
	return !err && registers_sp(&regs) >= watch->cfa;
}
