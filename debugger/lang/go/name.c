// SPDX-License-Identifier: MIT
// What names stand for: locals, what a package has, what Go itself has, packages.
#include "debugger/lang/go/go.h"

#include "debugger/base/cleanup.h"

#include <stdio.h>
#include <string.h>

// The package as symbols have it: points in the last element of its path are written %2e.
static size_t put_package(char *to, const char *package)
{
	const char *slash = strrchr(package, '/');
	size_t n = 0;

	for (const char *at = package; *at; at++) {
		if (*at == '.' && slash && at > slash) {
			memcpy(to + n, "%2e", 3);
			n += 3;
		} else {
			to[n++] = *at;
		}
	}
	return n;
}

const char *go_symbol(struct context *context, const char *package, const char *name)
{
	char *symbol = go_alloc(context, 3 * strlen(package) + strlen(name) + 2);
	size_t n;

	if (!symbol)
		return NULL;
	n = put_package(symbol, package);
	symbol[n] = '.';
	strcpy(symbol + n + 1, name);
	return symbol;
}

struct dc_error *go_function(struct context *context, const struct node *node, const char *name,
			     struct operand *ret, bool *found)
{
	struct function *function = arena_alloc(&context->expression->arena, sizeof(*function));
	struct dc_error *err;

	*found = false;
	if (!function)
		return &dc_out_of_memory;
	err = symbols_lookup_function(context->symbols, NULL, name, function);
	if (err && err->code == DC_NAME) {
		dc_error_destroy(err);
		return NULL;
	}
	*found = true;
	if (err)
		return error_at(err, node->start);
	*ret = (struct operand){ .mode = OPERAND_FUNCTION,
				 .type = function->type,
				 .function = function,
				 .addr = function->addr,
				 .node = node };
	return NULL;
}

// Its address at least.
static struct dc_error *untyped(struct context *context, const struct node *node,
				const struct variable *variable, struct operand *ret)
{
	*ret = go_object(NULL, variable->addr);
	ret->node = node;
	ret->has_no_type = true;
	if (context->addresses && variable->place == VARIABLE_MEMORY)
		return go_basic(context, "unsafe.Pointer", &ret->type);
	return error_at(
		error_note(error_make(DC_TYPE, "%s has no debug information: its type is not known",
				      variable->name),
			   "*(*T)(&%s) is what it is as a T", variable->name),
		node->start);
}

static struct dc_error *from_variable(struct context *context, const struct node *node,
				      const struct variable *variable, struct operand *ret)
{
	struct value value = { .type = variable->type };
	unsigned char *bytes;
	struct dc_error *err;

	if (!variable->type)
		return untyped(context, node, variable, ret);
	*ret = go_bytes(variable->type, NULL);
	ret->node = node;
	switch (variable->place) {
	case VARIABLE_MEMORY: *ret = go_object(variable->type, variable->addr); return NULL;
	case VARIABLE_CONSTANT: ret->bytes = variable->bytes; return NULL;
	case VARIABLE_REGISTER: break;
	default:
		if (!context->runs)
			return NULL;
		return error_about(
			error_at(error_make(DC_VALUE, "%s is not known here: %s", variable->name,
					    variable->why_gone ?: "it has no place"),
				 node->start),
			DC_VALUE_OPTIMISED_OUT);
	}
	if (!context->runs)
		return NULL;
	value.lvalue = LVALUE_REGISTER;
	value.reg = variable->reg;
	err = lvalue_load(&context->access, &value);
	bytes = !err ? go_alloc(context, go_size(variable->type)) : NULL;
	if (bytes)
		ret->bytes = memcpy(bytes, value.bytes, go_size(variable->type));
	value_deinit(&value);
	return err || bytes ? err : &dc_out_of_memory;
}

