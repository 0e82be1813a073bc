// SPDX-License-Identifier: MIT
// A string literal for a std::string_view or a const std::string &: the object is laid out beside its
// characters, as libstdc++ has it. No constructor is called, and nothing is ever freed.
#include "debugger/lang/cxx/rules.h"

#include <string.h>

enum text { TEXT_NONE, TEXT_STRING, TEXT_VIEW };

static bool lies_at(struct context *context, const struct type *class, const char *name,
		    uint64_t wanted)
{
	struct type_member member;
	uint64_t offset = 0;
	bool found = false;
	struct dc_error *err = object_find_member(context, class, name, &offset, &member, &found);

	dc_error_destroy(err);
	return !err && found && offset + member.offset == wanted;
}

// What the parameter takes, and its class. What may be written to, or taken from, must have been made
// by the program.
static enum text find_class(struct context *context, const struct type *param,
			    const struct type **class)
{
	static const char string[] = "std::__cxx11::basic_string<char, std::char_traits<char>, "
				     "std::allocator<char> >";
	static const char view[] = "std::basic_string_view<char, std::char_traits<char> >";
	const struct type *type = type_strip(param);
	bool is_reference = type->kind == TYPE_REFERENCE;

	if (is_reference && (type->is_rvalue || !type_strip(type->target)->is_const))
		return TEXT_NONE;
	*class = symbols_complete(context->access.symbols,
				  type_strip(is_reference ? type->target : type));
	if (!type_is_record(*class) || (*class)->is_incomplete || !(*class)->name)
		return TEXT_NONE;
	if (is_reference && !strcmp((*class)->name, string) && (*class)->size == 32 &&
	    lies_at(context, *class, "_M_dataplus", 0) &&
	    lies_at(context, *class, "_M_string_length", 8) &&
	    lies_at(context, *class, "_M_allocated_capacity", 16))
		return TEXT_STRING;
	if (!strcmp((*class)->name, view) && (*class)->size == 16 &&
	    lies_at(context, *class, "_M_len", 0) && lies_at(context, *class, "_M_str", 8))
		return TEXT_VIEW;
	return TEXT_NONE;
}

bool text_argument_fits(struct context *context, const struct node *node, const struct type *param)
{
	const struct type *class;

	return node->kind == NODE_STRING && type_strip(node->type)->size == 1 &&
	       find_class(context, param, &class) != TEXT_NONE;
}

struct dc_error *text_argument(struct context *context, const struct node *node,
			       const struct type *param, struct value *ret)
{
	_cleanup_value_ struct value characters = { 0 }, object = { 0 };
	bool is_reference = type_strip(param)->kind == TYPE_REFERENCE;
	uint64_t addr, size = node->string.size;
	const struct type *class;
	enum text text = find_class(context, param, &class);
	struct dc_error *err = eval_node(context, node, &characters);

	if (!err)
		err = convert_rvalue(context, &characters);
	*ret = (struct value){ .type = param };
	if (err || context->mode != EVAL_RUN)
		return err;
	memcpy(&addr, characters.bytes, sizeof(addr));

	// As if the characters were on the heap: as many as there is room for.
	const uint64_t string[4] = { addr, size, size }, view[2] = { size, addr };

	object = (struct value){ .type = class, .lvalue = LVALUE_LITERAL };
	err = text == TEXT_STRING ? value_set(&object, string, sizeof(string))
				  : value_set(&object, view, sizeof(view));
	if (!err && is_reference)
		err = object_address(context, &object, ret);
	else if (!err)
		*ret = value_take(&object);
	ret->type = param;
	ret->lvalue = LVALUE_NONE;
	return err;
}
