// SPDX-License-Identifier: MIT
// Names in an expression: what they stand for, and those behind a dollar.
#include "debugger/lang/c/name.h"

#include "debugger/base/cleanup.h"
#include "debugger/arch/x86_64/registers.h"
#include "debugger/lang/c/constants.h"
#include "debugger/lang/c/dialect.h"
#include "debugger/lang/c/macro.h"
#include "debugger/lang/c/prototypes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The search is slow, so it is made only when the error is certain.
struct dc_error *name_suggest(struct symbols *symbols, const char *name, struct dc_error *err)
{
	const char *suggestion = symbols_suggest(symbols, name);

	return suggestion ? error_note(err, "did you mean '%s'?", suggestion) : err;
}

struct dc_error *name_unknown(struct symbols *symbols, const char *name)
{
	struct dc_error *err = name_suggest(
		symbols, name, error_make(DC_NAME, "no symbol '%s' in the program", name));
	const char *why = symbols_why_unknown(symbols);

	if (!strcmp(name, "print") || !strcmp(name, "call") || !strcmp(name, "p"))
		err = error_note(err,
				 "an expression is one word of the command line, given "
				 "without gdb's '%s'",
				 name);
	return why ? error_note(err, "%s", why) : err;
}

// gdb's function::variable: a static variable of a function, as seen from its first instruction.
// file NULL: whichever has the function.
static bool resolve_static(struct symbols *symbols, const char *file, const char *name,
			   struct resolution *what)
{
	static const struct symbols_frame nowhere;
	const char *colons = memrchr(name, ':', strlen(name));
	struct symbols_frame here = { 0 }, there;
	struct function function;
	struct variable moved;

	if (!colons || colons < name + 2)
		return false;

	const struct type *class = NULL;
	_cleanup_free_ char *scope = strndup(name, colons - 1 - name);
	_cleanup_error_ struct dc_error *no_class = scope ? symbols_lookup_type(symbols, &nowhere,
										NULL, scope, &class)
							  : &dc_out_of_memory;

	// What is said to be in a class is in none of its constructors, which have its name.
	if (!no_class && class && type_is_record(class))
		return false;

	_cleanup_error_ struct dc_error *no_function =
		!scope ? &dc_out_of_memory
		: file ? symbols_function_in_file(symbols, file, scope, &function)
		       : symbols_lookup_function(symbols, &nowhere, scope, &function);

	if (no_function)
		return false;
	here.pc = function.addr;
	there = here;
	there.cfa = 4096;

	_cleanup_error_ struct dc_error *no_variable = symbols_lookup_variable(
		symbols, &here, colons + 1, &what->variable);
	_cleanup_error_ struct dc_error *not_again = symbols_lookup_variable(symbols, &there,
									     colons + 1, &moved);

	// One that moves with the frame is a local, of which there may be many or none.
	if (no_variable || not_again || what->variable.place != VARIABLE_MEMORY ||
	    moved.place != VARIABLE_MEMORY || moved.addr != what->variable.addr)
		return false;
	what->kind = NAME_VARIABLE;
	return true;
}

static bool in_program(struct symbols *symbols, const struct module *module)
{
	const struct module *const *modules;

	return symbols_modules(symbols, &modules) > 0 && module == modules[0];
}

static void take_function(struct parser *parser, struct resolution *what)
{
	struct function *function = &what->function;

	what->kind = NAME_FUNCTION;
	if (!function->type)
		function->type = prototype_find(parser, function);
	// Only now: a library's debug file is slow to open.
	if (!function->type)
		symbols_function_type(parser->symbols, function);
	what->type = function->type;
}

// What headers define, and so no debug information names.
static void take_constant(struct parser *parser, const char *name, struct resolution *what)
{
	what->kind = NAME_CONSTANT;
	what->type = parser->basics.list[BASIC_BOOL];
	if (strcmp(name, "true") == 0) {
		what->value = 1;
	} else if (strcmp(name, "NULL") == 0 || strcmp(name, "nullptr") == 0) {
		what->type = types_pointer(parser->basics.types, parser->basics.list[BASIC_VOID]);
	} else if (strcmp(name, "false") != 0) {
		what->type = parser->basics.list[BASIC_INT];
		if (!constant_find(name, &what->value))
			what->kind = NAME_UNKNOWN;
	}
}

