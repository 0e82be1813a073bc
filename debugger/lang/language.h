// SPDX-License-Identifier: MIT
// A language: how its expressions are read and evaluated, how its types and values are written.
#ifndef DEBUGGER_LANG_LANGUAGE_H
#define DEBUGGER_LANG_LANGUAGE_H

#include "debugger/base/arena.h"
#include "debugger/lang/expression.h"

struct container;
struct node; // of the tree, which is the language's own

struct expression {
	const struct language *language;
	struct node *root;
	char *text;
	size_t size;
	struct symbols *symbols;
	struct arena arena; // owns the nodes
	struct effects effects;
	struct symbols_frame frame; // where names are looked up, for languages that do so later
	char format;
};

// One that has no functions is not read here, and what is written in it is not called.
struct dialect;
struct language {
	const char *name; // as its users write it: "C++"
	enum source_language source;
	const struct dialect *dialect; // what it adds to C, for those that are written as C is
	// Fills in root, effects and format from the text. Names are looked up from the frame.
	struct dc_error *(*parse)(const struct environment *environment,
				  const struct symbols_frame *frame, struct expression *expression);
	// What expression_call(), expression_check() and expression_evaluate() promise.
	struct dc_error *(*call)(struct expression *expression, const struct value *args,
				 size_t nr_args);
	// What expression_recall() promises.
	void (*recall)(struct expression *expression, const struct value *args);
	struct dc_error *(*check)(const struct environment *environment,
				  struct expression *expression,
				  struct dc_error *(*abi)(const struct type *function));
	struct dc_error *(*evaluate)(const struct environment *environment,
				     const struct expression *expression, struct value *ret);
	// What expression_predicate() promises; NULL: it is never one.
	struct dc_error *(*predicate)(const struct environment *environment,
				      const struct expression *expression, uint64_t place,
				      struct arena *arena, const struct predicate **ret);
	// The type as declarations have it, of the name if there is one. malloc'd; NULL: out of
	// memory.
	char *(*spell)(const struct type *type, const char *name);
	// What container_read() promises; NULL: there are no containers.
	struct dc_error *(*contain)(const struct environment *environment,
				    const struct value *value, struct container *ret);
	// What value_print() promises.
	struct dc_error *(*print)(const struct language *language,
				  const struct environment *environment, const struct value *value,
				  char format, char **ret);
};
extern const struct language language_c, language_cxx, language_go;

// What expressions are read as in the frame; without one, as in the program.
const struct language *language_at(struct symbols *symbols, const struct symbols_frame *frame);
// Why the function cannot be called as one of C's; NULL: it can. Code REFUSED.
struct dc_error *language_refuses(const struct function *function) DC_CHECK;

#endif
