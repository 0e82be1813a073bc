// SPDX-License-Identifier: MIT
// C types as the target has them: read from DWARF, or made here (pointer to, array of, basic
// types). A type lives as long as the struct types that made it; equal DIEs give the same pointer.
#ifndef DEBUGGER_SYMBOLS_TYPE_H
#define DEBUGGER_SYMBOLS_TYPE_H

#include "debugger/base/error.h"

enum type_kind {
	TYPE_VOID,
	TYPE_BOOL,
	TYPE_INT, // also char types and __int128
	TYPE_FLOAT,
	TYPE_COMPLEX, // of two floats of target's format
	TYPE_ENUM,
	TYPE_POINTER,
	TYPE_REFERENCE, // C++: & and &&; shown and read, passed as a pointer
	TYPE_MEMBER, // C++: a pointer to a member; of a method, whose type has the object first
	TYPE_ARRAY,
	TYPE_VECTOR, // vector_size attribute
	TYPE_STRUCT, // also C++ class
	TYPE_UNION,
	TYPE_FUNCTION,
	TYPE_TYPEDEF,
	TYPE_OPAQUE, // a DWARF type that C cannot hold; name says which
};

enum type_float { FLOAT_NONE, FLOAT_16, FLOAT_32, FLOAT_64, FLOAT_X87, FLOAT_128, FLOAT_OTHER };

// Who compiled a function: compilers differ on how a few types are passed.
enum type_compiler { COMPILER_UNKNOWN, COMPILER_GCC, COMPILER_CLANG };

struct type;

struct type_member {
	const char *name; // NULL for an anonymous struct or union
	const struct type *type;
	uint64_t offset; // bytes, of the storage unit for a bit-field
	// Bit-fields: from offset's lowest bit, little endian. The field ends inside the struct,
	// but type->size bytes from offset may not: read (bit_offset + bit_size + 7) / 8.
	uint32_t bit_offset;
	uint32_t bit_size; // 0: not a bit-field
	bool is_base; // C++ base class
	bool is_embedded; // Go: its fields and methods are the struct's too
	// A virtual base has no fixed offset: it is in the table that the object begins with the
	// address of, so far before that address.
	bool is_virtual;
	uint64_t table_offset;
};

// Where the debug information of a function's code has a parameter when that is entered.
struct param_entry {
	enum {
		PARAM_UNTOLD, // no word about it
		PARAM_NOWHERE, // it is not passed, or not used
		PARAM_REPLACED, // by a constant, or by something else that is passed
		PARAM_REGISTERS,
		PARAM_STACK,
	} place;
	uint64_t registers; // a bit for each DWARF number (psABI figure 3.36)
	int64_t offset; // STACK: from the CFA
};

struct type_param {
	const char *name; // may be NULL
	const struct type *type;
	bool is_result; // Go: returned, not taken
	struct param_entry entry;
};

struct type_enumerator {
	const char *name;
	int64_t value; // as the underlying type's bits, sign-extended
};

// Go's kinds of types, as its compiler numbers them.
enum go_kind {
	GO_NONE, // no type of Go's, or one that its kind tells: a pointer, an array
	GO_BOOL,
	GO_INT,
	GO_INT8,
	GO_INT16,
	GO_INT32,
	GO_INT64,
	GO_UINT,
	GO_UINT8,
	GO_UINT16,
	GO_UINT32,
	GO_UINT64,
	GO_UINTPTR,
	GO_FLOAT32,
	GO_FLOAT64,
	GO_COMPLEX64,
	GO_COMPLEX128,
	GO_ARRAY,
	GO_CHAN, // this and FUNC, INTERFACE, MAP, SLICE, STRING are STRUCTs here
	GO_FUNC,
	GO_INTERFACE,
	GO_MAP,
	GO_POINTER,
	GO_SLICE,
	GO_STRING,
	GO_STRUCT,
	GO_UNSAFE_POINTER,
};

struct type {
	enum type_kind kind;
	enum go_kind go_kind;
	enum type_float format; // FLOAT, COMPLEX
	bool is_const, is_volatile;
	bool is_signed; // INT, ENUM
	bool is_char; // char, signed char, unsigned char: printed with a character
	bool is_incomplete; // declared only; size unknown
	bool is_variadic, is_prototyped; // FUNCTION
	enum type_compiler compiler; // FUNCTION; no part of the type's identity
	// STRUCT, UNION, valid once type_members() has been called for this type: it may as well
	// be packed, for no member's place tells its alignment.
	bool is_align_guessed;
	// The same: it is padded as if it were aligned to more than anything tells; 0: it is not.
	uint32_t padded_align;
	bool is_rvalue; // REFERENCE: &&
	bool is_scoped; // C++ enum class
	bool is_nontrivial; // C++ class that is passed by invisible reference
	bool is_doubtful; // how it is passed is not known for sure
	const char *tag; // "struct", "union", "enum", "class" or NULL
	const char *name; // NULL for a derived or anonymous type
	uint64_t size; // bytes; 0 for void, functions and incomplete types
	uint32_t align; // bytes, power of two; of a struct or what holds one: ask type_align()
	const struct type *target; // pointee, element, return type, typedef's or enum's underlying
	const struct type *class; // MEMBER: whose member it is
	uint64_t count; // ARRAY, VECTOR: elements; UINT64_MAX: not known ([] or variable)
	uint64_t
		go_runtime; // where the program describes it, from runtime.types on; 0: it does not
	// Private to symbols/: where the members come from until they are asked for.
	const void *origin;
	struct types *owner;
};

