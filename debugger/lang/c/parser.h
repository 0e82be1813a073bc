// SPDX-License-Identifier: MIT
// What the rooms of the parser share: the state of one parse.
#ifndef DEBUGGER_LANG_C_PARSER_H
#define DEBUGGER_LANG_C_PARSER_H

#include "debugger/lang/c/ast.h"
#include "debugger/lang/c/basic.h"
#include "debugger/lang/c/lexer.h"

struct dialect;
struct parser {
	const struct dialect *dialect;
	struct lexer lexer;
	struct expression *expression;
	struct symbols *symbols;
	const struct symbols_frame *frame;
	struct basics basics;
	unsigned depth; // of the recursion at this moment
	unsigned nr_expansions; // of macros
};

// Errors at the current token.
struct dc_error *parser_error(struct parser *parser, const char *what) DC_CHECK; // "expected …"
struct dc_error *parser_enter(struct parser *parser) DC_CHECK; // one level deeper, or too deep
static inline void parser_leave(struct parser *parser)
{
	parser->depth--;
}
bool parser_at(const struct parser *parser, enum token_kind kind);
// Advances over the token when it is of that kind.
struct dc_error *parser_accept(struct parser *parser, enum token_kind kind,
			       bool *accepted) DC_CHECK;
struct dc_error *parser_expect(struct parser *parser, enum token_kind kind,
			       const char *text) DC_CHECK;
struct dc_error *parser_node(struct parser *parser, enum node_kind kind, size_t column,
			     struct node **ret) DC_CHECK;
// With one child; parser_adopt() keeps the depth of a node above its children's.
struct dc_error *parser_make_unary(struct parser *parser, enum node_kind kind, enum operation op,
				   size_t column, struct node *operand, struct node **ret) DC_CHECK;
struct dc_error *parser_adopt(struct node *node, const struct node *child) DC_CHECK;
// object.name or object->name; the name lives in the arena.
struct dc_error *parser_member(struct parser *parser, struct node *object, bool is_arrow,
			       const char *name, size_t column, struct node **ret) DC_CHECK;
// (type) operand.
struct dc_error *parser_cast(struct parser *parser, const struct type *type, struct node *operand,
			     size_t column, struct node **ret) DC_CHECK;
// The grammar: a whole expression, one without commas, and a conditional one, as an array's size
// is.
struct dc_error *parser_comma(struct parser *parser, struct node **ret) DC_CHECK;
struct dc_error *parser_assignment(struct parser *parser, struct node **ret) DC_CHECK;
struct dc_error *parser_conditional(struct parser *parser, struct node **ret) DC_CHECK;
// An operand with what stands before it; what stands behind one.
struct dc_error *parser_unary(struct parser *parser, struct node **ret) DC_CHECK;
struct dc_error *parser_postfix(struct parser *parser, struct node *node,
				struct node **ret) DC_CHECK;
// braces.c: at a brace that begins an operand; and behind "(T)": a compound literal, or what is cast.
// "{1, 2}", whatever it begins with.
struct dc_error *parser_list(struct parser *parser, struct node **ret) DC_CHECK;
// Behind "(": a call's arguments; callee NULL: the caller says of what.
struct dc_error *parser_arguments(struct parser *parser, struct node *callee, size_t column,
				  struct node **ret) DC_CHECK;
struct dc_error *parser_brace(struct parser *parser, struct node **ret) DC_CHECK;
struct dc_error *parser_behind_type(struct parser *parser, const struct type *type, size_t column,
				    struct node **ret) DC_CHECK;
// A type by its typedef's or class's name in the program, else one of <stdint.h>; NULL: none.
const struct type *parser_named_type(struct parser *parser, const char *name);

// Types. A type name begins here (may look names up).
bool declarator_begins(struct parser *parser);
struct dc_error *declarator_type_name(struct parser *parser, const struct type **ret) DC_CHECK;
// A whole declaration, "int add(int a, int b)"; *name is allocated in the arena.
struct dc_error *declarator_declaration(struct parser *parser, const struct type **ret,
					const char **name) DC_CHECK;

// The type of an expression that is never run; as_value: as C's operators see it.
struct dc_error *eval_type_of(const struct parser *parser, const struct node *node, bool as_value,
			      const struct type **ret) DC_CHECK;
// The value of a constant expression, such as an array's size.
struct dc_error *eval_constant(const struct parser *parser, const struct node *node,
			       int64_t *ret) DC_CHECK;

#endif
