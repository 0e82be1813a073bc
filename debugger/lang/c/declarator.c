// SPDX-License-Identifier: MIT
// Type names and declarations: "struct P *(*)[3]", "int add(int a, int b)".
// An inner declarator applies to what stands around it, so it is read a second time, behind that.
#include "debugger/base/cleanup.h"
#include "debugger/lang/c/dialect.h"
#include "debugger/lang/c/name.h"

#include <stdio.h>
#include <string.h>

// Keywords are few and types are rare in an expression: a table search would gain nothing.
static bool is_word_of(const struct token *token, const char *const *words)
{
	for (; *words; words++)
		if (token_is(token, *words))
			return true;
	return false;
}

static const char *const basic_words[] = { "void",	 "char",	"short",      "int",
					   "long",	 "float",	"double",     "signed",
					   "unsigned",	 "_Bool",	"_Complex",   "__int128",
					   "__signed__", "__complex__", "__int128_t", "__uint128_t",
					   NULL };
static const char *const tag_words[] = { "struct", "union", "enum", "class", NULL };
static const char *const const_words[] = { "const", "__const", "__const__", NULL };
static const char *const volatile_words[] = { "volatile", "__volatile__", NULL };
static const char *const typeof_words[] = { "typeof", "__typeof__", "__typeof", NULL };
static const char *const idle_words[] = { "restrict", "__restrict", "__restrict__", "_Atomic",
					  NULL };

static bool is_qualifier(const struct token *token)
{
	return is_word_of(token, const_words) || is_word_of(token, volatile_words) ||
	       is_word_of(token, idle_words);
}

// "a" or "a::b::c" at the lexer, which is left on the last part; in the arena.
static const char *qualified_name(struct parser *parser, struct lexer *lexer)
{
	const char *start = lexer->token.start;

	for (;;) {
		struct lexer ahead = *lexer;
		_cleanup_error_ struct dc_error *err = lexer_advance(&ahead);

		if (err || ahead.token.kind != TOKEN_SCOPE)
			break;
		err = lexer_advance(&ahead);
		if (err || ahead.token.kind != TOKEN_NAME)
			break;
		*lexer = ahead;
	}
	return arena_string(parser->expression, start,
			    lexer->token.start + lexer->token.length - start);
}

// The names that C programs take for granted, for targets without debug information.
static const struct type *standard_type(struct parser *parser, const char *name)
{
	static const struct {
		const char *name;
		enum basic basic;
	} table[] = {
		{ "bool", BASIC_BOOL },	      { "size_t", BASIC_ULONG },
		{ "ssize_t", BASIC_LONG },    { "int8_t", BASIC_SCHAR },
		{ "uint8_t", BASIC_UCHAR },   { "int16_t", BASIC_SHORT },
		{ "uint16_t", BASIC_USHORT }, { "int32_t", BASIC_INT },
		{ "uint32_t", BASIC_UINT },   { "int64_t", BASIC_LONG },
		{ "uint64_t", BASIC_ULONG },  { "intptr_t", BASIC_LONG },
		{ "uintptr_t", BASIC_ULONG }, { "ptrdiff_t", BASIC_LONG },
		{ "pid_t", BASIC_INT },	      { "off_t", BASIC_LONG },
		{ "time_t", BASIC_LONG },     { "uid_t", BASIC_UINT },
		{ "gid_t", BASIC_UINT },      { "mode_t", BASIC_UINT },
		{ "wchar_t", BASIC_INT },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].name, name) == 0)
			return parser->basics.list[table[i].basic];
	return NULL;
}

// A failure here is an answer, not an error: the name may be something else.
static const struct type *program_type(struct parser *parser, const char *tag, const char *name)
{
	const struct type *type = NULL;
	const char *names[OTHER_NAMES_MAX];
	_cleanup_error_ struct dc_error *err = symbols_lookup_type(parser->symbols, parser->frame,
								   tag, name, &type);
	// A name alone is found in whichever namespace has it.
	size_t n = err && strstr(name, "::") && parser->dialect->other_names
			   ? parser->dialect->other_names(parser->symbols, parser->frame, name,
							  names)
			   : 0;

	for (size_t i = 0; i < n && !type; i++) {
		_cleanup_error_ struct dc_error *none = symbols_lookup_type(
			parser->symbols, parser->frame, tag, names[i], &type);

		if (none)
			type = NULL;
	}
	return type;
}