// One that escaped is on the heap, and its name says so by an &.
static struct dc_error *local(struct context *context, const struct node *node, struct operand *ret,
			      bool *found)
{
	const struct symbols_frame *frame = context->frame;
	struct variable variable;
	char name[256];
	struct dc_error *err;

	*found = false;
	if (!frame || !frame->pc || strlen(node->text) + 2 > sizeof(name))
		return NULL;
	if (context->runs) {
		err = access_frame(&context->access);
		if (err)
			return err;
		frame = context->access.frame.pc ? &context->access.frame : frame;
	}
	for (int escaped = 0; escaped < 2 && !*found; escaped++) {
		snprintf(name, sizeof(name), "%s%s", escaped ? "&" : "", node->text);
		err = symbols_lookup_variable(context->symbols, frame, name, &variable);
		*found = !err;
		dc_error_destroy(err);
		if (!*found)
			continue;
		if (context->effects)
			context->effects->needs_frame = true;
		err = from_variable(context, node, &variable, ret);
		ret->on_stack = !escaped;
		if (err || !escaped)
			return err;
		err = go_load(context, ret);
		if (err)
			return err;
		*ret = ret->bytes ? go_object(go_element(ret->type), go_word(ret, 0))
				  : go_bytes(go_element(ret->type), NULL);
		ret->node = node;
	}
	return NULL;
}

static struct dc_error *from_constant(const struct node *node, const struct go_constant *constant,
				      struct operand *ret)
{
	enum go_kind kind = go_kind(constant->type);
	// Whether it has a type is not told; one of these may have none.
	bool is_untyped = !strchr(constant->type->name ?: "", '.') &&
			  (kind == GO_INT || kind == GO_FLOAT64 || kind == GO_STRING);

	*ret = (struct operand){ .mode = OPERAND_CONSTANT,
				 .type = is_untyped ? NULL : constant->type,
				 .node = node };
	if (constant->text) {
		ret->untyped = is_untyped ? UNTYPED_STRING : UNTYPED_NONE;
		ret->text = constant->text;
		ret->length = strlen(constant->text);
	} else if (type_strip(constant->type)->kind == TYPE_FLOAT) {
		ret->untyped = is_untyped ? UNTYPED_FLOAT : UNTYPED_NONE;
		ret->number = (struct number){ .kind = NUMBER_REAL, .re = constant->real };
	} else {
		ret->untyped = is_untyped ? UNTYPED_INT : UNTYPED_NONE;
		ret->number = (struct number){ .kind = NUMBER_INT,
					       .is_signed = true,
					       .i = (uint128)(int128)constant->integer };
	}
	return NULL;
}

static struct dc_error *in_package(struct context *context, const struct node *node,
				   const char *package, const char *name, struct operand *ret,
				   bool *found)
{
	const char *symbol = go_symbol(context, package, name);
	struct go_constant constant;
	struct variable variable;
	struct dc_error *err;

	*found = false;
	if (!symbol)
		return &dc_out_of_memory;
	err = symbols_lookup_variable(context->symbols, NULL, symbol, &variable);
	if (!err) {
		*found = true;
		err = from_variable(context, node, &variable, ret);
		ret->node = node;
		return err;
	}
	dc_error_destroy(err);
	err = go_function(context, node, symbol, ret, found);
	if (err || *found)
		return err;
	*ret = (struct operand){ .mode = OPERAND_TYPE, .node = node };
	ret->type = go_named(context, symbol);
	*found = ret->type;
	if (*found)
		return NULL;
	err = symbols_go_constant(context->symbols, symbol, &constant);
	*found = !err;
	dc_error_destroy(err);
	return *found ? from_constant(node, &constant, ret) : NULL;
}

static const char *nearest(struct context *context, const char *package, const char *name)
{
	const char *symbol = go_symbol(context, package, name);

	return symbol ? symbols_suggest(context->symbols, symbol) : NULL;
}