// A macro in C's headers. The libraries' own variables of that name have no type, if they have a
// name at all.
static bool take_errno(struct parser *parser, const char *name, struct resolution *what)
{
	int64_t offset;

	if (strcmp(name, "errno") != 0 || !symbols_errno(parser->symbols, &offset))
		return false;
	what->kind = NAME_VARIABLE;
	what->variable = (struct variable){
		.name = "errno",
		.type = parser->basics.list[BASIC_INT],
		.place = VARIABLE_THREAD,
		.addr = (uint64_t)offset,
	};
	return true;
}

// Found only by way of the frame.
static bool is_local(struct parser *parser, const char *name, const struct variable *variable)
{
	static const struct symbols_frame nowhere;
	struct variable global;

	if (parser->frame->pc == 0)
		return false;

	_cleanup_error_ struct dc_error *not_global = symbols_lookup_variable(
		parser->symbols, &nowhere, name, &global);

	return not_global || global.place != variable->place || global.addr != variable->addr;
}

// The colons before the last part of a scope's name; NULL: it has one part.
static const char *name_last_scope(const char *scope)
{
	int depth = 0;

	for (const char *at = scope + strlen(scope); at > scope + 2; at--) {
		depth += at[-1] == '>' || at[-1] == ')';
		depth -= at[-1] == '<' || at[-1] == '(';
		if (!depth && at[-1] == ':' && at[-2] == ':')
			return at - 2;
	}
	return NULL;
}

// The whole name of a function, with or without its parameters.
static bool is_unscoped(const char *full, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(full, name, length) && (!full[length] || full[length] == '(');
}

// Locals, then the program's own names before those of libraries: a static variable deep in the C
// library's debug information must not hide a function or an enumerator of the program.
static void resolve(struct parser *parser, const char *name, struct resolution *what)
{
	struct symbols *symbols = parser->symbols;
	_cleanup_error_ struct dc_error *no_variable = symbols_lookup_variable(
		symbols, parser->frame, name, &what->variable);
	bool has_typed = !no_variable && what->variable.type;
	bool local = has_typed && is_local(parser, name, &what->variable);

	bool owns = has_typed && in_program(symbols, what->variable.module);
	// What has the name in a scope of its own stands back behind what has it outside of all.
	bool is_scoped = owns && !local && strstr(what->variable.name, "::") && !strstr(name, "::");

	if (local || (owns && !is_scoped)) {
		what->kind = NAME_VARIABLE;
		what->is_local = local;
		return;
	}
	if (take_errno(parser, name, what))
		return;

	_cleanup_error_ struct dc_error *no_function = symbols_lookup_function(
		symbols, parser->frame, name, &what->function);

	if (!no_function &&
	    (is_scoped ? is_unscoped(what->function.name, name)
		       : !has_typed || in_program(symbols, what->function.module))) {
		take_function(parser, what);
		return;
	}
	if (no_function && no_function->code == DC_VALUE && !has_typed &&
	    parser->dialect->resolve_overloads &&
	    parser->dialect->resolve_overloads(parser, name, what))
		return;
	if (!no_variable && !has_typed) {
		what->kind = NAME_VARIABLE; // without debug information
		what->variable.type = prototype_of_data(parser, &what->variable);
		return;
	}
	if (no_variable && resolve_static(symbols, NULL, name, what))
		return;

	_cleanup_error_ struct dc_error *no_enumerator = symbols_lookup_enumerator(
		symbols, parser->frame, name, &what->type, &what->value);

	if (!no_enumerator)
		what->kind = NAME_ENUMERATOR;
	else if (has_typed)
		what->kind = NAME_VARIABLE;
	else
		take_constant(parser, name, what);
}

// Debug information alone gives the last part of a name whose scopes have been looked at.
static bool is_last_part(const char *its, const char *name)
{
	const char *last = name_last_scope(name);

	return last && !strstr(its, "::") && is_unscoped(its, last + 2);
}