// The table that owns types. dwarf-less: basic types still work.
struct types;
struct types *types_create(void); // NULL: out of memory
void types_destroy(struct types *types);

// The parts are read when first asked for. The arrays belong to the type.
struct dc_error *type_members(const struct type *type, const struct type_member **ret,
			      size_t *n) DC_CHECK;
struct dc_error *type_params(const struct type *type, const struct type_param **ret,
			     size_t *n) DC_CHECK;
struct dc_error *type_enumerators(const struct type *type, const struct type_enumerator **ret,
				  size_t *n) DC_CHECK;

// C++: the i-th argument of the template that a class was made of; those of a pack count one by one.
struct type_argument {
	const struct type *type;
	bool is_value; // of the type
	int64_t value;
};
bool type_argument(const struct type *class, size_t i, struct type_argument *ret);
// The typedef of that name in the class; NULL: it has none.
const struct type *type_nested(const struct type *class, const char *name);

// Go: the type of a map's keys; of what is in a map, slice or channel. NULL: it has none.
const struct type *type_go_key(const struct type *type);
const struct type *type_go_element(const struct type *type);
// Of a FUNC, without receiver. nr_taken: how many of its parts, as the debug information has them,
// are parameters; UINT32_MAX: as its name says. NULL: they are not known.
const struct type *type_go_signature(const struct type *type, uint32_t nr_taken);

// Whether it is Go's, as a pointer to such a type or an array of them is.
bool type_is_go(const struct type *type);

// In bytes, a power of two; reads the members that decide it.
uint32_t type_align(const struct type *type);
// What its padding would be explained by: it may be as much as that.
uint32_t type_padded_align(const struct type *type);
// Whether it may be less than that, for nothing in the debug information shows it.
bool type_align_is_guessed(const struct type *type);

// The type under typedefs; const and volatile of the outer ones are kept.
const struct type *type_strip(const struct type *type);

// Families; typedefs are looked through.
bool type_is_integer(const struct type *type); // bool, integer, enum
bool type_is_real(const struct type *type); // integer or floating
bool type_is_arithmetic(const struct type *type); // real or complex
bool type_is_scalar(const struct type *type); // arithmetic or pointer
bool type_is_record(const struct type *type); // struct or union
// Bytes, for arrays computed; false when not known.
bool type_size(const struct type *type, uint64_t *ret);

// Basic C types by any spelling that C allows ("unsigned long int", "long unsigned", "__int128",
// "_Bool", "long double", "float _Complex"); NULL when it is none.
const struct type *types_basic(struct types *types, const char *spelling);
// Go's []T; it has the array, len and cap that a slice from the debug information has.
const struct type *types_go_slice(struct types *types, const struct type *element);
// "int", "float64", "string" and so on, for programs that tell no types; NULL: none of these.
const struct type *types_go_basic(struct types *types, const char *name);
// What a text of n bytes is that is in no target: a string whose bytes are the text itself.
const struct type *types_go_text(struct types *types, uint64_t n);
// Those that somebody writes out: "func(int) error", "interface {}".
const struct type *types_go_func(struct types *types, const char *name,
				 const struct type_param *params, size_t n, bool is_variadic);
const struct type *types_go_interface(struct types *types, const char *name, bool is_empty);
// Several results as one value, "(string, error)".
const struct type *types_go_tuple(struct types *types, const struct type *const *parts, size_t n);
// Derived types. NULL: out of memory.
const struct type *types_pointer(struct types *types, const struct type *target);
const struct type *types_reference(struct types *types, const struct type *target,
				   bool is_rvalue); // &&
const struct type *types_member(struct types *types, const struct type *class,
				const struct type *target);
const struct type *types_array(struct types *types, const struct type *element, uint64_t count);
const struct type *types_vector(struct types *types, const struct type *element, uint64_t count);
const struct type *types_qualified(struct types *types, const struct type *type, bool is_const,
				   bool is_volatile);
const struct type *types_function(struct types *types, const struct type *result,
				  const struct type_param *params, size_t n, bool is_variadic,
				  bool is_prototyped);

bool type_equal(const struct type *a, const struct type *b); // compatible, qualifiers ignored
// C spelling: "int (*)(float, struct P *)", "char [4]". With a name: a declaration of it. Go's types
// as Go spells them: "func(float32, *main.P) int", "[4]uint8".
// malloc'd; NULL: out of memory.
char *type_spell(const struct type *type, const char *name) DC_CHECK;

#endif
