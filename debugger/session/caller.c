// SPDX-License-Identifier: MIT
// What the evaluator asks of the target: memory at once, a borrowed thread only when something needs
// one.
#include "debugger/arch/arch.h"
#include "debugger/base/trace.h"
#include "debugger/session/session.h"
#include "debugger/target/memory.h"
#include "debugger/values/keepsake.h"

#include <string.h>

// The thread that serves everything under this borrowing. to_call: it is to run something, though
// the text may have said nothing of it: a literal is mapped, an IFUNC resolved. Else the thread
// itself is wanted.
static struct dc_error *borrow(struct evaluation *evaluation, bool to_call)
{
	struct needs needs;

	if (!to_call)
		evaluation->needs.thread = true;
	needs = evaluation->needs;
	if (to_call && !needs.calls)
		needs_add(&needs, &(struct needs){ .calls = true, .avoids_stdio = true });
	return session_borrow(evaluation->session, &evaluation->expression->scope,
			      evaluation->options, &needs, evaluation_sample(evaluation));
}

static void trace_begin(const struct dc_session *session, uint64_t addr, const char *name)
{
	if (trace_on(TRACE_INJECT))
		trace_put(TRACE_INJECT, "call begins", injection_tid(session->holding.injection), 0,
			  addr, name);
}

// What remains of the session's thread after a call.
static struct dc_error *note_call(struct dc_session *session, struct dc_error *err)
{
	session->epoch++;
	session->called |= !err || (err->code != DC_CHANGED && err->code != DC_REFUSED);
	trace(TRACE_INJECT, err ? "call fails with code" : "call has returned",
	      injection_tid(session->holding.injection), err ? err->code : 0, 0);
	if (err && (err->state == DC_STATE_IN_CALLEE || err->state == DC_STATE_AS_LEFT ||
		    err->state == DC_STATE_ENDED || err->state == DC_STATE_EXECED))
		session->holding.lost = true;
	return err;
}

static struct dc_error *enter(struct evaluation *evaluation, const struct typed_call *call,
			      const struct abi_entry *entry, struct abi_exit *exit)
{
	struct dc_session *session = evaluation->session;
	struct injection *injection = session->holding.injection;
	struct repetition *repetition = evaluation->repetition;
	int64_t timeout = evaluation->options->timeout_ns;

	trace_begin(session, call->addr, call->name);
	if (evaluation->many && call->is_whole)
		return note_call(session,
				 many_run(evaluation->many, session, call, entry, timeout));
	if (repetition && call->is_whole) {
		struct dc_error *err = injection_repeat(injection, call->addr, call->name, entry,
							timeout, repetition->n,
							repetition->nanoseconds, exit);
		if (!err)
			repetition->done = repetition->n;
		return note_call(session, err);
	}
	// What is computed of its result needs nothing of the target any more.
	bool is_last = evaluation->is_last && call->is_whole && !call->is_cast &&
		       !session->holding.has_objects && evaluation_prints_alone(call->type->target);

	return note_call(session, injection_call(injection, call->addr, call->name, entry, timeout,
						 is_last, exit));
}

static struct dc_error *check_wide(struct dc_session *session, const struct typed_call *call,
				   const struct abi_entry *entry)
{
	unsigned char code[ABI_WIDE_CODE];

	if (entry->vector_width <= 16)
		return NULL;
	return wide_check(entry, code,
			  memory_read_some(session->process, call->addr, code, sizeof(code)),
			  call->name);
}

static struct dc_error *refuses(void *arg, const struct function *function)
{
	(void)arg;
	return classify_body(function);
}

static struct dc_error *call(void *arg, const struct typed_call *call, struct value *ret)
{
	struct evaluation *evaluation = arg;
	struct dc_session *session = evaluation->session;
	struct abi_entry entry;
	struct abi_exit exit = { 0 };
	unsigned char *bytes = NULL;

	if (evaluation->options->no_call)
		return error_make(DC_REFUSED, "--no-call: %s was not called",
				  call->name ? call->name : "the function");
	if (call->has_objects && (evaluation->repetition || evaluation->many))
		return error_make(DC_REFUSED,
				  "a call with objects by value is made once: each would "
				  "need objects of its own");
	struct dc_error *err = classify_call(call, &entry);
	if (err)
		return err;
	err = check_wide(session, call, &entry);
	if (!err)
		err = borrow(evaluation, true);
	if (!err)
		err = enter(evaluation, call, &entry, &exit);
	abi_entry_deinit(&entry);
	if (!err && !call->result_at)
		err = classify_result(call, &exit, &bytes);
	free((void *)exit.memory);
	if (err || call->result_at) {
		free(bytes);
		return err;
	}
	*ret = (struct value){
		.type = call->type->target,
		.lvalue = LVALUE_NONE,
		.bytes = bytes,
	};
	return NULL;
}

