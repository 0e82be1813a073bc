// SPDX-License-Identifier: MIT
// What a function has given that a step led out of: its result, from the registers that it left.
#include "debugger/session/breakpoints.h"

#include "debugger/arch/x86_64/xstate.h"
#include "debugger/inject/classify.h"
#include "debugger/target/memory.h"

const struct type *returned_type(struct dc_session *session, uint64_t pc)
{
	enum { INLINED_MAX = 32 };
	struct dc_frame at[INLINED_MAX];
	size_t n = symbols_describe_inlined(session->symbols, pc, at, INLINED_MAX);
	struct function function = { 0 };

	// Of one that only its own unit calls an optimizer keeps no result that nobody needs.
	if (!at[n - 1].function ||
	    !symbols_function_at(session->symbols, pc - at[n - 1].offset, &function) ||
	    function.no_call || (function.is_local && function.is_optimized))
		return NULL;
	return function.type;
}

// The registers that a result is in.
static struct dc_error *read_exit(const struct thread *thread, struct abi_exit *ret)
{
	_cleanup_free_ unsigned char *xstate = calloc(1, XSTATE_ROOM);
	struct user_regs_struct regs;
	size_t size;
	struct dc_error *err = xstate ? registers_get(thread->tracee.tid, &regs)
				      : &dc_out_of_memory;

	if (!err)
		err = registers_get_xstate(thread->tracee.tid, xstate, &size);
	if (err)
		return err;
	*ret = (struct abi_exit){ .rax = regs.rax, .rdx = regs.rdx };
	xstate_take(xstate, size, ret);
	return NULL;
}

static struct dc_error *read_result(struct dc_session *session, const struct thread *thread,
				    const struct type *function, struct value *ret)
{
	const struct typed_call call = { .type = function };
	const struct type *type = type_strip(function)->target;
	_cleanup_free_ unsigned char *memory = NULL;
	struct abi_exit exit;
	bool in_memory = false;
	struct dc_error *err = classify_where(&call, &in_memory);

	*ret = (struct value){ .type = type, .lvalue = LVALUE_NONE };
	if (!err)
		err = read_exit(thread, &exit);
	if (!err && in_memory) {
		memory = malloc(type_strip(type)->size);
		exit.memory = memory;
		err = memory ? memory_read(session->process, exit.rax, memory,
					   type_strip(type)->size)
			     : &dc_out_of_memory;
	}
	return err ? err : classify_result(&call, &exit, &ret->bytes);
}

unsigned returned_remember(struct dc_session *session, const struct thread *thread,
			   const struct type *function)
{
	struct value value;
	unsigned number = 0;
	struct dc_error *err = read_result(session, thread, function, &value);

	if (!err && value.bytes)
		err = variables_remember(session->variables, &value, &number);
	// A type that cannot be told exactly is not told.
	dc_error_destroy(err);
	value_deinit(&value);
	return number;
}