struct dc_error *go_package_member(struct context *context, const struct node *node,
				   const char *package, const char *name, struct operand *ret)
{
	const char *near;
	bool found;
	struct dc_error *err = in_package(context, node, package, name, ret, &found);

	if (err || found)
		return err;
	near = nearest(context, package, name);
	err = error_make(DC_NAME, "undefined: %s.%s", package, name);
	if (near)
		err = error_note(err, "did you mean '%s'?", near);
	return error_at(error_note(err, "what the program does not use the linker leaves out"),
			node->start);
}

// ---- Go's own -------------------------------------------------------------------------------------

static bool is_builtin(const char *name)
{
	static const char *const names[] = { "len",	"cap",	   "append", "copy",	"min",
					     "max",	"new",	   "make",   "complex", "real",
					     "imag",	"delete",  "close",  "panic",	"print",
					     "println", "recover", "clear" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool universe(struct context *context, const struct node *node, struct operand *ret)
{
	const char *name = node->text;
	struct number number = { .kind = NUMBER_INT, .is_signed = true };

	*ret = (struct operand){ .node = node };
	if (!strcmp(name, "true") || !strcmp(name, "false")) {
		number.i = *name == 't';
		ret->mode = OPERAND_CONSTANT;
		ret->untyped = UNTYPED_BOOL;
		ret->number = number;
	} else if (!strcmp(name, "nil")) {
		ret->mode = OPERAND_CONSTANT;
		ret->untyped = UNTYPED_NIL;
	} else if (is_builtin(name)) {
		ret->mode = OPERAND_BUILTIN;
		ret->text = name;
	} else {
		static const char *const names[] = {
			"bool",	   "int",     "int8",	   "int16",	 "int32",  "int64",
			"uint",	   "uint8",   "uint16",	   "uint32",	 "uint64", "uintptr",
			"float32", "float64", "complex64", "complex128", "string", "error"
		};

		for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !ret->type; i++)
			if (!strcmp(name, names[i]))
				ret->type = go_named(context, name);
		if (!strcmp(name, "byte"))
			ret->type = go_named(context, "uint8");
		if (!strcmp(name, "rune"))
			ret->type = go_named(context, "int32");
		if (!strcmp(name, "any"))
			ret->type = go_named(context, "interface {}")
					    ?: types_go_interface(context->types, "interface {}",
								  true);
		// Its layout is the same everywhere.
		if (!strcmp(name, "error") && !ret->type)
			ret->type = types_go_interface(context->types, name, false);
		ret->mode = OPERAND_TYPE;
		return ret->type;
	}
	return true;
}

struct dc_error *go_name(struct context *context, const struct node *node, struct operand *ret)
{
	const char *package, *other, *near;
	bool found;
	struct dc_error *err;

	if (node->kind == NODE_PACKAGE) {
		if (!symbols_go_package(context->symbols, node->text, &package, &other))
			package = node->text;
		*ret = (struct operand){ .mode = OPERAND_PACKAGE, .text = package, .node = node };
		return NULL;
	}
	err = local(context, node, ret, &found);
	if (!err && !found && universe(context, node, ret))
		return NULL;
	if (!err && !found)
		err = in_package(context, node, context->package, node->text, ret, &found);
	// The frame may be nobody's choice: one of whatever a thread happens to be in.
	if (!err && !found && strcmp(context->package, "main"))
		err = in_package(context, node, "main", node->text, ret, &found);
	if (err || found)
		return err;
	if (symbols_go_package(context->symbols, node->text, &package, &other)) {
		if (other)
			return error_at(error_note(error_make(DC_NAME, "%s may be package %s or %s",
							      node->text, package, other),
						   "a path is written in full: %s.Name", package),
					node->start);
		*ret = (struct operand){ .mode = OPERAND_PACKAGE, .text = package, .node = node };
		return NULL;
	}
	err = error_make(DC_NAME, "undefined: %s", node->text);
	near = nearest(context, context->package, node->text)
		       ?: nearest(context, "main", node->text);
	return error_at(near ? error_note(err, "did you mean '%s'?", near) : err, node->start);
}
