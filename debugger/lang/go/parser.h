// SPDX-License-Identifier: MIT
// A text of Go that is being read: for the two files that hold the grammar.
#ifndef DEBUGGER_LANG_GO_PARSER_H
#define DEBUGGER_LANG_GO_PARSER_H

#include "debugger/lang/go/ast.h"

#include <string.h>

struct parser {
	struct lexer lexer;
	struct symbols *symbols;
	unsigned depth;
};

struct list {
	struct node **node;
	size_t n, room;
};

static inline bool at(const struct parser *parser, enum token token)
{
	return parser->lexer.token == token;
}

static inline bool at_operator(const struct parser *parser, int op)
{
	return at(parser, TOKEN_OPERATOR) && parser->lexer.op == op && !parser->lexer.is_assigning;
}

static inline bool at_word(const struct parser *parser, const char *word)
{
	return at(parser, TOKEN_NAME) && !strcmp(parser->lexer.text, word);
}

static inline void end(struct parser *parser, struct node *node)
{
	node->end = parser->lexer.last_end;
}

static inline void keep(struct node *node, const struct list *list)
{
	node->list = list->node;
	node->nr_list = list->n;
}

static inline struct dc_error *go_parse_advance(struct parser *parser)
{
	return go_advance(&parser->lexer);
}

// What is not there; it would be here.
struct dc_error *go_parse_expected(struct parser *parser, const char *what) DC_CHECK;
// The token, which must be there, is passed.
struct dc_error *go_parse_take(struct parser *parser, enum token token, const char *what) DC_CHECK;
// A node that begins at start, in the expression's arena; append: in the list, which is there, too.
struct dc_error *go_parse_make(struct parser *parser, enum node_kind kind, size_t start,
			       struct node **ret) DC_CHECK;
struct dc_error *go_parse_append(struct parser *parser, struct list *list,
				 struct node *node) DC_CHECK;

struct dc_error *go_parse_expression(struct parser *parser, struct node **ret) DC_CHECK;
struct dc_error *go_parse_type(struct parser *parser, struct node **ret) DC_CHECK;
// One that its first token shows to be a type: func, map, [] and so on; <-chan is read by the second,
// and may be an operator's beginning.
bool go_begins_written_type(const struct parser *parser);
struct dc_error *go_parse_written_type(struct parser *parser, struct node **ret) DC_CHECK;

#endif
