// SPDX-License-Identifier: MIT
// An expression: parsed and typed once, asked what it would do, evaluated many times.
#ifndef DEBUGGER_LANG_EXPRESSION_H
#define DEBUGGER_LANG_EXPRESSION_H

#include "debugger/values/caller.h"
#include "debugger/values/predicate.h"
#include "debugger/values/variables.h"

// The program whose names an expression uses, who acts for it in the target, and what is kept
// between expressions.
struct environment {
	struct symbols *symbols;
	const struct caller *caller;
	struct variables *variables;
};

// What an evaluation may do, told by the text alone: more than happens where a condition decides,
// never less. The operand of sizeof is not evaluated and counts for nothing.
struct effects {
	// The whole is this one function's name, not called; its type is as it would be called.
	// NULL: it is not.
	const struct function *function;
	bool calls; // functions of the target
	bool is_go; // these take their arguments as Go's do
	bool is_call; // the whole is one call, but for casts
	bool loads; // it calls what may load libraries, whose names are then known
	bool writes; // assigns to an object or register of the target
	bool reads_registers; // by name: $rax
	bool needs_thread; // names errno
	bool needs_frame; // names a local or a thread-local variable
	bool names_plainly; // uses a name other than to call it: a local may be meant
	// The functions that may be called, each once; those that a pointer or a virtual table
	// chooses are not among them, and then there is an unknown one. They live as long as the
	// expression.
	const struct function *const *callees;
	size_t nr_callees;
	bool has_unknown_callee;
};

struct expression;
// frame: where names are looked up; NULL or without pc: nowhere in particular. Columns of errors
// are byte offsets in text. Depth and size are bounded with a clear error.
struct dc_error *expression_parse(const struct environment *environment,
				  const struct symbols_frame *frame, const char *text,
				  size_t length, struct expression **ret) DC_CHECK;
void expression_destroy(struct expression *expression); // NULL is fine

// The expression becomes the call of what it names, with these values (of arithmetic types, or
// string literals) as arguments.
struct dc_error *expression_call(struct expression *expression, const struct value *args,
				 size_t nr_args) DC_CHECK;

// Such a call again, with other values of the same types; whether it is parsed and checked for one
// that is zero, which may be a null pointer, is not to change. False: its language parses it anew.
bool expression_recall(struct expression *expression, const struct value *args);

const char *expression_text(const struct expression *expression);
char expression_format(const struct expression *expression); // of "/x flags"; 0 without
// Those of overloaded functions and of methods are narrowed down by expression_check().
const struct effects *expression_effects(const struct expression *expression);

// Everything that can be known before a thread is stopped: names, types, argument counts,
// prototypes, passability (abi is the ABI's word on one function type, NULL: fine). Reads no
// register, calls nothing.
struct dc_error *expression_check(const struct environment *environment,
				  struct expression *expression,
				  struct dc_error *(*abi)(const struct type *function)) DC_CHECK;
struct dc_error *expression_evaluate(const struct environment *environment,
				     const struct expression *expression,
				     struct value *ret) DC_CHECK;
// Whether what it gives is true, for threads that stand at the place, whose names were looked up: for
// all registers and memory the same answer, or none where evaluating it fails. The parts live in the
// arena. Code REFUSED: not all of it can be said so, and why.
struct dc_error *expression_predicate(const struct environment *environment,
				      const struct expression *expression, uint64_t place,
				      struct arena *arena, const struct predicate **ret) DC_CHECK;

// How values are written: by the language of the expression they came from.
struct language;
const struct language *expression_language(const struct expression *expression);
const char *language_name(const struct language *language); // "C++"
// Whether calls of what is written in its language are known here.
bool language_can_call(const struct function *function);
// format: one of gdb's letters x d u o t z a c f s, or 0. *ret: one line, malloc'd; NULL for void.
// Strings behind char pointers are read (200 characters, then "..."; repeats of more than 10 as
// <repeats N times>).
struct dc_error *value_print(const struct language *language, const struct environment *environment,
			     const struct value *value, char format, char **ret) DC_CHECK;

#endif