const struct type *parser_named_type(struct parser *parser, const char *name)
{
	const struct type *type = program_type(parser, NULL, name);

	return type ? type : standard_type(parser, name);
}

// A variable without a type cannot be meant where a type could be.
static bool is_variable(struct parser *parser, const char *name)
{
	struct variable variable;
	_cleanup_error_ struct dc_error *err = symbols_lookup_variable(
		parser->symbols, parser->frame, name, &variable);

	return !err && variable.type;
}

// Behind a name, what only a type can have: "T) x", "T *)", "T **". A static variable somewhere may
// have the name of a type elsewhere.
static bool must_be_type(struct lexer lexer)
{
	_cleanup_error_ struct dc_error *err = lexer_advance(&lexer);
	enum token_kind first = lexer.token.kind;
	_cleanup_error_ struct dc_error *none = err ? NULL : lexer_advance(&lexer);

	if (err || none || (first != TOKEN_RPAREN && first != TOKEN_STAR))
		return false;
	switch (lexer.token.kind) {
	case TOKEN_RPAREN:
	case TOKEN_STAR: return first == TOKEN_STAR;
	case TOKEN_NAME:
	case TOKEN_NUMBER:
	case TOKEN_CHAR:
	case TOKEN_STRING:
	case TOKEN_DOLLAR:
	case TOKEN_LBRACE:
	case TOKEN_TILDE:
	case TOKEN_NOT: return first == TOKEN_RPAREN;
	default: return false;
	}
}

// "A::*" at the lexer, which then stands on the star: of whose members. NULL: it is none.
static const struct type *member_star(struct parser *parser, struct lexer *lexer)
{
	struct lexer ahead = *lexer;

	if (!parser->dialect->member_by_pointer || ahead.token.kind != TOKEN_NAME)
		return NULL;

	const char *name = qualified_name(parser, &ahead);
	_cleanup_error_ struct dc_error *err = lexer_advance(&ahead);
	bool is_scope = !err && ahead.token.kind == TOKEN_SCOPE;
	_cleanup_error_ struct dc_error *none = err ? NULL : lexer_advance(&ahead);

	if (!name || err || none || !is_scope || ahead.token.kind != TOKEN_STAR)
		return NULL;

	const struct type *class = parser_named_type(parser, name);

	if (!class || !type_is_record(class))
		return NULL;
	*lexer = ahead;
	return class;
}

// By a word that only types have.
static bool is_begun(const struct token *token)
{
	return is_qualifier(token) || is_word_of(token, basic_words) ||
	       is_word_of(token, tag_words) || is_word_of(token, typeof_words);
}

// "T{1}" and "T(1)" behind a type's name are objects, where "T(*)" and "T(int)" are types.
static bool makes_object(struct parser *parser, const struct lexer *name)
{
	struct parser ahead = *parser;

	ahead.lexer = *name;
	if (!parser->dialect->type_call)
		return false;

	_cleanup_error_ struct dc_error *err = lexer_advance(&ahead.lexer);

	if (err || parser_at(&ahead, TOKEN_LBRACE))
		return !err;
	if (!parser_at(&ahead, TOKEN_LPAREN))
		return false;

	_cleanup_error_ struct dc_error *none = lexer_advance(&ahead.lexer);

	switch (none ? TOKEN_END : ahead.lexer.token.kind) {
	case TOKEN_NUMBER:
	case TOKEN_CHAR:
	case TOKEN_STRING:
	case TOKEN_DOLLAR:
	case TOKEN_LBRACE:
	case TOKEN_MINUS:
	case TOKEN_TILDE:
	case TOKEN_NOT: return true;
	case TOKEN_NAME: break;
	default: return false;
	}

	const char *inner = is_begun(&ahead.lexer.token) ? NULL
							 : qualified_name(parser, &ahead.lexer);

	if (!inner || !parser_named_type(parser, inner))
		return inner;

	// What is made of an object; a parameter has a type and no more.
	_cleanup_error_ struct dc_error *last = lexer_advance(&ahead.lexer);

	return !last && (parser_at(&ahead, TOKEN_LPAREN) || parser_at(&ahead, TOKEN_LBRACE));
}

