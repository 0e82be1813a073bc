// SPDX-License-Identifier: MIT
// Go as a language: an expression's text to its tree, its check and its run.
#include "debugger/lang/go/context.h"
#include "debugger/lang/language.h"

#include <string.h>

void context_begin(struct context *context, const struct environment *environment)
{
	*context = (struct context){ .environment = environment,
				     .symbols = environment->symbols,
				     .types = symbols_types(environment->symbols),
				     .caller = environment->caller,
				     .package = "main",
				     .text = "",
				     .runs = true };
	context->access = (struct access){ .symbols = environment->symbols,
					   .caller = environment->caller };
}

void context_end(struct context *context)
{
	arena_deinit(&context->arena);
}

struct operand context_take(struct context *context, const struct value *value)
{
	struct operand operand = go_bytes(value->type, value->bytes);
	const struct type *type = type_strip(value->type);

	(void)context;
	if (value->lvalue == LVALUE_MEMORY) {
		operand.is_object = true;
		operand.addr = value->addr;
	}
	if (value->lvalue == LVALUE_LITERAL && value->bytes) {
		operand.text = (const char *)value->bytes;
		operand.length = go_size(type);
		operand.bytes = NULL;
	}
	return operand;
}

static struct dc_error *give_tuple(struct context *context, struct operand *operand,
				   struct value *ret)
{
	const struct type **parts = go_alloc(context, operand->nr_list * sizeof(struct type *));
	const struct type_member *members;
	size_t n;
	struct dc_error *err;

	if (!parts)
		return &dc_out_of_memory;
	for (size_t i = 0; i < operand->nr_list; i++)
		parts[i] = operand->list[i].type;
	ret->type = types_go_tuple(context->types, parts, operand->nr_list);
	if (!ret->type)
		return &dc_out_of_memory;
	err = type_members(ret->type, &members, &n);
	if (!err)
		err = value_set(ret, NULL, ret->type->size);
	for (size_t i = 0; !err && i < n; i++)
		memcpy(ret->bytes + members[i].offset, operand->list[i].bytes,
		       go_size(members[i].type));
	return err;
}

struct dc_error *context_give(struct context *context, struct operand *operand, struct value *ret)
{
	struct dc_error *err;

	*ret = (struct value){ 0 };
	switch (operand->mode) {
	case OPERAND_NONE: ret->type = types_basic(context->types, "void"); return NULL;
	case OPERAND_TUPLE: return give_tuple(context, operand, ret);
	case OPERAND_FUNCTION:
	case OPERAND_METHOD:
		if (!operand->type)
			return error_make(DC_TYPE, "'%s' has no debug information",
					  operand->function->name);
		*ret = (struct value){ .type = operand->type,
				       .lvalue = LVALUE_FUNCTION,
				       .addr = operand->addr,
				       .name = operand->function->name,
				       .symbol = operand->function };
		return NULL;
	default: break;
	}
	err = go_settle(context, operand);
	if (!err)
		err = go_load(context, operand);
	if (err)
		return err;
	if (operand->text && !operand->bytes) {
		ret->type = types_go_text(context->types, operand->length);
		ret->lvalue = LVALUE_LITERAL;
		return ret->type ? value_set(ret, operand->text, operand->length)
				 : &dc_out_of_memory;
	}
	*ret = (struct value){ .type = operand->type };
	if (operand->is_object) {
		ret->lvalue = LVALUE_MEMORY;
		ret->addr = operand->addr;
	}
	return operand->bytes ? value_set(ret, operand->bytes, go_size(operand->type))
			      : error_make(DC_VALUE, "the value is not known");
}

// ---- the language ---------------------------------------------------------------------------------

static const char *package_at(struct symbols *symbols, const struct symbols_frame *frame)
{
	const char *package = frame ? symbols_go_package_at(symbols, frame->pc) : NULL;

	return package && strcmp(package, "runtime") ? package : "main";
}

static void begin(struct context *context, const struct environment *environment,
		  const struct expression *expression, bool runs)
{
	context_begin(context, environment);
	context->text = expression->text;
	context->whole = expression->root;
	context->runs = runs;
	context->expression = (struct expression *)expression;
	context->frame = expression->frame.pc ? &expression->frame : NULL;
	context->package = package_at(environment->symbols, context->frame);
	if (!runs)
		context->effects = &context->expression->effects;
}