// Whether what was found has just that name, and not another one that ends so.
static bool is_whole(const struct resolution *what, const char *name)
{
	const char *its;

	switch (what->kind) {
	case NAME_VARIABLE:
		its = what->variable.name;
		return what->variable.type && its &&
		       (!strcmp(its, name) || is_last_part(its, name));
	case NAME_FUNCTION:
		its = what->function.name;
		return is_unscoped(its, name) || is_last_part(its, name);
	case NAME_ENUMERATOR: return true;
	default: return false;
	}
}

// A whole name, as one that no frame has a say in.
static bool resolve_whole(struct parser *parser, const char *name, struct resolution *what)
{
	static const struct symbols_frame nowhere;
	const struct symbols_frame *frame = parser->frame;
	struct resolution found = { 0 };

	parser->frame = &nowhere;
	resolve(parser, name, &found);
	parser->frame = frame;
	if (!is_whole(&found, name))
		return false;
	*what = found;
	return true;
}

// By what namespaces take from one another.
static bool resolve_imported(struct parser *parser, const struct symbols_frame *frame,
			     const char *name, struct resolution *what)
{
	const char *names[OTHER_NAMES_MAX];
	size_t n = parser->dialect->other_names
			   ? parser->dialect->other_names(parser->symbols, frame, name, names)
			   : 0;

	for (size_t i = 0; i < n; i++) {
		if (resolve_whole(parser, names[i], what))
			return true;
	}
	return false;
}

// From the namespaces and classes around the frame's function outwards, before any other.
static void resolve_outwards(struct parser *parser, const char *name, struct resolution *what)
{
	static const struct symbols_frame nowhere;
	const struct dialect *dialect = parser->dialect;
	bool is_qualified = strstr(name, "::");
	_cleanup_free_ char *scope = dialect->scope && !is_qualified
					     ? dialect->scope(parser->symbols, parser->frame)
					     : NULL;

	resolve(parser, name, what);
	if (what->kind == NAME_VARIABLE && what->is_local)
		return;

	const char *declared = dialect->declared_name ? dialect->declared_name(parser->symbols,
									       parser->frame, name)
						      : NULL;

	if (declared && resolve_whole(parser, declared, what))
		return;
	while (scope) {
		char *last = (char *)name_last_scope(scope);
		_cleanup_free_ char *whole = NULL;

		if (asprintf(&whole, "%s::%s", scope, name) < 0)
			return;
		if (resolve_whole(parser, whole, what) ||
		    resolve_imported(parser, &nowhere, whole, what))
			return;
		if (!last)
			break;
		*last = '\0';
	}
	if (!is_whole(what, name))
		resolve_imported(parser, parser->frame, name, what);
}

// ---- how names are written ----

// The lexer goes on behind the text.
static struct dc_error *go_behind(struct lexer *lexer, const char *end)
{
	lexer->next = (size_t)(end - lexer->text);
	return lexer_advance(lexer);
}