bool declarator_begins(struct parser *parser)
{
	const struct token *token = &parser->lexer.token;
	struct lexer lexer = parser->lexer;

	if (token->kind != TOKEN_NAME)
		return false;
	if (is_begun(token))
		return true;

	const char *name = qualified_name(parser, &lexer);

	// A function in parentheses is rarer than a cast.
	return name && parser_named_type(parser, name) &&
	       (must_be_type(lexer) || !is_variable(parser, name)) && !makes_object(parser, &lexer);
}

// "struct P", "enum color"; the lexer stands on the first word.
static struct dc_error *tagged_type(struct parser *parser, const struct type **ret)
{
	const char *tag = arena_string(parser->expression, parser->lexer.token.start,
				       parser->lexer.token.length);
	struct dc_error *err = tag ? lexer_advance(&parser->lexer) : &dc_out_of_memory;

	if (err)
		return err;
	if (!parser_at(parser, TOKEN_NAME))
		return parser_error(parser, "expected a tag");

	size_t column = lexer_column(&parser->lexer);
	const char *name = qualified_name(parser, &parser->lexer);

	if (!name)
		return &dc_out_of_memory;
	// A C++ class is looked up without a tag, whichever word was written.
	bool is_class = strcmp(tag, "class") == 0;

	*ret = program_type(parser, is_class ? NULL : tag, name);
	if (!*ret && !is_class && strcmp(tag, "struct") == 0)
		*ret = program_type(parser, NULL, name);
	if (!*ret)
		return error_at(name_suggest(parser->symbols, name,
					     error_make(DC_NAME, "no %s named '%s' in the program",
							tag, name)),
				column);
	return lexer_advance(&parser->lexer);
}

// What types_basic() knows a compiler's own word by; NULL: the word itself.
static const char *plain_word(const struct token *token)
{
	return token_is(token, "__signed__")	? "signed"
	       : token_is(token, "__complex__") ? "_Complex"
	       : token_is(token, "__int128_t")	? "__int128"
	       : token_is(token, "__uint128_t") ? "unsigned __int128"
						: NULL;
}

// "typeof(expression)" and "typeof(type)"; the lexer stands on the first word.
static struct dc_error *typeof_type(struct parser *parser, const struct type **ret)
{
	struct node *node;
	struct dc_error *err = lexer_advance(&parser->lexer);

	if (!err)
		err = parser_enter(parser);
	if (!err)
		err = parser_expect(parser, TOKEN_LPAREN, "( after typeof");
	if (err)
		return err;
	if (declarator_begins(parser)) {
		err = declarator_type_name(parser, ret);
	} else {
		err = parser_comma(parser, &node);
		if (!err)
			err = eval_type_of(parser, node, false, ret);
	}
	if (err)
		return err;
	parser_leave(parser);
	return parser_expect(parser, TOKEN_RPAREN, ")");
}

// "const unsigned long", "struct P", "size_t": what stands before the first declarator.
static struct dc_error *specifiers(struct parser *parser, const struct type **ret)
{
	bool is_const = false, is_volatile = false;
	size_t column = lexer_column(&parser->lexer), used = 0;
	char words[128] = "";
	const struct type *type = NULL;
	struct dc_error *err;

