// SPDX-License-Identifier: MIT
// The evaluator's view of a session: memory at once, a borrowed thread only when something needs
// one.
#include "debugger/arch/x86_64/wide.h"
#include "debugger/session/session.h"
#include "debugger/target/memory.h"

#include <string.h>

// What remains of the session's thread after a call that failed.
static struct dc_error *note_loss(struct dc_session *session, struct dc_error *err)
{
	if (err && (err->state == DC_STATE_IN_CALLEE || err->state == DC_STATE_AS_LEFT ||
		    err->state == DC_STATE_ENDED || err->state == DC_STATE_EXECED))
		session->lost = true;
	return err;
}

static struct dc_error *enter(struct dc_session *session, const struct typed_call *call,
			      const struct abi_entry *entry, struct abi_exit *exit)
{
	struct repetition *repetition = session->repetition;
	int64_t timeout = session->options.timeout_ns;

	if (repetition && call->is_whole) {
		struct dc_error *err = borrowed_repeat(session->borrowed, call->addr, call->name,
						       entry, timeout, repetition->n,
						       repetition->nanoseconds, exit);
		if (!err)
			repetition->done = repetition->n;
		return note_loss(session, err);
	}
	return note_loss(session, borrowed_call(session->borrowed, call->addr, call->name, entry,
						timeout, exit));
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

static struct dc_error *call(void *arg, const struct typed_call *call, struct value *ret)
{
	struct dc_session *session = arg;
	struct abi_entry entry;
	struct abi_exit exit = { 0 };
	unsigned char *bytes = NULL;

	if (session->options.no_call)
		return error_make(DC_REFUSED, "--no-call: %s was not called",
				  call->name ? call->name : "the function");
	struct dc_error *err = classify_call(call, &entry);
	if (err)
		return err;
	err = check_wide(session, call, &entry);
	if (!err)
		err = session_borrow(session, true);
	if (!err)
		err = enter(session, call, &entry, &exit);
	abi_entry_deinit(&entry);
	if (!err)
		err = classify_result(call, &exit, &bytes);
	free((void *)exit.memory);
	if (err)
		return err;
	*ret = (struct value){
		.type = call->type->target,
		.lvalue = LVALUE_NONE,
		.bytes = bytes,
	};
	return NULL;
}

static struct dc_error *literal(void *arg, const void *bytes, size_t n, uint64_t *addr)
{
	struct dc_session *session = arg;
	struct dc_error *err = session_borrow(session, true);

	return err ? err : borrowed_literal(session->borrowed, bytes, n, addr);
}

static struct dc_error *read_memory(void *arg, uint64_t addr, void *buf, size_t n)
{
	struct dc_session *session = arg;

	return memory_read(session->process, addr, buf, n);
}

static struct dc_error *write_memory(void *arg, uint64_t addr, const void *buf, size_t n)
{
	struct dc_session *session = arg;

	return memory_write(session->process, addr, buf, n);
}

static struct dc_error *read_register(void *arg, const char *name, struct types *types,
				      struct value *ret)
{
	struct dc_session *session = arg;
	struct dc_error *err = session_borrow(session, session_calls(session));

	return err ? err : register_read(session, name, types, ret);
}

static struct dc_error *write_register(void *arg, const char *name, const struct value *value)
{
	struct dc_session *session = arg;
	struct dc_error *err = session_borrow(session, session_calls(session));

	return err ? err : register_write(session, name, value);
}

static const struct type *register_type(void *arg, const char *name, struct types *types)
{
	(void)arg;
	return register_type_of(name, types);
}

static struct dc_error *frame(void *arg, struct symbols_frame *ret)
{
	struct dc_session *session = arg;

	*ret = (struct symbols_frame){ 0 };
	if (!session->scope.wanted || !session->current->needs_frame)
		return NULL;
	struct dc_error *err = session_borrow(session, session_calls(session));
	if (!err)
		*ret = session->scope.frame;
	return err;
}

static uint64_t fs_base(void *arg)
{
	struct dc_session *session = arg;
	struct dc_error *err = session_borrow(session, session_calls(session));

	if (err) {
		dc_error_destroy(err);
		return 0;
	}
	return registers_thread_pointer(borrowed_regs(session->borrowed));
}

static struct dc_error *resolve_ifunc(void *arg, const struct function *function, uint64_t *addr)
{
	struct dc_session *session = arg;
	const struct abi_entry nothing = { 0 };
	struct abi_exit exit = { 0 };
	struct dc_error *err;

	*addr = symbols_bound_ifunc(session->symbols, function);
	if (*addr)
		return NULL;
	if (session->options.no_call)
		return error_make(DC_REFUSED, "--no-call: the resolver of %s was not called",
				  function->name);
	err = session_borrow(session, true);
	if (err)
		return err;
	err = note_loss(session, borrowed_call(session->borrowed, function->addr, function->name,
					       &nothing, session->options.timeout_ns, &exit));
	*addr = abi_first_integer(&exit);
	return err;
}

struct caller evaluation_target(struct dc_session *session)
{
	return (struct caller){
		.arg = session,
		.call = call,
		.literal = literal,
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