static struct dc_error *call_go(void *arg, uint64_t addr, const char *name,
				const struct go_abi_entry *entry, bool is_whole,
				struct go_abi_exit *ret)
{
	struct evaluation *evaluation = arg;
	struct dc_session *session = evaluation->session;
	struct repetition *repetition = evaluation->repetition;
	int64_t timeout = evaluation->options->timeout_ns;
	struct dc_error *err;

	if (evaluation->options->no_call)
		return error_make(DC_REFUSED, "--no-call: %s was not called", name);
	if (evaluation->many)
		return error_make(DC_REFUSED, "calls of Go functions take no rows of arguments");
	err = borrow(evaluation, true);
	if (err)
		return err;
	trace_begin(session, addr, name);
	if (!repetition || !is_whole)
		return note_call(session, injection_call_go(session->holding.injection, addr, name,
							    entry, timeout, ret));
	err = injection_repeat_go(session->holding.injection, addr, name, entry, timeout,
				  repetition->n, repetition->nanoseconds, ret);
	if (!err)
		repetition->done = repetition->n;
	return note_call(session, err);
}

static struct dc_error *room(void *arg, const struct type *type, uint64_t *addr)
{
	struct evaluation *evaluation = arg;
	struct holding *holding = &evaluation->session->holding;
	struct dc_error *err;

	if (evaluation->repetition || evaluation->many)
		return error_make(DC_REFUSED,
				  "a call with objects by value is made once: each would "
				  "need objects of its own");
	err = borrow(evaluation, true);
	if (err)
		return err;
	holding->has_objects = true;
	return injection_room(holding->injection, type_strip(type)->size, type_align(type), addr);
}

static struct dc_error *end_later(void *arg, uint64_t addr, const struct function *destructor,
				  const struct type *type)
{
	struct evaluation *evaluation = arg;
	struct object *grown = reallocarray(evaluation->objects, evaluation->nr_objects + 1,
					    sizeof(*grown));

	if (!grown)
		return &dc_out_of_memory;
	evaluation->objects = grown;
	grown[evaluation->nr_objects++] = (struct object){ addr, *destructor, type };
	return NULL;
}

// void (void *)
static struct dc_error *end_object(struct evaluation *evaluation, const struct object *object)
{
	struct types *types = symbols_types(evaluation->session->symbols);
	const struct type *nothing = types_basic(types, "void");
	const struct type *pointer = nothing ? types_pointer(types, nothing) : NULL;
	const struct type_param param = { .type = pointer };
	const struct type *type = pointer ? types_function(types, nothing, &param, 1, false, true)
					  : NULL;
	struct value arg = { .type = pointer, .bytes = (unsigned char *)&object->addr };
	const struct typed_call request = { .addr = object->destructor.addr,
					    .name = object->destructor.name,
					    .type = type,
					    .args = &arg,
					    .nr_args = 1,
					    .has_objects = true };
	struct value ret = { 0 };

	return type ? call(evaluation, &request, &ret) : &dc_out_of_memory;
}

// Where the callee was given up, what it was at with them is not known.
static bool may_end_objects(const struct evaluation *evaluation, const struct dc_error *err)
{
	const struct holding *holding = &evaluation->session->holding;

	return holding->injection && !holding->lost &&
	       (!err || err->code == DC_THREW ||
		(err->code != DC_CRASHED && err->code != DC_DEADLINE && err->code != DC_CANCELLED &&
		 err->code != DC_LEFT && err->code != DC_THREAD_ENDED &&
		 err->code != DC_TARGET_ENDED && err->code != DC_TARGET_EXECED));
}

struct dc_error *evaluation_end_objects(struct evaluation *evaluation, struct dc_error *err)
{
	struct holding *holding = &evaluation->session->holding;
	bool may = may_end_objects(evaluation, err);

