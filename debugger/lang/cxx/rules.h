// SPDX-License-Identifier: MIT
// What C++ adds to C, by the rooms that hold it: references, classes, overloads, names, printing.
// What each does is told where C asks for it, in dialect.h.
#ifndef DEBUGGER_LANG_CXX_RULES_H
#define DEBUGGER_LANG_CXX_RULES_H

#include "debugger/lang/c/dialect.h"
#include "debugger/lang/container.h"

// reference.c
struct dc_error *reference_follow(struct context *context, struct value *value) DC_CHECK;
struct dc_error *reference_bind(struct context *context, struct value *value,
				const struct type *type, const char *what) DC_CHECK;

// class.c
bool class_has_base(struct context *context, const struct type *class, const struct type *base);
// By how many steps; 0: it is no base.
unsigned class_distance(struct context *context, const struct type *class, const struct type *base);
// A pointer to the class, or what a reference to it holds, becomes one to its base.
struct dc_error *class_to_base(struct context *context, struct value *pointer,
			       const struct type *class, const struct type *base) DC_CHECK;
struct dc_error *class_convert_pointer(struct context *context, struct value *value,
				       const struct type *type) DC_CHECK;
struct dc_error *class_convert_object(struct context *context, struct value *value,
				      const struct type *type, bool *done) DC_CHECK;
struct dc_error *class_join_pointers(struct context *context, struct value *a,
				     struct value *b) DC_CHECK;
struct dc_error *class_inherited_member(struct context *context, const struct value *whole,
					const char *name, struct value *ret, bool *found) DC_CHECK;
// A static one has a name of its own, with its class's before it.
struct dc_error *class_find_static(struct symbols *symbols, const struct type *class,
				   const char *name, struct variable *ret, bool *found) DC_CHECK;
// "Base::name" of the object: what of it is the base, and the name alone.
struct dc_error *class_qualified(struct context *context, const struct value *object,
				 const char *member, const char **name, struct value *ret) DC_CHECK;
bool class_has_member(struct context *context, const struct type *class, const char *name);

// method.c
struct dc_error *method_find_callee(struct context *context, const struct node *node,
				    struct call *call, bool *done) DC_CHECK;
// The methods of that name in the class, or else in its bases; n is 0 when there are none.
struct dc_error *method_search(struct context *context, const struct type *class, const char *name,
			       const struct method **ret, size_t *n) DC_CHECK;
struct dc_error *method_find_argument(struct context *context, const struct node *node,
				      const struct call *call, size_t i,
				      const struct type_param *param, const char *what,
				      struct value *ret, bool *done) DC_CHECK;

// overload.c
struct dc_error *overload_needs_call(const struct resolution *what, const char *name) DC_CHECK;
// The function of a call by an overloaded name. NULL in *ret: that takes a run.
struct dc_error *overload_choose(struct context *context, const struct node *call,
				 const struct function **ret) DC_CHECK;
// The same among the methods of that name, called on the object.
struct dc_error *overload_choose_method(struct context *context, const struct node *call,
					const struct value *object, const struct method *list,
					size_t n, const struct method **ret) DC_CHECK;

// The same among functions that are called with all of the call's arguments: which of the list. methods[i]: NULL,
// or what makes the first argument its object.
struct dc_error *overload_choose_among(struct context *context, const struct node *call,
				       const char *name, const struct function *const *list,
				       const struct method *const *methods, size_t n,
				       size_t *ret) DC_CHECK;

// The same among constructors of the class. NULL in *ret: that takes a run.
struct dc_error *overload_choose_constructor(struct context *context, const struct node *call,
					     const struct type *class, const struct method *list,
					     size_t n, const struct method **ret) DC_CHECK;

// operators.c
struct dc_error *operators_name(struct parser *parser, const char *word, size_t length,
				const char **ret) DC_CHECK;
struct dc_error *operators_apply(struct context *context, const struct node *node,
				 const char *symbol, const struct value *operands, size_t n,
				 struct value *ret, bool *done) DC_CHECK;
struct dc_error *operators_convert(struct context *context, const struct node *node,
				   struct value *object, const struct type *type,
				   bool *done) DC_CHECK;

// Whether the object's class has one conversion to the type that need not be asked for.
bool operators_converts(struct context *context, const struct value *object,
			const struct type *type);

// By an operator of just that name. *done false: the program has none for these.
struct dc_error *operators_own(struct context *context, const struct node *node, const char *symbol,
			       const struct value *operands, size_t n, struct value *ret,
			       bool *done) DC_CHECK;

// rewritten.c: operators that the program has not, by others that it has.
struct dc_error *rewritten_apply(struct context *context, const struct node *node,
				 const char *symbol, const struct value *operands,
				 struct value *ret, bool *done) DC_CHECK;
