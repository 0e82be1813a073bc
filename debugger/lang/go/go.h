// SPDX-License-Identifier: MIT
// What the rooms of Go's evaluator share. One evaluator checks and runs: objects in memory are read
// in both, which stops nobody; what a call or a register would give has no bytes until it is run.
#ifndef DEBUGGER_LANG_GO_GO_H
#define DEBUGGER_LANG_GO_GO_H

#include "debugger/lang/go/ast.h"
#include "debugger/symbols/go.h"
#include "debugger/values/lvalue.h"

struct context {
	const struct environment *environment;
	struct symbols *symbols;
	struct types *types;
	const struct caller *caller;
	const struct symbols_frame *frame; // names are looked up there; NULL: nowhere
	const char *package; // that names without one are of
	const char *text; // of the expression
	bool runs;
	struct effects *effects; // while it is checked; NULL: nobody asks
	struct expression *expression; // owner of what effects point to
	struct arena arena; // of the values
	struct access access;
	const struct node *whole; // the expression; NULL: nobody asks
	struct placed { // literals of this evaluation
		uint64_t addr, size;
	} placed[64];
	size_t nr_placed;
	bool addresses; // only the address of what is named is wanted
};

enum operand_mode {
	OPERAND_NONE, // of a call without results, an assignment
	OPERAND_UNKNOWN, // not even its type is known before the run
	OPERAND_VALUE,
	OPERAND_CONSTANT, // number, or text and length; type NULL: untyped
	OPERAND_TYPE,
	OPERAND_FUNCTION, // its code is at addr
	OPERAND_METHOD, // the same with its receiver
	OPERAND_BUILTIN, // text
	OPERAND_PACKAGE, // text: its path
	OPERAND_TUPLE, // several results
};

struct operand {
	enum operand_mode mode;
	enum untyped untyped;
	const struct type *type; // FUNCTION, METHOD: of what it takes and returns; may be NULL
	bool is_object; // in memory, at addr
	bool on_stack; // it is a local, or a part of one
	bool to_stack; // its value leads to such a one
	bool has_no_type; // the debug information is silent: type is that of its address
	uint64_t addr;
	const unsigned char *bytes; // as long as the context; NULL: not read, or not known
	struct number number;
	const char *text;
	size_t length;
	const struct function *function; // FUNCTION, METHOD
	uint64_t closure; // FUNCTION: of a function value
	struct operand *list; // TUPLE: its parts; METHOD: the receiver
	size_t nr_list;
	const struct node *node; // what it is written as
};

// ---- type.c ---------------------------------------------------------------------------------------

enum go_kind go_kind(const struct type *type);
const struct type *
go_element(const struct type *type); // of arrays, slices, maps, channels, pointers
bool go_identical(const struct type *a, const struct type *b);
bool go_is_named(const struct type *type);
bool go_is_integer(const struct type *type);
bool go_is_numeric(const struct type *type);
bool go_is_interface(const struct type *type);
bool go_is_eface(const struct type *type); // interface without methods
bool go_is_comparable(const struct type *type);
bool go_is_ordered(const struct type *type);
bool go_has_pointers(const struct type *type);
bool go_is_direct(const struct type *type); // an interface holds it, not its address
uint64_t go_size(const struct type *type);
// By its full name; NULL: the program has none.
const struct type *go_named(struct context *context, const char *name);
// Of the usual ones, "int" …; an error when the program does not even have that.
struct dc_error *go_basic(struct context *context, const char *name,
			  const struct type **ret) DC_CHECK;
// As Go's compiler writes it in messages; lives as long as the context.
const char *go_spelling(struct context *context, const struct type *type);
// What a node that stands for a type is; NULL in *ret: it is none.
struct dc_error *go_type_of(struct context *context, const struct node *node,
			    const struct type **ret) DC_CHECK;
struct dc_error *go_need_type(struct context *context, const struct node *node,
			      const struct type **ret) DC_CHECK;
// What leads to a goroutine's stack, which moves when that grows, is not for others to keep.
struct dc_error *go_refuse_to_stack(struct context *context,
				    const struct operand *operand) DC_CHECK;
// The default type of an untyped constant.
struct dc_error *go_default_type(struct context *context, const struct operand *operand,
				 const struct type **ret) DC_CHECK;

