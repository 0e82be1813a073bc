// SPDX-License-Identifier: MIT
// Names in an expression: what they stand for, and those behind a dollar.
#include "debugger/values/name.h"

#include "debugger/cleanup.h"
#include "debugger/values/prototypes.h"
#include "debugger/values/registers.h"

#include <stdlib.h>
#include <string.h>

// The search for a nearest name is slow, so it is made only when the error is certain.
struct dc_error *name_unknown(struct symbols *symbols, const char *name)
{
	struct dc_error *err = error_make(DC_NAME, "no symbol '%s' in the program", name);
	const char *nearest = symbols_nearest(symbols, name);

	return nearest ? error_note(err, "did you mean '%s'?", nearest) : err;
}

// gdb's function::variable: a static variable of a function, as seen from its first instruction.
static bool resolve_static(struct symbols *symbols, const char *name, struct resolution *what)
{
	static const struct symbols_frame nowhere;
	const char *colons = memrchr(name, ':', strlen(name));
	struct symbols_frame here = { 0 }, there;
	struct function function;
	struct variable moved;

	if (!colons || colons < name + 2)
		return false;

	_cleanup_free_ char *scope = strndup(name, colons - 1 - name);
	_cleanup_error_ struct dc_error *no_function = scope ? symbols_lookup_function(
								       symbols, &nowhere, scope,
								       &function)
							     : &dc_out_of_memory;

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

// A thread-local variable needs a thread, and a local one a frame.
static void take_variable(struct parser *parser, bool is_local, struct resolution *what)
{
	what->kind = NAME_VARIABLE;
	what->is_local = is_local;
	if (is_local || what->variable.place == VARIABLE_TLS)
		parser->expression->needs_frame = true;
}

static void take_function(struct parser *parser, struct resolution *what)
{
	what->kind = NAME_FUNCTION;
	what->type = what->function.type;
	if (!what->type)
		what->type = prototype_find(parser, &what->function);
	if (!what->type) {
		// Only now: a library's debug file is slow to open.
		symbols_function_type(parser->symbols, &what->function);
		what->type = what->function.type;
	}
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
		what->kind = NAME_UNKNOWN;
		parser->expression->needs_frame = true; // it may be a local
	}
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

// Locals, then the program's own names before those of libraries: a static variable deep in the C
// library's debug information must not hide a function or an enumerator of the program.
static void resolve(struct parser *parser, const char *name, struct resolution *what)
{
	struct symbols *symbols = parser->symbols;
	_cleanup_error_ struct dc_error *no_variable = symbols_lookup_variable(
		symbols, parser->frame, name, &what->variable);
	bool has_typed = !no_variable && what->variable.type;
	bool local = has_typed && is_local(parser, name, &what->variable);

	if (has_typed && (local || in_program(symbols, what->variable.module))) {
		take_variable(parser, local, what);
		return;
	}

	_cleanup_error_ struct dc_error *no_function = symbols_lookup_function(
		symbols, parser->frame, name, &what->function);

	if (!no_function && (!has_typed || in_program(symbols, what->function.module))) {
		take_function(parser, what);
		return;
	}
	if (!no_variable && !has_typed) {
		take_variable(parser, false, what); // without debug information
		return;
	}
	if (no_variable && resolve_static(symbols, name, what))
		return;

	_cleanup_error_ struct dc_error *no_enumerator = symbols_lookup_enumerator(
		symbols, parser->frame, name, &what->type, &what->value);

	if (!no_enumerator)
		what->kind = NAME_ENUMERATOR;
	else if (has_typed)
		take_variable(parser, false, what);
	else
		take_constant(parser, name, what);
}

struct dc_error *name_parse(struct parser *parser, struct node **ret)
{
	struct lexer *lexer = &parser->lexer;
	const char *start = lexer->token.start;
	struct dc_error *err = parser_node(parser, NODE_NAME, lexer_column(lexer), ret);

	for (bool more = true; !err && more;) {
		const char *end = lexer->token.start + lexer->token.length;

		err = lexer_advance(lexer);
		more = !err && parser_at(parser, TOKEN_SCOPE);
		if (more) {
			err = lexer_advance(lexer);
			if (!err && !parser_at(parser, TOKEN_NAME))
				err = parser_error(parser, "expected a name after ::");
		} else if (!err) {
			(*ret)->name = arena_string(parser->expression, start, end - start);
			(*ret)->what = arena_alloc(&parser->expression->arena,
						   sizeof(*(*ret)->what));
			if (!(*ret)->name || !(*ret)->what)
				err = &dc_out_of_memory;
		}
	}
	if (!err)
		resolve(parser, (*ret)->name, (*ret)->what);
	return err;
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
		if (register_known(text)) {
			(*ret)->kind = NODE_REGISTER;
			parser->expression->needs_frame = true;
		}
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
	return error_at(error_make(DC_NAME, "no type named '%s' in the program", node->name),
			node->column);
}