	evaluation->session->recording = NULL;
	if (evaluation->nr_objects && err && !may)
		err = error_note(err, "objects that were made for the call are not destroyed");
	while (evaluation->nr_objects && may) {
		const struct object *last = &evaluation->objects[--evaluation->nr_objects];
		struct dc_error *failed = end_object(evaluation, last);

		if (!failed)
			continue;
		may = may_end_objects(evaluation, failed);
		dc_error_destroy(err ? failed : NULL);
		err = err ?: failed;
	}
	evaluation->nr_objects = 0;
	free(evaluation->objects);
	evaluation->objects = NULL;
	if (holding->has_objects && holding->injection)
		injection_clear_room(holding->injection);
	holding->has_objects = false;
	return err;
}

static struct dc_error *literal(void *arg, const void *bytes, size_t n, uint64_t *addr)
{
	struct evaluation *evaluation = arg;
	struct dc_error *err = borrow(evaluation, true);

	return err ? err
		   : injection_literal(evaluation->session->holding.injection, bytes, n, addr);
}

static struct dc_error *read_memory(void *arg, uint64_t addr, void *buf, size_t n)
{
	const struct evaluation *evaluation = arg;
	struct keepsake *recording = evaluation->session->recording;

	if (evaluation->keepsake)
		return keepsake_read(evaluation->keepsake, addr, buf, n);

	struct dc_error *err = memory_read(evaluation->session->process, addr, buf, n);

	return err || !recording ? err : keepsake_record(recording, addr, buf, n);
}

static struct dc_error *write_memory(void *arg, uint64_t addr, const void *buf, size_t n)
{
	const struct evaluation *evaluation = arg;
	struct dc_session *session = evaluation->session;
	struct dc_error *err = memory_write(session->process, addr, buf, n);

	if (!err && session->holding.injection)
		injection_note_written(session->holding.injection, addr, n);
	return err;
}

static struct dc_error *read_register(void *arg, const char *name, struct types *types,
				      struct value *ret)
{
	struct evaluation *evaluation = arg;
	struct dc_error *err = borrow(evaluation, false);

	return err ? err : register_read(evaluation->session, name, types, ret);
}

static struct dc_error *write_register(void *arg, const char *name, const struct value *value)
{
	struct evaluation *evaluation = arg;
	struct dc_error *err = borrow(evaluation, false);

	return err ? err : register_write(evaluation->session, name, value);
}

static const struct type *register_type(void *arg, const char *name, struct types *types)
{
	(void)arg;
	return register_type_of(name, types);
}

static struct dc_error *frame(void *arg, struct symbols_frame *ret)
{
	struct evaluation *evaluation = arg;

	*ret = (struct symbols_frame){ 0 };
	if (!evaluation->expression->needs.frame)
		return NULL;
	struct dc_error *err = borrow(evaluation, false);
	if (!err)
		*ret = evaluation->session->holding.frame.frame;
	return err;
}

static uint64_t fs_base(void *arg)
{
	struct evaluation *evaluation = arg;
	struct dc_error *err = borrow(evaluation, false);

	if (err) {
		dc_error_destroy(err);
		return 0;
	}
	return registers_thread_pointer(injection_regs(evaluation->session->holding.injection));
}

static struct dc_error *resolve_ifunc(void *arg, const struct function *function, uint64_t *addr)
{
	struct evaluation *evaluation = arg;
	struct dc_session *session = evaluation->session;
	const struct abi_entry nothing = { 0 };
	struct abi_exit exit = { 0 };
	struct dc_error *err;

	*addr = symbols_bound_ifunc(session->symbols, function);
	if (*addr)
		return NULL;
	if (evaluation->options->no_call)
		return error_make(DC_REFUSED, "--no-call: the resolver of %s was not called",
				  function->name);
	err = borrow(evaluation, true);
	if (err)
		return err;
	trace_begin(session, function->addr, function->name);
	err = note_call(session,
			injection_call(session->holding.injection, function->addr, function->name,
				       &nothing, evaluation->options->timeout_ns, false, &exit));
	*addr = abi_first_integer(&exit);
	return err;
}

struct caller caller_of(struct evaluation *evaluation)
{
	return (struct caller){
		.arg = evaluation,
		.refuses = refuses,
		.call = call,
		.call_go = call_go,
		.literal = literal,
		.room = room,
		.end_later = end_later,
		.read = read_memory,
		.write = write_memory,
		.read_register = read_register,
		.write_register = write_register,
		.register_type = register_type,
		.frame = frame,
		.fs_base = fs_base,
		.resolve_ifunc = resolve_ifunc,
	};
}
