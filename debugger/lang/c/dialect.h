// SPDX-License-Identifier: MIT
// What a language that is written and evaluated as C is adds to C: its rules are asked where C's end.
// C itself adds nothing; a rule that is NULL is one that the language has not.
#ifndef DEBUGGER_LANG_C_DIALECT_H
#define DEBUGGER_LANG_C_DIALECT_H

#include "debugger/lang/c/invoke.h"
#include "debugger/lang/c/parser.h"
#include "debugger/lang/c/printer.h"

struct dialect {
	// A comparison is a bool, ?: does not promote what it chooses from, and an enum becomes the
	// first integer that holds its values.
	bool has_bool;
	// Where a name ends that begins at start and goes on as no identifier of C does: behind
	// "max<int>". NULL: it does not.
	const char *(*name_end)(struct parser *parser, const char *start);
	// A name that several functions have, of which a call will choose one. false: it is none.
	bool (*resolve_overloads)(struct parser *parser, const char *name, struct resolution *what);
	// What is around the frame's function, innermost last: "ns::C"; malloc'd, NULL: nothing.
	char *(*scope)(struct symbols *symbols, const struct symbols_frame *frame);
	// Other names that one may stand for where the frame is; those that a declaration in its
	// blocks gives come before all but locals.
	size_t (*other_names)(struct symbols *symbols, const struct symbols_frame *frame,
			      const char *name, const char *ret[OTHER_NAMES_MAX]);
	const char *(*declared_name)(struct symbols *symbols, const struct symbols_frame *frame,
				     const char *name);
	// The error for such a name that is not called.
	struct dc_error *(*needs_call)(const struct resolution *what, const char *name);
	// A name that no local has, in a frame: it stays, or becomes a member of what the frame's
	// function is called on.
	struct dc_error *(*implied_member)(struct parser *parser, const char *name, size_t column,
					   struct node **ret);

	// The function of a call by such a name or through an object. *done false: C's rules tell.
	struct dc_error *(*find_callee)(struct context *context, const struct node *node,
					struct call *call, bool *done);
	// The call's result is an object that is made where the caller says: by this the call is
	// run. request NULL: it is only checked.
	struct dc_error *(*call_for_object)(struct context *context, const struct type *type,
					    struct typed_call *request, struct value *ret);
	// The i-th argument, where it is not passed as C passes it. *done false: it is.
	struct dc_error *(*find_argument)(struct context *context, const struct node *node,
					  const struct call *call, size_t i,
					  const struct type_param *param, const char *what,
					  struct value *ret, bool *done);

	// A reference becomes the object that it refers to.
	struct dc_error *(*refer)(struct context *context, struct value *value);
	// An object becomes a reference to it, of the type.
	struct dc_error *(*bind)(struct context *context, struct value *value,
				 const struct type *type, const char *what);
	// Between pointers to objects, whose addresses may differ. Both types are pointers.
	struct dc_error *(*convert_pointer)(struct context *context, struct value *value,
					    const struct type *type);
	// An object that is assigned to one of another type. *done false: it cannot be.
	struct dc_error *(*convert_object)(struct context *context, struct value *value,
					   const struct type *type, bool *done);
	// Brings two pointers that are compared to one type, if there is one for both.
	struct dc_error *(*join_pointers)(struct context *context, struct value *a,
					  struct value *b);
	// A member that the struct has not itself. *found false: nor by the language's rules.
	struct dc_error *(*inherited_member)(struct context *context, const struct value *whole,
					     const char *name, struct value *ret, bool *found);

	// object[index] and *object, also where -> asks for it, of classes. *done false: it has
	// none here.
	struct dc_error *(*index_object)(struct context *context, const struct value *object,
					 struct value *index, struct value *ret, bool *done);
	struct dc_error *(*target_of)(struct context *context, const struct value *object,
				      struct value *ret, bool *done);
	// An operator of the program's own, by what is written for it, where an operand is of a
	// class; node: what asks for it. *done false: there is none, and C's rules hold.
	struct dc_error *(*operate)(struct context *context, const struct node *node,
				    const char *symbol, const struct value *operands, size_t n,
				    struct value *ret, bool *done);
	// A conversion of the class's own: the object becomes a value of the type. *done false: it
	// has none, and the object stays.
	struct dc_error *(*convert_class)(struct context *context, const struct node *node,
					  struct value *object, const struct type *type,
					  bool *done);
	// OBJECT: an object of a class, made of its arguments.
	struct dc_error *(*make_object)(struct context *context, const struct node *node,
					struct value *ret);
	// By what an object is while the program runs: a CAST, and a TYPEID.
	struct dc_error *(*cast_dynamic)(struct context *context, const struct node *node,
					 struct value *ret);
	struct dc_error *(*type_id)(struct context *context, const struct node *node,
				    struct value *ret);
	// A member's name that goes on behind the word: "operator+". NULL: there is none.
	struct dc_error *(*operator_name)(struct parser *parser, const char *word, size_t length,
					  const char **ret);
	// "name(" of a name that is none: a type's, as a cast. *done false: it is no type's.
	struct dc_error *(*type_call)(struct parser *parser, const char *name, size_t column,
				      struct node **ret, bool *done);
	// What begins with a word of the language's own. *done false: it is a name.
	struct dc_error *(*word)(struct parser *parser, struct node **ret, bool *done);

	// Behind &: "class::name" of a member that is in an object, as NODE_MEMBER_ADDRESS. *done
	// false: what follows is an object or a function of its own.
	struct dc_error *(*member_address)(struct parser *parser, size_t column, struct node **ret,
					   bool *done);
	// What such a node is; type: what is wanted, which chooses among methods, or NULL.
	struct dc_error *(*pointer_to_member)(struct context *context, const struct node *node,
					      const struct type *type, struct value *ret);
	// a.*b and a->*b, where b is a pointer to a member.
	struct dc_error *(*member_by_pointer)(struct context *context, const struct node *node,
					      const struct value *object,
					      const struct value *pointer, struct value *ret);
	// Of or to such a pointer; == and != of them.
	struct dc_error *(*convert_member)(struct context *context, struct value *value,
					   const struct type *type, bool is_cast, const char *what);
	struct dc_error *(*compare_members)(struct context *context, enum operation op,
					    const struct value *a, const struct value *b,
					    struct value *ret);

	void (*print_member_pointer)(struct printer *printer, const struct type *type,
				     const unsigned char *bytes);
	void (*print_reference)(struct printer *printer, const struct type *type,
				const unsigned char *bytes);
	// A base class's part of the object with these bytes, behind what separates it from the
	// one before. false: it is not shown here, and nothing was printed.
	bool (*print_base)(struct printer *printer, const struct type_member *base,
			   const unsigned char *bytes, uint64_t addr, const char *separator);
	// What stands before the i-th of the type's parts and is in no object of it. false: nothing.
	bool (*print_statics)(struct printer *printer, const struct type *type, size_t i,
			      const char *separator);
	// An object as what it holds. false: it is to be shown by its members.
	bool (*print_object)(struct printer *printer, const struct type *type,
			     const unsigned char *bytes, uint64_t addr);
	// What stands before an enumerator's name.
	void (*print_enum_scope)(struct printer *printer, const struct type *type);
};

#endif
