// SPDX-License-Identifier: MIT
// Judging conditions. Most are false most of the time: what is plain from registers and memory alone
// is told without an evaluation.
#include "debugger/session/condition.h"

#include "debugger/target/memory.h"
#include "debugger/target/registers.h"
#include "debugger/values/number.h"

#include <string.h>

static struct dc_error *translate(struct dc_expression *condition)
{
	struct environment environment = { .symbols = condition->session->symbols,
					   .variables = condition->session->variables };
	struct evaluation evaluation = { .session = condition->session, .expression = condition };
	const struct caller caller = caller_of(&evaluation);

	environment.caller = &caller;
	if (!condition->scope.place)
		return error_make(DC_REFUSED, "what is watched is looked at by the debugger");
	return expression_predicate(&environment, condition->parsed, condition->scope.place,
				    &condition->judged.arena, &condition->judged.predicate);
}

const struct predicate *condition_predicate(struct dc_expression *condition, const char **why)
{
	struct judged *judged = &condition->judged;

	if (!judged->is_tried) {
		struct dc_error *err = translate(condition);

		judged->is_tried = true;
		if (err) {
			judged->predicate = NULL;
			judged->why_not = strdup(err->message);
		}
		dc_error_destroy(err);
	}
	*why = judged->why_not;
	return judged->predicate;
}

void judged_deinit(struct judged *judged)
{
	arena_deinit(&judged->arena);
	free(judged->why_not);
	*judged = (struct judged){ 0 };
}

static bool read_memory(void *arg, uint64_t addr, void *buf, size_t n)
{
	return memory_read_some(arg, addr, buf, n) == n;
}

// False: it may be true, or an evaluation will tell why it is neither.
static bool is_plainly_false(struct dc_session *session, struct dc_expression *condition, pid_t tid)
{
	const struct predicate_memory memory = { read_memory, session->process };
	const char *why;
	const struct predicate *predicate = condition_predicate(condition, &why);
	struct user_regs_struct regs;
	uint64_t value;

	if (!predicate)
		return false;

	_cleanup_error_ struct dc_error *err = registers_get(tid, &regs);

	return !err && registers_pc(&regs) == condition->scope.place &&
	       predicate_value(predicate, &regs, &memory, &value) && !value;
}

static struct dc_error *truth_of(const struct value *value, bool *ret)
{
	struct number number;
	struct dc_error *err = number_read(type_strip(value->type), value->bytes, &number);

	*ret = !err && !number_is_zero(&number);
	return err;
}

struct dc_error *condition_holds(struct dc_session *session, struct dc_expression *condition,
				 pid_t tid, const struct dc_call_options *options, bool *ret)
{
	struct dc_call_options numberless = *options;
	struct evaluation evaluation = { .session = session,
					 .expression = condition,
					 .options = &numberless };

	*ret = false;
	if (is_plainly_false(session, condition, tid))
		return NULL;
	numberless.no_number = true;
	expression_settle(condition, tid);

	struct dc_error *err = evaluation_compute(&evaluation);

	if (!err)
		err = truth_of(&evaluation.value, ret);
	err = evaluation_end_objects(&evaluation, err);
	evaluation_deinit(&evaluation);

	struct dc_error *release = session_release(session);

	if (!err)
		return release;
	dc_error_destroy(release);
	return err;
}
