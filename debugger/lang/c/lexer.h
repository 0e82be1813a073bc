// SPDX-License-Identifier: MIT
// Tokens of a C expression. A lexer is a plain value: copy it to look ahead, assign it to go back.
#ifndef DEBUGGER_LANG_C_LEXER_H
#define DEBUGGER_LANG_C_LEXER_H

#include "debugger/base/error.h"

// Longest spelling first among those that share a beginning.
#define PUNCTUATORS(X)       \
	X(SHL_ASSIGN, "<<=") \
	X(SHR_ASSIGN, ">>=") \
	X(ELLIPSIS, "...")   \
	X(ARROW_STAR, "->*") \
	X(ARROW, "->")       \
	X(INC, "++")         \
	X(DEC, "--")         \
	X(SHL, "<<")         \
	X(SHR, ">>")         \
	X(LE, "<=")          \
	X(GE, ">=")          \
	X(EQ, "==")          \
	X(NE, "!=")          \
	X(AND_AND, "&&")     \
	X(OR_OR, "||")       \
	X(MUL_ASSIGN, "*=")  \
	X(DIV_ASSIGN, "/=")  \
	X(MOD_ASSIGN, "%=")  \
	X(ADD_ASSIGN, "+=")  \
	X(SUB_ASSIGN, "-=")  \
	X(AND_ASSIGN, "&=")  \
	X(XOR_ASSIGN, "^=")  \
	X(OR_ASSIGN, "|=")   \
	X(SCOPE, "::")       \
	X(DOT_STAR, ".*")    \
	X(LPAREN, "(")       \
	X(RPAREN, ")")       \
	X(LBRACKET, "[")     \
	X(RBRACKET, "]")     \
	X(LBRACE, "{")       \
	X(RBRACE, "}")       \
	X(DOT, ".")          \
	X(COMMA, ",")        \
	X(QUESTION, "?")     \
	X(COLON, ":")        \
	X(ASSIGN, "=")       \
	X(PLUS, "+")         \
	X(MINUS, "-")        \
	X(STAR, "*")         \
	X(SLASH, "/")        \
	X(PERCENT, "%")      \
	X(AMP, "&")          \
	X(PIPE, "|")         \
	X(CARET, "^")        \
	X(TILDE, "~")        \
	X(NOT, "!")          \
	X(LT, "<")           \
	X(GT, ">")           \
	X(AT, "@")

enum token_kind {
	TOKEN_END,
	TOKEN_NUMBER, // integer or floating, not yet read
	TOKEN_CHAR, // with its prefix and quotes
	TOKEN_STRING,
	TOKEN_NAME,
	TOKEN_DOLLAR, // $ and what follows it
#define X(name, text) TOKEN_##name,
	PUNCTUATORS(X)
#undef X
};

struct token {
	enum token_kind kind;
	const char *start; // in the lexer's text
	size_t length;
};

struct lexer {
	const char *text;
	size_t size, next; // next: offset behind the token
	struct token token; // the current one
	// The text begins with so much of what a macro stands for, whose name was there in the text
	// that the user wrote; what follows was here.
	size_t spliced, spliced_column, rest_column;
};

// The whole text must be UTF-8 without NULs, and of bounded size; code SYNTAX with a column.
struct dc_error *lexer_init(struct lexer *lexer, const char *text, size_t size) DC_CHECK;
struct dc_error *lexer_advance(struct lexer *lexer) DC_CHECK;
size_t lexer_column(const struct lexer *lexer);
bool token_is(const struct token *token, const char *word); // a NAME that is this word

#endif