// ---- member.c -------------------------------------------------------------------------------------

// operand.name: a field, be it promoted, or a method.
struct dc_error *go_select(struct context *context, const struct node *node,
			   struct operand *operand, const char *name, struct operand *ret) DC_CHECK;
// The method of the type, T.name; of addressable ones (*T).name too.
bool go_find_method(struct context *context, const struct type *type, const char *name,
		    bool *takes_pointer, const struct function **ret);

// ---- name.c ---------------------------------------------------------------------------------------

struct dc_error *go_name(struct context *context, const struct node *node,
			 struct operand *ret) DC_CHECK;
struct dc_error *go_package_member(struct context *context, const struct node *node,
				   const char *package, const char *name,
				   struct operand *ret) DC_CHECK;
// The function of that full name.
struct dc_error *go_function(struct context *context, const struct node *node, const char *name,
			     struct operand *ret, bool *found) DC_CHECK;
// Package and name as symbols have them; lives as long as the context.
const char *go_symbol(struct context *context, const char *package, const char *name);

// ---- evaluate.c -----------------------------------------------------------------------------------

struct dc_error *go_evaluate(struct context *context, const struct node *node,
			     struct operand *ret) DC_CHECK;
// The same with its bytes, where they can be known; a call's only result. hint: what a composite
// without a type is of, NULL.
struct dc_error *go_value(struct context *context, const struct node *node,
			  struct operand *ret) DC_CHECK;
struct dc_error *go_composite(struct context *context, const struct node *node,
			      const struct type *hint, struct operand *ret) DC_CHECK;
struct dc_error *go_composite_pointer(struct context *context, const struct node *node,
				      struct operand *ret) DC_CHECK;
// Why the operand is none; NULL: it is one.
struct dc_error *go_no_value(struct context *context, const struct node *node,
			     const struct operand *operand) DC_CHECK;
struct dc_error *go_index(struct context *context, const struct node *node,
			  struct operand *ret) DC_CHECK;
struct dc_error *go_slice(struct context *context, const struct node *node,
			  struct operand *ret) DC_CHECK;
// An integer that is an index or a length; *known false: only the run tells.
struct dc_error *go_index_value(struct context *context, const struct operand *operand, bool *known,
				int64_t *ret) DC_CHECK;

// ---- object.c -------------------------------------------------------------------------------------

struct dc_error *go_load(struct context *context, struct operand *operand) DC_CHECK;
// Memory of the target, as long as the context.
struct dc_error *go_read_memory(struct context *context, uint64_t addr, uint64_t size,
				const unsigned char **ret) DC_CHECK;
struct dc_error *go_read_word(struct context *context, uint64_t addr, uint64_t *ret) DC_CHECK;
void *go_alloc(struct context *context, uint64_t size); // NULL: out of memory
uint64_t go_word(const struct operand *operand, size_t i); // the i-th eight bytes
struct operand go_object(const struct type *type, uint64_t addr);
struct operand go_bytes(const struct type *type, const unsigned char *bytes); // NULL: not known
// A part of a value, or of the object that it is.
struct operand go_part(const struct operand *whole, const struct type *type, uint64_t offset);
// One scalar as a number, and back.
bool go_number(const struct operand *operand, struct number *ret);
struct dc_error *go_make_number(struct context *context, const struct number *number,
				const struct type *type, struct operand *ret) DC_CHECK;
struct dc_error *go_bool(struct context *context, bool value, struct operand *ret) DC_CHECK;
// What the interface holds; type NULL: nothing. *known false: it is not known before the run.
struct dc_error *go_dynamic(struct context *context, struct operand *operand, bool *known,
			    struct operand *ret) DC_CHECK;
// The name that the runtime has for a type that has none here.
const char *go_runtime_name(struct context *context, uint64_t addr);
// The runtime's name of a type at an offset; NULL: not readable.
const char *go_runtime_text(struct context *context, uint64_t addr);

// ---- constant.c -----------------------------------------------------------------------------------

struct dc_error *go_compute(int op, const struct number *a, const struct number *b,
			    const struct type *type, struct number *ret) DC_CHECK;
bool go_compare_numbers(int op, const struct number *a, const struct number *b);
// Whether the constant is a value of the type, to which it is rounded.
bool go_represents(const struct type *type, struct number *number, const char **why);
void go_wrap(const struct type *type, struct number *number);