	while (parser_at(parser, TOKEN_NAME)) {
		const struct token *token = &parser->lexer.token;

		if (is_word_of(token, const_words)) {
			is_const = true;
		} else if (is_word_of(token, volatile_words)) {
			is_volatile = true;
		} else if (is_word_of(token, idle_words)) {
			;
		} else if (is_word_of(token, basic_words) && !type) {
			const char *word = plain_word(token);

			used += snprintf(words + used, sizeof(words) - used, " %.*s",
					 word ? 20 : (int)token->length,
					 word ? word : token->start);
			if (used >= sizeof(words))
				return parser_error(parser, "too many words in a type");
		} else if (is_word_of(token, tag_words) && !type && !used) {
			err = tagged_type(parser, &type);
			if (err)
				return err;
			continue; // that has gone past the tag
		} else if (is_word_of(token, typeof_words) && !type && !used) {
			err = typeof_type(parser, &type);
			if (err)
				return err;
			continue;
		} else if (!type && !used) {
			struct lexer at_end = parser->lexer;
			const char *name = qualified_name(parser, &at_end);

			type = name ? parser_named_type(parser, name) : NULL;
			if (!type)
				break;
			parser->lexer = at_end;
		} else {
			break;
		}
		err = lexer_advance(&parser->lexer);
		if (err)
			return err;
	}
	if (used)
		type = types_basic(parser->basics.types, words + 1);
	if (!type)
		return error_at(error_make(DC_SYNTAX,
					   used ? "'%s' is not a type" : "expected a type",
					   used ? words + 1 : ""),
				column);
	if (is_const || is_volatile)
		type = types_qualified(parser->basics.types, type, is_const, is_volatile);
	*ret = type;
	return type ? NULL : &dc_out_of_memory;
}

static struct dc_error *declarator(struct parser *parser, const struct type *type,
				   const struct type **ret, const char **name);

// "(int a, float)": arrays and functions are passed as pointers.
static struct dc_error *parameters(struct parser *parser, const struct type *result,
				   const struct type **ret)
{
	_cleanup_free_ struct type_param *params = NULL;
	bool is_variadic = false, is_prototyped = true, more = true;
	size_t n = 0;
	struct dc_error *err;

	if (parser_at(parser, TOKEN_RPAREN)) {
		is_prototyped = more = false;
	} else if (token_is(&parser->lexer.token, "void")) {
		struct lexer ahead = parser->lexer;

		err = lexer_advance(&ahead);
		if (err)
			return err;
		if (ahead.token.kind == TOKEN_RPAREN) {
			parser->lexer = ahead;
			more = false;
		}
	}
	while (more) {
		struct type_param param = { 0 };

		if (parser_at(parser, TOKEN_ELLIPSIS)) {
			is_variadic = true;
			err = lexer_advance(&parser->lexer);
			if (err)
				return err;
			break;
		}

		size_t column = lexer_column(&parser->lexer);

		err = declarator_declaration(parser, &param.type, &param.name);
		if (err)
			return err;

		const struct type *plain = type_strip(param.type);

		if (plain->kind == TYPE_VOID)
			return error_at(error_make(DC_TYPE, "a parameter cannot be void"), column);
		if (plain->kind == TYPE_ARRAY)
			param.type = types_pointer(parser->basics.types, plain->target);
		else if (plain->kind == TYPE_FUNCTION)
			param.type = types_pointer(parser->basics.types, param.type);

		struct type_param *grown = param.type ? reallocarray(params, n + 1, sizeof(*params))
						      : NULL;

		if (!grown)
			return &dc_out_of_memory;
		params = grown;
		params[n++] = param;
		err = parser_accept(parser, TOKEN_COMMA, &more);
		if (err)
			return err;
	}
	err = parser_expect(parser, TOKEN_RPAREN, ")");
	if (err)
		return err;
	*ret = types_function(parser->basics.types, result, params, n, is_variadic, is_prototyped);
	return *ret ? NULL : &dc_out_of_memory;
}

static struct dc_error *too_high(size_t column)
{
	return error_at(error_make(DC_SYNTAX, "the type is too deeply nested"), column);
}

// Types are walked recursively, so a type may not be built higher than a stack can bear.
static struct dc_error *not_too_high(struct parser *parser, const struct type *type)
{
	for (unsigned n = 0; type; type = type->target)
		if (++n > NODE_DEPTH_MAX)
			return too_high(lexer_column(&parser->lexer));
	return NULL;
}

// Evaluated while parsing, for sizeof and initializers need it: so it must be constant.
static struct dc_error *array_size(struct parser *parser, uint64_t *ret)
{
	size_t column = lexer_column(&parser->lexer);
	struct node *node;
	int64_t count;

	*ret = UINT64_MAX;
	if (parser_at(parser, TOKEN_RBRACKET))
		return lexer_advance(&parser->lexer);

	struct dc_error *err = parser_conditional(parser, &node);