// A plain name that only a frame can explain.
static void find_locals(struct context *context, const struct node *node)
{
	struct operand operand;
	struct dc_error *err;

	if (!node)
		return;
	if (node->kind == NODE_NAME) {
		err = go_name(context, node, &operand);
		if (err && err->code == DC_NAME && !context->frame)
			context->effects->needs_frame = context->effects->names_plainly = true;
		dc_error_destroy(err);
		return;
	}
	find_locals(context, node->left);
	// What is behind a colon, or a type, names no locals; nor does a field.
	if (node->kind != NODE_ASSERT)
		find_locals(context, node->right);
	if (node->kind == NODE_TYPE_STRUCT)
		return;
	for (size_t i = 0; i < node->nr_list; i++) {
		if (node->list[i] && node->list[i]->kind == NODE_KEYED)
			find_locals(context, node->list[i]->right);
		else
			find_locals(context, node->list[i]);
	}
}

static struct dc_error *go_parse(const struct environment *environment,
				 const struct symbols_frame *frame, struct expression *expression)
{
	struct context context;
	struct operand operand;
	struct dc_error *err = go_read(environment->symbols, expression);

	if (err)
		return err;
	expression->frame = *frame;
	begin(&context, environment, expression, false);
	err = go_evaluate(&context, expression->root, &operand);
	if (err && err->code == DC_NAME)
		find_locals(&context, expression->root);
	expression->effects = (struct effects){
		.needs_frame = expression->effects.needs_frame,
		.names_plainly = expression->effects.names_plainly,
	};
	dc_error_destroy(err);
	context_end(&context);
	return NULL;
}

static struct node *make_literal(struct expression *expression, const struct value *value)
{
	struct node *node = arena_alloc(&expression->arena, sizeof(*node));
	struct dc_error *err;

	if (!node)
		return NULL;
	node->kind = NODE_GIVEN;
	if (value->lvalue == LVALUE_LITERAL) {
		node->untyped = UNTYPED_STRING;
		node->length = value->type->count - 1;
		node->text = go_text(expression, (const char *)value->bytes, node->length);
		return node->text ? node : NULL;
	}
	err = number_read(value->type, value->bytes, &node->number);
	node->untyped = node->number.kind == NUMBER_INT ? UNTYPED_INT : UNTYPED_FLOAT;
	node->number.is_signed = true;
	dc_error_destroy(err);
	return err ? NULL : node;
}

static struct dc_error *call_with(struct expression *expression, const struct value *args,
				  size_t nr_args)
{
	struct node *node = arena_alloc(&expression->arena, sizeof(*node));
	struct node **list = arena_alloc(&expression->arena, (nr_args + 1) * sizeof(*list));

	if (!node || !list)
		return &dc_out_of_memory;
	for (size_t i = 0; i < nr_args; i++) {
		list[i] = make_literal(expression, &args[i]);
		if (!list[i])
			return &dc_out_of_memory;
	}
	node->kind = NODE_CALL;
	node->left = expression->root;
	node->list = list;
	node->nr_list = nr_args;
	node->start = expression->root->start;
	node->end = expression->root->end;
	expression->root = node;
	return NULL;
}

static struct dc_error *go_check(const struct environment *environment,
				 struct expression *expression,
				 struct dc_error *(*abi)(const struct type *function))
{
	struct context context;
	struct operand operand;
	struct dc_error *err;

	(void)abi;
	expression->effects = (struct effects){ .needs_frame = expression->effects.needs_frame };
	begin(&context, environment, expression, false);
	err = go_evaluate(&context, expression->root, &operand);
	if (!err && (operand.mode == OPERAND_TYPE || operand.mode == OPERAND_PACKAGE ||
		     operand.mode == OPERAND_BUILTIN))
		err = go_value(&context, expression->root, &operand);
	if (!err && operand.mode == OPERAND_FUNCTION)
		expression->effects.function = operand.function;
	context_end(&context);
	return err;
}

static struct dc_error *go_run(const struct environment *environment,
			       const struct expression *expression, struct value *ret)
{
	struct context context;
	struct operand operand;
	struct dc_error *err;

	begin(&context, environment, expression, true);
	err = go_evaluate(&context, expression->root, &operand);
	if (!err)
		err = error_at(context_give(&context, &operand, ret), expression->root->start);
	context_end(&context);
	return err;
}

const struct language language_go = {
	.name = "Go",
	.source = SOURCE_GO,
	.parse = go_parse,
	.call = call_with,
	.check = go_check,
	.evaluate = go_run,
	.spell = type_spell,
	.contain = go_contain,
	.print = go_print,
};