static bool begins_identifier(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// gdb's 'file.c'::name, also without quotes and with one colon: where the name itself begins, and
// the file, in the arena. NULL in *file: there is none.
static struct dc_error *read_file(struct parser *parser, const char **file)
{
	const struct lexer *lexer = &parser->lexer;
	const char *start = lexer->token.start, *end = lexer->text + lexer->size, *at = start;
	size_t length;

	*file = NULL;
	if (lexer->token.kind == TOKEN_CHAR) {
		start++;
		length = lexer->token.length - 2;
		at = lexer->token.start + lexer->token.length;
	} else {
		while (at < end &&
		       (begins_identifier(*at) || (*at && strchr("0123456789.+-/", *at))))
			at++;
		length = (size_t)(at - start);
		// Most names are none.
		if (!memchr(start, '.', length))
			return NULL;
	}
	if (at >= end || *at != ':')
		return NULL;
	at += at + 1 < end && at[1] == ':' ? 2 : 1;
	if (at >= end || !begins_identifier(*at))
		return NULL;

	const char *name = arena_string(parser->expression, start, length);

	if (!name)
		return &dc_out_of_memory;
	if (symbols_has_file(parser->symbols, name)) {
		*file = name;
		return go_behind(&parser->lexer, at);
	}
	if (lexer->token.kind == TOKEN_CHAR && !memchr(start, '(', length))
		return error_at(error_make(DC_NAME, "the program has no source file '%s'", name),
				lexer_column(lexer));
	return NULL;
}

// "a", "a::b", "a<int>::b", and gdb's 'a::b(int)'; the lexer goes behind it.
static struct dc_error *read_name(struct parser *parser, const char **ret)
{
	struct lexer *lexer = &parser->lexer;
	const char *start = lexer->token.start, *end = start + lexer->token.length;
	struct dc_error *err = NULL;

	if (lexer->token.kind == TOKEN_CHAR) {
		*ret = arena_string(parser->expression, start + 1, (size_t)(end - start) - 2);
		return *ret ? lexer_advance(lexer) : &dc_out_of_memory;
	}

	const char *behind = parser->dialect->name_end ? parser->dialect->name_end(parser, start)
						       : NULL;

	if (behind) {
		end = behind;
		err = go_behind(lexer, end);
	}
	for (bool more = !behind; !err && more;) {
		end = lexer->token.start + lexer->token.length;
		err = lexer_advance(lexer);
		more = !err && parser_at(parser, TOKEN_SCOPE);
		if (more)
			err = lexer_advance(lexer);
		if (!err && more && !parser_at(parser, TOKEN_NAME))
			err = parser_error(parser, "expected a name after ::");
	}
	*ret = err ? NULL : arena_string(parser->expression, start, (size_t)(end - start));
	return err || *ret ? err : &dc_out_of_memory;
}

// A file's own thing, or a static variable of one of its functions.
static struct dc_error *resolve_in_file(struct parser *parser, const char *file, const char *name,
					struct resolution *what)
{
	struct symbols *symbols = parser->symbols;
	struct dc_error *err = symbols_variable_in_file(symbols, file, name, &what->variable);

	if (!err) {
		what->kind = NAME_VARIABLE;
		return NULL;
	}
	if (err->code != DC_NAME)
		return err;
	dc_error_destroy(err);
	err = symbols_function_in_file(symbols, file, name, &what->function);
	if (!err) {
		take_function(parser, what);
		return NULL;
	}
	if (err->code != DC_NAME)
		return err;
	dc_error_destroy(err);
	if (resolve_static(symbols, file, name, what))
		return NULL;
	return error_make(DC_NAME, "nothing named '%s' in '%s'", name, file);
}

bool name_is_quoted(const struct parser *parser)
{
	const struct token *token = &parser->lexer.token;
	const char *end = token->start + token->length;

	if (token->kind != TOKEN_CHAR || *token->start != '\'' || token->length < 4 ||
	    memchr(token->start, '\\', token->length))
		return false;
	// A Go function's package, "main.Add"; '1.5' is none.
	if (begins_identifier(token->start[1]) && memchr(token->start, '.', token->length))
		return true;
	return memchr(token->start, '(', token->length) ||
	       memchr(token->start, '<', token->length) ||
	       memchr(token->start, ':', token->length) ||
	       (end < parser->lexer.text + parser->lexer.size && *end == ':');
}

struct dc_error *name_make(struct parser *parser, const char *name, size_t column,
			   struct node **ret)
{
	struct dc_error *err = parser_node(parser, NODE_NAME, column, ret);

	if (err)
		return err;
	(*ret)->name = name;
	(*ret)->what = arena_alloc(&parser->expression->arena, sizeof(*(*ret)->what));
	if (!(*ret)->what)
		return &dc_out_of_memory;
	resolve_outwards(parser, name, (*ret)->what);
	return NULL;
}

static struct dc_error *make_in_file(struct parser *parser, const char *file, const char *name,
				     size_t column, struct node **ret)
{
	struct dc_error *err = parser_node(parser, NODE_NAME, column, ret);

	if (err)
		return err;
	(*ret)->name = name;
	(*ret)->what = arena_alloc(&parser->expression->arena, sizeof(*(*ret)->what));
	if (!(*ret)->what)
		return &dc_out_of_memory;
	return error_at(resolve_in_file(parser, file, name, (*ret)->what), column);
}

// What nothing has the name of may be a macro: then what it stands for is read.
static struct dc_error *read_macro(struct parser *parser, const char *name, size_t column,
				   struct node **ret)
{
	bool done = false;
	struct dc_error *err = strstr(name, "::") ? NULL
						  : macro_expand(parser, name, column, &done);

	return err || !done ? err : parser_unary(parser, ret);
}

struct dc_error *name_parse(struct parser *parser, struct node **ret)
{
	size_t column = lexer_column(&parser->lexer);
	const char *file = NULL, *name;
	bool done = false;
	struct dc_error *err = read_file(parser, &file);

	if (!err)
		err = read_name(parser, &name);
	if (err)
		return err;
	if (file)
		return make_in_file(parser, file, name, column, ret);
	err = name_make(parser, name, column, ret);
	// What no block of the frame's function has may be its object's.
	if (!err && parser->frame->pc && parser->dialect->implied_member &&
	    (!(*ret)->what->is_local || (*ret)->what->variable.is_around || !strcmp(name, "this")))
		err = parser->dialect->implied_member(parser, name, column, ret);
	// A function hides a class of its name; a constructor is no function of that name.
	if (!err && (*ret)->kind == NODE_NAME && parser->dialect->type_call &&
	    (parser_at(parser, TOKEN_LPAREN) || parser_at(parser, TOKEN_LBRACE)) &&
	    ((*ret)->what->kind == NAME_UNKNOWN ||
	     ((*ret)->what->kind == NAME_FUNCTION && !is_whole((*ret)->what, name))))
		err = parser->dialect->type_call(parser, name, column, ret, &done);
	if (!err && (*ret)->kind == NODE_NAME && (*ret)->what->kind == NAME_UNKNOWN)
		err = read_macro(parser, name, column, ret);
	return err;
}

struct dc_error *name_parse_global(struct parser *parser, struct node **ret)
{
	static const struct symbols_frame nowhere;
	const struct symbols_frame *frame = parser->frame;
	size_t column = lexer_column(&parser->lexer);
	const char *name;
	struct dc_error *err = read_name(parser, &name);

	if (err)
		return err;
	parser->frame = &nowhere;
	err = name_make(parser, name, column, ret);
	parser->frame = frame;
	// A static of the frame's file is known there only.
	return err || (*ret)->what->kind != NAME_UNKNOWN ? err
							 : name_make(parser, name, column, ret);
}

// "$" and "$$", "$3" and "$$3", "$rax", "$name".
struct dc_error *name_dollar(struct parser *parser, struct node **ret)
{
	const struct token *token = &parser->lexer.token;
	struct dc_error *err = parser_node(parser, NODE_VARIABLE, lexer_column(&parser->lexer),
					   ret);
	const char *text = err ? NULL
			       : arena_string(parser->expression, token->start + 1,
					      token->length - 1);
	bool from_end = text && (*text == '\0' || *text == '$');
	const char *digits = from_end && *text ? text + 1 : text;

	if (err)
		return err;
	if (!text)
		return &dc_out_of_memory;
	if (strspn(digits, "0123456789") == strlen(digits)) {
		unsigned long long number = strtoull(digits, NULL, 10);

		if (strlen(digits) > 9)
			return error_at(
				error_make(DC_SYNTAX, "the number of a result is too large"),
				(*ret)->column);
		// $$ alone is the one before the last.
		if (from_end && *digits == '\0')
			number = *text == '$' ? 1 : 0;
		(*ret)->number = from_end ? -1 - (int64_t)number : (int64_t)number;
	} else {
		(*ret)->name = text;
		struct register_place place;

		if (register_find(text, &place))
			(*ret)->kind = NODE_REGISTER;
	}
	return lexer_advance(&parser->lexer);
}

struct dc_error *name_not_type(struct parser *parser, const struct node *node)
{
	if (node->kind != NODE_NAME || node->what->kind != NAME_UNKNOWN)
		return NULL;
	switch (parser->lexer.token.kind) {
	case TOKEN_NUMBER:
	case TOKEN_CHAR:
	case TOKEN_STRING:
	case TOKEN_NAME:
	case TOKEN_DOLLAR:
	case TOKEN_TILDE:
	case TOKEN_NOT: break;
	default: return NULL;
	}
	return error_at(
		name_suggest(parser->symbols, node->name,
			     error_make(DC_NAME, "no type named '%s' in the program", node->name)),
		node->column);
}
