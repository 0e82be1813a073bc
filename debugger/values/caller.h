// SPDX-License-Identifier: MIT
// What evaluating needs of the target, given by the floors above: memory, registers, calls. Nobody
// here knows which host runs a call, or whether a thread is stopped for it.
#ifndef DEBUGGER_VALUES_CALLER_H
#define DEBUGGER_VALUES_CALLER_H

#include "debugger/arch/x86_64/go_abi.h"
#include "debugger/symbols/symbols.h"
#include "debugger/values/value.h"

// One call, all arguments converted to what is passed (parameters' types, default promotions).
struct typed_call {
	uint64_t addr;
	const char *name; // for messages; NULL when unknown
	const struct type *type; // FUNCTION: result, parameters, variadic
	struct value *args; // bytes filled in
	size_t nr_args;
	bool is_whole; // the expression is this call, but for casts: its value is the call's
	bool is_cast; // whole, and there are casts
	bool has_objects; // among its arguments or as its result: those of one call serve for no other
	uint64_t
		result_at; // where the callee puts an object, whose class says how it is made; else 0
};

// arg is the caller's own.
struct caller {
	void *arg;
	// The error for a function whose code does not take its arguments where the calling
	// convention puts them. NULL: nothing shows that.
	struct dc_error *(*refuses)(void *arg, const struct function *function);
	// Runs the call. ret's type is call->type->target; bytes malloc'd (none for void).
	struct dc_error *(*call)(void *arg, const struct typed_call *call, struct value *ret);
	// The same of a function of Go's; name is for messages. is_whole: the expression is this call.
	// ret->stack is malloc'd.
	struct dc_error *(*call_go)(void *arg, uint64_t addr, const char *name,
				    const struct go_abi_entry *entry, bool is_whole,
				    struct go_abi_exit *ret);
	// Memory of the target that stays valid after the expression, for literals: rw, 16-aligned.
	struct dc_error *(*literal)(void *arg, const void *bytes, size_t n, uint64_t *addr);
	struct dc_error *(*read)(void *arg, uint64_t addr, void *buf, size_t n);
	struct dc_error *(*write)(void *arg, uint64_t addr, const void *buf, size_t n);
	// Room for an object until the expression is over. NULL: objects cannot be made here.
	struct dc_error *(*room)(void *arg, const struct type *type, uint64_t *addr);
	// The object is ended by the destructor when the expression is over, the last one first.
	struct dc_error *(*end_later)(void *arg, uint64_t addr, const struct function *destructor,
				      const struct type *type);
	// General and vector registers by gdb's names ("rax", "eflags", "xmm0" …) of the chosen
	// frame.
	struct dc_error *(*read_register)(void *arg, const char *name, struct types *types,
					  struct value *ret);
	struct dc_error *(*write_register)(void *arg, const char *name, const struct value *value);
	// Reads nothing. NULL: no such register on this machine, or out of memory.
	const struct type *(*register_type)(void *arg, const char *name, struct types *types);
	// The chosen frame; a frame without pc when no thread is borrowed and none is needed.
	struct dc_error *(*frame)(void *arg, struct symbols_frame *ret);
	uint64_t (*fs_base)(void *arg);
	// Runs an IFUNC's resolver in the target, which the user named by naming the function.
	struct dc_error *(*resolve_ifunc)(void *arg, const struct function *function,
					  uint64_t *addr);
};

#endif
