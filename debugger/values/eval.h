// SPDX-License-Identifier: MIT
// The evaluator: an expression, a place in the program and a caller in, a value out.
// It reads the target through struct eval_target and never knows which host runs a call.
#ifndef DEBUGGER_VALUES_EVAL_H
#define DEBUGGER_VALUES_EVAL_H

#include "debugger/symbols/symbols.h"
#include "debugger/values/value.h"

// One call, all arguments converted to what is passed (parameters' types, default promotions).
struct eval_call {
	uint64_t addr;
	const char *name; // for messages; NULL when unknown
	const struct type *type; // FUNCTION: result, parameters, variadic
	struct value *args; // bytes filled in
	size_t nr_args;
	bool is_whole; // the expression is this call, but for casts: its value is the call's
};

// What the evaluator needs from the floors above. arg is theirs.
struct eval_target {
	void *arg;
	// Runs the call. ret's type is call->type->target; bytes malloc'd (none for void).
	struct dc_error *(*call)(void *arg, const struct eval_call *call, struct value *ret);
	// Memory of the target that stays valid after the expression, for literals: rw, 16-aligned.
	struct dc_error *(*literal)(void *arg, const void *bytes, size_t n, uint64_t *addr);
	struct dc_error *(*read)(void *arg, uint64_t addr, void *buf, size_t n);
	struct dc_error *(*write)(void *arg, uint64_t addr, const void *buf, size_t n);
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

struct eval_variables; // $name and $1 $2 …
struct eval_variables *eval_variables_create(void);
void eval_variables_destroy(struct eval_variables *variables);

struct expression; // parsed; knows its text for carets
// dc_error columns are byte offsets in text. Depth and size are bounded with a clear error.
struct dc_error *expression_parse(const char *text, size_t length, struct symbols *symbols,
				  const struct symbols_frame *frame,
				  struct expression **ret) DC_CHECK;
void expression_destroy(struct expression *expression);
char expression_format(const struct expression *expression); // of "/x flags"; 0 without
bool expression_calls(const struct expression *expression); // contains a call
bool expression_is_call(const struct expression *expression); // is one as a whole, but for casts
// Needs a frame: names a local, a register or a thread-local variable. May ask more than is so.
bool expression_needs_frame(const struct expression *expression);

// Names something other than as the function of a call: a local may be meant.
bool expression_names_plainly(const struct expression *expression);
// The functions that are called, NULL for one that is not called by name. False when callee was.
bool expression_each_callee(const struct expression *expression,
			    bool (*callee)(const struct function *function, void *arg), void *arg);
// The type and address of the function that the whole expression names, as it would be called;
// NULL: it names none, or one without a known prototype.
const struct type *expression_function(const struct expression *expression, uint64_t *addr);

struct eval {
	struct symbols *symbols;
	const struct eval_target *target;
	struct eval_variables *variables;
};
struct dc_error *eval_expression(struct eval *eval, const struct expression *expression,
				 struct value *ret) DC_CHECK;
// Everything that can be known before a thread is stopped: names, types, argument counts,
// prototypes, passability (abi is the ABI's word on one type, NULL result: fine). Reads no
// register, calls nothing.
struct dc_error *eval_check(struct eval *eval, const struct expression *expression,
			    struct dc_error *(*abi)(const struct type *function)) DC_CHECK;
// Results get a number and stay; the next one is $N.
struct dc_error *eval_remember(struct eval *eval, struct value *value, unsigned *number) DC_CHECK;

#endif
