// SPDX-License-Identifier: MIT
// Names as C++ has them: with template arguments, and of several functions at once.
#include "debugger/lang/cxx/rules.h"

#include <ctype.h>
#include <string.h>

static bool is_identifier(char c)
{
	return c == '_' || isalpha((unsigned char)c);
}

// Behind "max<int>" and "vec<int>::size", when the program has a function or a class of that name:
// else it is a comparison. NULL: it is none of them.
const char *qualified_name_end(struct parser *parser, const char *start)
{
	const char *end = parser->lexer.text + parser->lexer.size, *at = start;
	int depth = 0;
	bool has_arguments = false;

	for (; at < end; at++) {
		if (*at == '<')
			depth++;
		else if (*at == '>')
			depth--;
		else if (!depth && !is_identifier(*at) && !strchr("0123456789:", *at))
			break;
		else if (depth && strchr("\"'{};", *at))
			return NULL;
		has_arguments |= depth > 0;
		if (depth < 0)
			return NULL;
	}
	if (!has_arguments || depth || at == end || (*at != '(' && *at != '{'))
		return NULL;

	const char *name = arena_string(parser->expression, start, (size_t)(at - start));
	const struct function *list;
	size_t n = 0;
	struct dc_error *err = name ? symbols_overloads(parser->symbols, name, &list, &n)
				    : &dc_out_of_memory;

	dc_error_destroy(err);
	return n || (name && parser_named_type(parser, name)) ? at : NULL;
}

bool qualified_resolve(struct parser *parser, const char *name, struct resolution *what)
{
	_cleanup_error_ struct dc_error *none = symbols_overloads(
		parser->symbols, name, &what->overloads, &what->nr_overloads);

	if (none || what->nr_overloads < 2) {
		what->nr_overloads = 0;
		return false;
	}
	what->kind = NAME_FUNCTION;
	what->function = what->overloads[0];
	return true;
}