// ---- operate.c ------------------------------------------------------------------------------------

struct dc_error *go_binary(struct context *context, const struct node *node,
			   struct operand *ret) DC_CHECK;
struct dc_error *go_binary_of(struct context *context, const struct node *node, int op,
			      struct operand *a, struct operand *b, struct operand *ret) DC_CHECK;
struct dc_error *go_unary(struct context *context, const struct node *node,
			  struct operand *ret) DC_CHECK;
// Go's ==; *known false: only the run tells.
struct dc_error *go_equal(struct context *context, struct operand *a, struct operand *b,
			  bool *known, bool *ret) DC_CHECK;

// ---- convert.c ------------------------------------------------------------------------------------

// As an assignment converts; where: "in argument to main.f". On an error *operand stays.
struct dc_error *go_assign(struct context *context, struct operand *operand,
			   const struct type *type, const char *where) DC_CHECK;
struct dc_error *go_convert(struct context *context, struct operand *operand,
			    const struct type *type) DC_CHECK;
// Between texts and slices; *done false: it is another conversion.
struct dc_error *go_convert_text(struct context *context, struct operand *operand,
				 const struct type *type, bool *done) DC_CHECK;
// Of two FUNCTIONs: they take and give the same.
bool go_same_signature(const struct type *a, const struct type *b);
// An untyped constant as its default type.
struct dc_error *go_settle(struct context *context, struct operand *operand) DC_CHECK;
// Bytes in the target that stay there.
struct dc_error *go_place(struct context *context, const void *bytes, uint64_t size,
			  uint64_t *addr) DC_CHECK;
// Its bytes, for which a text is placed.
struct dc_error *go_ready(struct context *context, struct operand *operand) DC_CHECK;
// Objects, count of them in a row, that may hold pointers.
struct dc_error *go_place_objects(struct context *context, const struct type *type,
				  const void *bytes, uint64_t count, uint64_t *addr) DC_CHECK;
// "x (variable of type int)", as Go's compiler tells of operands.
const char *go_describe(struct context *context, const struct operand *operand);
const char *go_source(struct context *context, const struct node *node);
// The string's bytes, at most so many, which are read. *known false: they are not known.
struct dc_error *go_text_of(struct context *context, struct operand *operand, bool *known,
			    const char **text, uint64_t *length) DC_CHECK;

// ---- map.c ----------------------------------------------------------------------------------------

struct map_walk {
	const struct type *key, *element;
	uint64_t count; // that it says it has
	uint64_t seen;
	// Of Go before 1.24: buckets; since then: tables of groups.
	bool is_swiss;
	uint64_t buckets, old_buckets, nr_buckets, nr_old, bucket, at_bucket, at_slot;
	uint64_t bucket_size, keys_at, elements_at, overflow_at;
	bool in_old, key_is_pointer, element_is_pointer;
	const unsigned char *bytes; // of the bucket or group
	struct swiss *swiss;
};
struct dc_error *go_map_begin(struct context *context, struct operand *map,
			      struct map_walk *ret) DC_CHECK;
// False: that was all.
struct dc_error *go_map_next(struct context *context, struct map_walk *walk, struct operand *key,
			     struct operand *element, bool *more) DC_CHECK;
struct dc_error *go_map_find(struct context *context, struct operand *map, struct operand *key,
			     struct operand *ret, bool *found) DC_CHECK;

// ---- call.c ---------------------------------------------------------------------------------------

struct dc_error *go_call(struct context *context, const struct node *node,
			 struct operand *ret) DC_CHECK;
struct dc_error *go_builtin(struct context *context, const struct node *node, const char *name,
			    struct operand *ret) DC_CHECK;
// What a function value takes and returns; NULL: not known.
const struct type *go_signature(struct context *context, const struct type *type);
// What a value of the type is made of, for the calling convention. False: it cannot be passed.
bool go_classify(const struct type *type, struct go_abi_value *ret);

// ---- print.c --------------------------------------------------------------------------------------

struct dc_error *go_print(const struct language *language, const struct environment *environment,
			  const struct value *value, char format, char **ret) DC_CHECK;
struct dc_error *go_contain(const struct environment *environment, const struct value *value,
			    struct container *ret) DC_CHECK;

#endif
