// SPDX-License-Identifier: MIT
// The syntax tree of an expression. Nodes live in the expression's arena and die with it.
// Names are resolved while parsing, because C cannot be parsed without knowing what is a type.
#ifndef DEBUGGER_LANG_C_AST_H
#define DEBUGGER_LANG_C_AST_H

#include "debugger/lang/language.h"
#include "debugger/values/operator.h"

enum node_kind {
	NODE_CONSTANT, // a number or a character
	NODE_STRING,
	NODE_NAME,
	NODE_VARIABLE, // $name, $1, $, $$
	NODE_REGISTER, // $rax
	NODE_UNARY,
	NODE_INCREMENT, // ++ and --, before and after
	NODE_BINARY, // also comparisons and @
	NODE_LOGICAL, // && ||
	NODE_CONDITIONAL,
	NODE_ASSIGN, // also +=
	NODE_COMMA,
	NODE_CAST,
	NODE_SIZEOF, // of an expression; of a type it is a constant
	NODE_MEMBER,
	NODE_INDEX,
	NODE_CALL,
	NODE_OBJECT, // C++: T(1, 2); with a list as its callee T{1, 2}
	NODE_CONVENIENCE, // a call of one of gdb's own functions, $_streq(a, b)
	NODE_LIST, // {1, 2}, an initializer
	NODE_COMPOUND, // (T){1, 2}
	NODE_AT_TYPE, // gdb's {T} address
	NODE_TYPEID, // C++: of an expression, or without one of the type
	NODE_MEMBER_ADDRESS, // C++: &class::name, where that is no object of its own
	NODE_VALUE, // an operand that has been evaluated: never in a tree that was parsed
};

struct node;

// One entry of an initializer list: designators lead to the place, or it is the next one.
struct designator {
	const char *member; // NULL: an index
	uint64_t index;
	struct designator *next;
};
struct item {
	struct designator *designators;
	struct node *value;
	struct item *next;
};

// What a name stands for.
struct resolution {
	enum { NAME_UNKNOWN, NAME_VARIABLE, NAME_FUNCTION, NAME_ENUMERATOR, NAME_CONSTANT } kind;
	bool is_local; // found only with a frame: looked up again with the frame of the moment
	struct variable variable;
	struct function function;
	const struct function *overloads; // FUNCTION: more than one, of which a call chooses
	size_t nr_overloads;
	const struct type *type; // ENUMERATOR, CONSTANT; FUNCTION: from the prototype table
	int64_t value;
};

// What a check found a node to call.
struct chosen {
	bool calls; // an operator or conversion of the program does, whatever the node's kind
	const struct function *function; // NULL: not known before it runs
};

struct node {
	uint8_t kind; // enum node_kind
	uint8_t op; // enum operation
	bool is_prefix; // INCREMENT; TYPEID: only the name is wanted
	bool is_dynamic; // CAST: by what the object is
	bool is_arrow; // MEMBER
	uint16_t depth; // of the recursion that visits the tree below
	uint32_t column;
	struct chosen *chosen; // NULL: it calls nothing
	// CONSTANT, CAST, COMPOUND, AT_TYPE, OBJECT; STRING: of an element; MEMBER_ADDRESS: the class
	const struct type *type;
	union {
		unsigned char constant[32]; // type->size bytes
		struct {
			const char *bytes; // without the final NUL
			size_t size;
		} string;
		struct {
			const char *name; // NAME, VARIABLE, MEMBER_ADDRESS
			struct resolution *what; // NAME
			int64_t number; // VARIABLE without name: >= 0 $n; < 0: 1 - number back
		};
		struct {
			struct node *left, *right, *third;
		};
		struct {
			struct node *object;
			const char *member;
		};
		struct {
			struct node *callee;
			struct node **args;
			size_t nr_args;
		} call;
		const struct value *value;
		struct {
			struct item *items;
			size_t nr_items;
		} list; // LIST, COMPOUND
	};
};

// Deeper trees are refused: the evaluator recurses, and a thread's stack is finite.
enum { NODE_DEPTH_MAX = 500 };

const char *arena_string(struct expression *expression, const char *s, size_t length);
// Fills in the expression's effects.
struct dc_error *effects_find(struct expression *expression) DC_CHECK;

#endif