	if (!err)
		err = eval_constant(parser, node, &count);
	if (!err && (count < 0 || count > INT64_MAX >> 16))
		err = error_make(DC_VALUE, "an array cannot have %jd elements", (intmax_t)count);
	if (err)
		return error_at(err, column);
	*ret = count;
	return parser_expect(parser, TOKEN_RBRACKET, "]");
}

// Behind a method's parameters.
static struct dc_error *method_qualifiers(struct parser *parser, const struct type **type)
{
	struct dc_error *err = NULL;

	while (!err && (is_word_of(&parser->lexer.token, const_words) ||
			is_word_of(&parser->lexer.token, volatile_words) ||
			token_is(&parser->lexer.token, "noexcept"))) {
		*type = types_qualified(parser->basics.types, *type,
					is_word_of(&parser->lexer.token, const_words),
					is_word_of(&parser->lexer.token, volatile_words));
		err = *type ? lexer_advance(&parser->lexer) : &dc_out_of_memory;
	}
	return err;
}

// "[3]", "[2][3]", "(int, float)" behind a declarator; the last one applies first.
static struct dc_error *suffixes(struct parser *parser, const struct type *type,
				 const struct type **ret)
{
	struct types *types = parser->basics.types;
	bool is_array, is_function = false;
	size_t column = lexer_column(&parser->lexer);
	uint64_t count;
	struct dc_error *err = parser_enter(parser);

	if (err)
		return err;
	err = parser_accept(parser, TOKEN_LBRACKET, &is_array);
	if (!err && !is_array)
		err = parser_accept(parser, TOKEN_LPAREN, &is_function);
	if (err)
		return err;
	if (is_array) {
		err = array_size(parser, &count);
		if (!err)
			err = suffixes(parser, type, &type);
		if (err)
			return err;

		const struct type *plain = type_strip(type);
		uint64_t size;

		if (plain->kind == TYPE_VOID || !type_size(type, &size))
			return error_at(error_make(DC_TYPE, "an array of this type cannot be"),
					column);
		if (count != UINT64_MAX && size > 0 && count > (uint64_t)(INT64_MAX >> 16) / size)
			return error_at(error_make(DC_TYPE, "the array is too large"), column);
		type = types_array(types, type, count);
	} else if (is_function) {
		enum type_kind kind = type_strip(type)->kind;

		if (kind == TYPE_FUNCTION || kind == TYPE_ARRAY)
			return error_at(error_make(DC_TYPE, "a function cannot return this type"),
					column);
		err = parameters(parser, type, &type);
		if (!err && parser->dialect->member_by_pointer)
			err = method_qualifiers(parser, &type);
		if (err)
			return err;
	}
	parser_leave(parser);
	*ret = type;
	return type ? not_too_high(parser, type) : &dc_out_of_memory;
}

// Past the ")" that belongs to the "(" before the lexer.
static struct dc_error *skip_parentheses(struct parser *parser, struct lexer *lexer)
{
	for (size_t depth = 1; depth > 0;) {
		depth += lexer->token.kind == TOKEN_LPAREN;
		if (depth > NODE_DEPTH_MAX)
			return too_high(lexer_column(lexer));
		depth -= lexer->token.kind == TOKEN_RPAREN;
		if (lexer->token.kind == TOKEN_END) {
			parser->lexer = *lexer;
			return parser_error(parser, "expected )");
		}

		struct dc_error *err = lexer_advance(lexer);

		if (err)
			return err;
	}
	return NULL;
}

// A method's type has the object first, which is not written; what is written behind the parameters
// is said of the object.
static const struct type *method_type(struct parser *parser, const struct type *class,
				      const struct type *function)
{
	struct types *types = parser->basics.types;
	const struct type *plain = type_strip(function);
	const struct type *object = types_qualified(types, class, plain->is_const,
						    plain->is_volatile);
	const struct type *pointer = object ? types_pointer(types, object) : NULL;
	const struct type_param *params;
	size_t n;
	_cleanup_error_ struct dc_error *err = type_params(plain, &params, &n);
	_cleanup_free_ struct type_param *all = calloc(n + 1, sizeof(*all));

	pointer = pointer ? types_qualified(types, pointer, true, false) : NULL;
	if (err || !all || !pointer)
		return NULL;
	all[0].type = pointer;
	if (n)
		memcpy(all + 1, params, n * sizeof(*all));
	return types_function(types, plain->target, all, n + 1, plain->is_variadic, true);
}

