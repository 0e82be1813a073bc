// SPDX-License-Identifier: MIT
// What the rooms of C's evaluator share. One evaluator serves three purposes: to run, to check
// before a run, and to find a type; in the last two nothing in the target is read or changed, and a
// value that is not known has a type but no bytes.
#ifndef DEBUGGER_LANG_C_EVALUATOR_H
#define DEBUGGER_LANG_C_EVALUATOR_H

#include "debugger/lang/c/ast.h"
#include "debugger/lang/c/basic.h"
#include "debugger/values/part.h"

enum eval_mode {
	EVAL_RUN,
	EVAL_CHECK, // constants are computed, so that 1/0 is found
	EVAL_TYPE, // of what C does not evaluate: sizeof, the branch not taken
};

struct dialect;
struct context {
	const struct dialect *dialect;
	enum eval_mode mode;
	struct access access; // without a caller for constant expressions
	struct variables *variables; // NULL for constant expressions
	struct basics basics;
	bool has_bool; // as the dialect has it, where the program is written in it
	struct dc_error *(*abi)(const struct type *function); // CHECK
	const struct node *whole; // RUN: the expression without its outermost casts
	bool is_cast; // there are such
	bool is_converting; // an object is made of an argument, before which nothing else is made of it
	bool saw_variable; // $name was read: what was found out of types holds for now only
};
struct dc_error *context_init(struct context *context, const struct dialect *dialect,
			      enum eval_mode mode, const struct environment *environment) DC_CHECK;

// The type of a value whose type is known only when it runs: $ of a call that is not yet made.
extern const struct type type_unknown;
static inline bool value_unknown(const struct value *value)
{
	return value->type == &type_unknown;
}

// evaluator.c: a node as C's lvalue, function designator or value; then as an operand (rvalue).
struct dc_error *eval_node(struct context *context, const struct node *node,
			   struct value *ret) DC_CHECK;
struct dc_error *eval_operand(struct context *context, const struct node *node,
			      struct value *ret) DC_CHECK;
// It is of a class, or refers to one, and the language lets the program define its operators.
bool eval_is_object(const struct context *context, const struct value *value);
// A condition: *known is false when that takes a run.
struct dc_error *eval_truth(struct context *context, const struct node *node, bool *known,
			    bool *ret) DC_CHECK;

// assign.c: "a = b", "a += b", "++a" and "a++".
struct dc_error *eval_assign(struct context *context, const struct node *node,
			     struct value *ret) DC_CHECK;
struct dc_error *eval_increment(struct context *context, const struct node *node,
				struct value *ret) DC_CHECK;

// object.c: objects, read when their value is needed.
// The error for an object without debug information, where its type would count.
struct dc_error *object_untyped(const struct value *value) DC_CHECK;
struct dc_error *object_load(struct context *context, struct value *value) DC_CHECK;
// new: of value's type. The value then has its bytes.
struct dc_error *object_store(struct context *context, struct value *value,
			      const struct value *new) DC_CHECK;
// A pointer to the value; literals are put into the target for it.
struct dc_error *object_address(struct context *context, const struct value *value,
				struct value *ret) DC_CHECK;
// The value that a pointer points to, not yet read.
struct dc_error *object_dereference(struct context *context, const struct value *pointer,
				    struct value *ret) DC_CHECK;
// Part of an object: an element or member.
struct dc_error *object_part(struct context *context, const struct value *whole,
			     const struct type *type, uint64_t offset, struct value *ret) DC_CHECK;
// An object, reached through a pointer or reference where there is one; arrow: the node that asks
// for that by ->, NULL: by a dot.
struct dc_error *object_reach(struct context *context, struct value *value,
			      const struct node *arrow) DC_CHECK;
// The member by name, also inside anonymous ones; offset grows by what those are at.
struct dc_error *object_find_member(struct context *context, const struct type *type,
				    const char *name, uint64_t *offset, struct type_member *ret,
				    bool *found) DC_CHECK;
struct dc_error *object_member(struct context *context, const struct value *whole, const char *name,
			       struct value *ret) DC_CHECK;
// The object that a variable is, not yet read.
struct dc_error *object_variable(struct context *context, const struct variable *variable,
				 struct value *ret) DC_CHECK;
struct dc_error *object_name(struct context *context, const struct node *node,
			     struct value *ret) DC_CHECK;

// convert.c. These change the value in place; on error it is still to be deinitialised.
struct dc_error *convert_rvalue(struct context *context, struct value *value) DC_CHECK;
// A reference becomes the object that it refers to; all else stays.
struct dc_error *convert_referred(struct context *context, struct value *value) DC_CHECK;
// As an assignment converts; what: "argument 1 of 'add'" for messages.
struct dc_error *convert_assign(struct context *context, struct value *value,
				const struct type *type, const char *what) DC_CHECK;
struct dc_error *convert_cast(struct context *context, struct value *value,
			      const struct type *type) DC_CHECK;
const struct type *convert_promoted(const struct context *context, const struct value *value);
const struct type *convert_common(const struct context *context, const struct value *a,
				  const struct value *b); // arithmetic; NULL: there is none
// The same struct, also when one unit only declares it.
bool convert_same_object(struct context *context, const struct type *a, const struct type *b);
// The error for a conversion that there is not.
struct dc_error *convert_refused(const struct value *value, const struct type *type,
				 const char *what) DC_CHECK;
// Of scalars; bytes become type's, when they are known.
struct dc_error *convert_scalar(struct value *value, const struct type *type) DC_CHECK;

// operate.c. Operands are rvalues.
struct dc_error *operate_binary(struct context *context, enum operation op, const struct value *a,
				const struct value *b, struct value *ret) DC_CHECK;
struct dc_error *operate_unary(struct context *context, enum operation op, const struct value *a,
			       struct value *ret) DC_CHECK;
const char *operator_text(enum operation op);
// Bytes from one element that a pointer points to, to the next.
struct dc_error *operate_step_size(struct context *context, const struct type *pointer,
				   uint64_t *ret) DC_CHECK;
// The type of comparisons, !, && and ||.
const struct type *truth_type(const struct context *context);
struct dc_error *make_truth(struct context *context, bool truth, struct value *ret) DC_CHECK;
struct dc_error *make_integer(struct context *context, enum basic basic, uint64_t i,
			      struct value *ret) DC_CHECK;
// The integer in a known value; code TYPE when it is none, VALUE when it is not known.
struct dc_error *value_integer(const struct value *value, int64_t *ret) DC_CHECK;

// initializer.c: {1, 2} as a value of the type, and without one as an array.
struct dc_error *initialize(struct context *context, const struct node *list,
			    const struct type *type, struct value *ret) DC_CHECK;
struct dc_error *initialize_array(struct context *context, const struct node *list,
				  struct value *ret) DC_CHECK;
// A node where a value of the type is wanted: lists become it, all else is converted.
struct dc_error *initialize_from(struct context *context, const struct node *node,
				 const struct type *type, const char *what,
				 struct value *ret) DC_CHECK;

#endif