// == and != of two std::type_infos, whose operator is rarely more than inlined code.
struct dc_error *rewritten_type_info(struct context *context, const char *symbol,
				     const struct value *operands, struct value *ret,
				     bool *done) DC_CHECK;

// member_pointer.c
struct dc_error *member_pointer_address(struct parser *parser, size_t column, struct node **ret,
					bool *done) DC_CHECK;
struct dc_error *member_pointer_make(struct context *context, const struct node *node,
				     const struct type *type, struct value *ret) DC_CHECK;
// Whether what such a node is may be had as that type.
bool member_pointer_fits(struct context *context, const struct node *node, const struct type *type);
struct dc_error *member_pointer_convert(struct context *context, struct value *value,
					const struct type *type, bool is_cast,
					const char *what) DC_CHECK;
struct dc_error *member_pointer_compare(struct context *context, enum operation op,
					const struct value *a, const struct value *b,
					struct value *ret) DC_CHECK;
struct dc_error *member_pointer_apply(struct context *context, const struct node *node,
				      const struct value *object, const struct value *pointer,
				      struct value *ret) DC_CHECK;
// Of (a.*b)(). *done false: it is no method; what it is stands in call->callee.
struct dc_error *member_pointer_callee(struct context *context, const struct node *callee,
				       struct call *call, bool *done) DC_CHECK;
void member_pointer_print(struct printer *printer, const struct type *type,
			  const unsigned char *bytes);

// implied.c
struct dc_error *implied_member(struct parser *parser, const char *name, size_t column,
				struct node **ret) DC_CHECK;

// qualified.c
const char *qualified_name_end(struct parser *parser, const char *start);
bool qualified_resolve(struct parser *parser, const char *name, struct resolution *what);

// library.c
struct dc_error *library_container(const struct environment *environment, const struct value *value,
				   struct container *ret) DC_CHECK;

// library_access.c
struct dc_error *library_index(struct context *context, const struct value *object,
			       struct value *index, struct value *ret, bool *done) DC_CHECK;
struct dc_error *library_target(struct context *context, const struct value *object,
				struct value *ret, bool *done) DC_CHECK;

// named_cast.c
struct dc_error *named_cast(struct parser *parser, struct node **ret, bool *done) DC_CHECK;
struct dc_error *named_cast_of_type(struct parser *parser, const char *name, size_t column,
				    struct node **ret, bool *done) DC_CHECK;

// temporary.c
bool temporary_is_wanted(struct context *context, const struct type *param);
// An argument that is an object of its own, made of what the node is.
struct dc_error *temporary_argument(struct context *context, const struct node *node,
				    const struct type *type, const char *what,
				    struct value *ret) DC_CHECK;
struct dc_error *temporary_result(struct context *context, const struct type *type,
				  struct typed_call *request, struct value *ret) DC_CHECK;

// Room for an object, and what ends it; then, once it is made, that this is done.
struct dc_error *temporary_begin(struct context *context, const struct type *type,
				 struct function *end, struct value *ret) DC_CHECK;
struct dc_error *temporary_end(struct context *context, const struct type *type, uint64_t addr,
			       const struct function *end) DC_CHECK;

// construct.c
// OBJECT: T(a, b) and T{a, b}.
struct dc_error *construct_object(struct context *context, const struct node *node,
				  struct value *ret) DC_CHECK;
// Whether the parameter takes what is made of the argument, whose type alone is known.
bool construct_fits(struct context *context, const struct node *node, const struct value *arg,
		    const struct type *param);
// *done false: the argument is taken as it is, or not at all.
struct dc_error *construct_argument(struct context *context, const struct node *node,
				    const struct type *param, const char *what, struct value *ret,
				    bool *done) DC_CHECK;

// text_argument.c
bool text_argument_fits(struct context *context, const struct node *node, const struct type *param);
struct dc_error *text_argument(struct context *context, const struct node *node,
			       const struct type *param, struct value *ret) DC_CHECK;

// dynamic_type.c
struct dc_error *dynamic_type_cast(struct context *context, const struct node *node,
				   struct value *ret) DC_CHECK;
struct dc_error *dynamic_type_id(struct context *context, const struct node *node,
				 struct value *ret) DC_CHECK;

// print_library.c
bool library_print(struct printer *printer, const struct type *type, const unsigned char *bytes,
		   uint64_t addr);

// print_class.c
void class_print_reference(struct printer *printer, const struct type *type,
			   const unsigned char *bytes);
bool class_print_base(struct printer *printer, const struct type_member *base,
		      const unsigned char *bytes, uint64_t addr, const char *separator);
bool class_print_statics(struct printer *printer, const struct type *type, size_t i,
			 const char *separator);
void class_print_enum_scope(struct printer *printer, const struct type *type);

#endif