static struct dc_error *pointer_to_member(struct parser *parser, const struct type *class,
					  const struct type *type, const struct type **ret)
{
	if (type_strip(type)->kind == TYPE_FUNCTION)
		type = method_type(parser, class, type);
	*ret = type ? types_member(parser->basics.types, class, type) : NULL;
	return *ret ? NULL : &dc_out_of_memory;
}

// "(" begins a nested declarator rather than parameters when a declarator can follow it.
static struct dc_error *is_nested(struct parser *parser, bool *ret)
{
	struct parser ahead = *parser;

	*ret = false;
	if (!parser_at(parser, TOKEN_LPAREN))
		return NULL;

	struct dc_error *err = lexer_advance(&ahead.lexer);

	if (err)
		return err;
	switch (ahead.lexer.token.kind) {
	case TOKEN_STAR:
	case TOKEN_LPAREN:
	case TOKEN_LBRACKET: *ret = true; break;
	case TOKEN_NAME:
		*ret = !declarator_begins(&ahead) || member_star(&ahead, &ahead.lexer);
		break;
	default: break;
	}
	return NULL;
}

static struct dc_error *declarator(struct parser *parser, const struct type *type,
				   const struct type **ret, const char **name)
{
	struct dc_error *err = parser_enter(parser);
	bool nested;

	if (err)
		return err;
	for (;;) {
		const struct type *class = member_star(parser, &parser->lexer);
		bool is_const = false, is_volatile = false;

		if (!parser_at(parser, TOKEN_STAR))
			break;
		if (class)
			err = pointer_to_member(parser, class, type, &type);
		else
			type = types_pointer(parser->basics.types, type);
		if (!err)
			err = lexer_advance(&parser->lexer);
		while (!err && is_qualifier(&parser->lexer.token)) {
			is_const |= is_word_of(&parser->lexer.token, const_words);
			is_volatile |= is_word_of(&parser->lexer.token, volatile_words);
			err = lexer_advance(&parser->lexer);
		}
		if (type && (is_const || is_volatile))
			type = types_qualified(parser->basics.types, type, is_const, is_volatile);
		if (!err)
			err = type ? not_too_high(parser, type) : &dc_out_of_memory;
		if (err)
			return err;
	}
	if (parser->dialect->bind &&
	    (parser_at(parser, TOKEN_AMP) || parser_at(parser, TOKEN_AND_AND))) {
		type = types_reference(parser->basics.types, type,
				       parser_at(parser, TOKEN_AND_AND));
		err = type ? lexer_advance(&parser->lexer) : &dc_out_of_memory;
		if (err)
			return err;
	}
	err = is_nested(parser, &nested);
	if (err)
		return err;
	if (nested) {
		err = lexer_advance(&parser->lexer);
		if (err)
			return err;

		struct lexer inner = parser->lexer, behind;

		err = skip_parentheses(parser, &parser->lexer);
		if (!err)
			err = suffixes(parser, type, &type);
		behind = parser->lexer;
		parser->lexer = inner;
		if (!err)
			err = declarator(parser, type, &type, name);
		if (!err && !parser_at(parser, TOKEN_RPAREN))
			err = parser_error(parser, "expected )");
		if (err)
			return err;
		parser->lexer = behind;
	} else {
		if (parser_at(parser, TOKEN_NAME) && name) {
			*name = arena_string(parser->expression, parser->lexer.token.start,
					     parser->lexer.token.length);
			err = *name ? lexer_advance(&parser->lexer) : &dc_out_of_memory;
			if (err)
				return err;
		}
		err = suffixes(parser, type, &type);
		if (err)
			return err;
	}
	parser_leave(parser);
	*ret = type;
	return NULL;
}

struct dc_error *declarator_declaration(struct parser *parser, const struct type **ret,
					const char **name)
{
	const struct type *type;
	struct dc_error *err = specifiers(parser, &type);

	return err ? err : declarator(parser, type, ret, name);
}

struct dc_error *declarator_type_name(struct parser *parser, const struct type **ret)
{
	return declarator_declaration(parser, ret, NULL);
}
