// SPDX-License-Identifier: MIT
// Go's expressions as trees, and how they come from text. Names are looked up later.
#ifndef DEBUGGER_LANG_GO_AST_H
#define DEBUGGER_LANG_GO_AST_H

#include "debugger/lang/language.h"
#include "debugger/values/number.h"

enum node_kind {
	NODE_NAME, // text
	NODE_PACKAGE, // text: a path that is known
	NODE_NUMBER, // untyped, number
	NODE_STRING, // text, length
	NODE_GIVEN, // number or text: a value that the client had at hand
	NODE_RESULT, // number.i: of result $1; text: of a variable $x
	NODE_SELECTOR, // left.text
	NODE_INDEX, // left[list]
	NODE_SLICE, // left[list[0]:list[1]:list[2]]; NULL: left out
	NODE_ASSERT, // left.(right)
	NODE_CALL, // left(list)
	NODE_UNARY, // op left
	NODE_BINARY, // left op right
	NODE_COMPOSITE, // left{list}; left NULL: its type follows from where it stands
	NODE_KEYED, // left: right, in a composite
	NODE_ASSIGN, // left = right, left op= right
	NODE_TYPE_SLICE, // []left
	NODE_TYPE_ARRAY, // [right]left; right NULL: [...]left
	NODE_TYPE_MAP, // map[left]right
	NODE_TYPE_CHAN, // chan left, text in front: "chan ", "<-chan ", "chan<- "
	NODE_TYPE_FUNC, // func(list), of which the last nr_results are results
	NODE_TYPE_STRUCT, // list of KEYED: name, type; a NULL left is embedded
	NODE_TYPE_INTERFACE, // text: as it is written between the braces
};

enum untyped {
	UNTYPED_NONE,
	UNTYPED_BOOL,
	UNTYPED_INT,
	UNTYPED_RUNE,
	UNTYPED_FLOAT,
	UNTYPED_COMPLEX,
	UNTYPED_STRING,
	UNTYPED_NIL,
};

// What C has no operators for.
enum { OP_AND_NOT = OP_IMAG + 1, OP_RECEIVE };

struct node {
	enum node_kind kind;
	unsigned depth;
	size_t start, end; // in the text
	struct node *left, *right;
	struct node **list;
	size_t nr_list;
	int op; // an enum operation, or one of those above
	bool spreads; // CALL: "..." behind the last argument; TYPE_FUNC: in front of the last parameter
	size_t nr_results;
	enum untyped untyped;
	struct number number;
	const char *text;
	size_t length;
};

// The whole text, with a format in front.
struct dc_error *go_read(struct symbols *symbols, struct expression *expression) DC_CHECK;

// Tokens.
enum token {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_NUMBER,
	TOKEN_STRING,
	TOKEN_DOLLAR, // $1, $x: text behind it
	TOKEN_OPERATOR, // binary or unary: op; and those that assign: is_assigning
	TOKEN_ASSIGN,
	TOKEN_INCREMENT,
	TOKEN_DECREMENT,
	TOKEN_ARROW, // <-
	TOKEN_DOT,
	TOKEN_DOTS,
	TOKEN_COMMA,
	TOKEN_COLON,
	TOKEN_SEMICOLON,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_OPEN_BRACKET,
	TOKEN_CLOSE_BRACKET,
	TOKEN_OPEN_BRACE,
	TOKEN_CLOSE_BRACE,
};

struct lexer {
	struct expression *expression;
	size_t at; // behind the token
	enum token token;
	size_t start;
	size_t last_end; // of the token before
	int op;
	bool is_assigning;
	enum untyped untyped;
	struct number number;
	const char *text; // NAME, DOLLAR, STRING
	size_t length;
};
struct dc_error *go_advance(struct lexer *lexer) DC_CHECK;

// A copy that lives as long as the expression; NULL: out of memory.
const char *go_text(struct expression *expression, const char *text, size_t n);

#endif
