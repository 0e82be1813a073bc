// SPDX-License-Identifier: MIT
// Go's expressions, node by node.
#include "debugger/lang/go/go.h"

#include <inttypes.h>
#include <string.h>

struct dc_error *go_no_value(struct context *context, const struct node *node,
			     const struct operand *operand)
{
	struct dc_error *err;

	switch (operand->mode) {
	case OPERAND_TYPE:
		err = error_make(DC_TYPE, "%s (type) is not an expression",
				 go_source(context, node));
		break;
	case OPERAND_PACKAGE:
		err = error_make(DC_TYPE, "use of package %s without selector", operand->text);
		break;
	case OPERAND_BUILTIN:
		err = error_make(DC_TYPE, "%s (built-in) must be called", operand->text);
		break;
	case OPERAND_TUPLE:
		err = error_make(DC_TYPE, "multiple-value %s in single-value context",
				 go_source(context, node));
		break;
	case OPERAND_NONE:
		err = error_make(DC_TYPE, "%s (no value) used as value", go_source(context, node));
		break;
	default: return NULL;
	}
	return error_at(err, node->start);
}

struct dc_error *go_value(struct context *context, const struct node *node, struct operand *ret)
{
	struct dc_error *err = go_evaluate(context, node, ret);

	if (!err)
		err = go_no_value(context, node, ret);
	if (!err)
		err = error_at(go_load(context, ret), node->start);
	return err;
}

struct dc_error *go_index_value(struct context *context, const struct operand *operand, bool *known,
				int64_t *ret)
{
	struct operand copy = *operand;
	struct number number;
	const struct type *type;
	const char *why;
	struct dc_error *err;

	*known = false;
	if (operand->mode == OPERAND_UNKNOWN)
		return NULL;
	if (operand->type ? !go_is_integer(operand->type)
			  : operand->untyped < UNTYPED_INT || operand->untyped > UNTYPED_COMPLEX)
		return error_make(DC_TYPE, "invalid argument: index %s must be integer",
				  go_describe(context, operand));
	err = go_load(context, &copy);
	if (err)
		return err;
	*known = go_number(&copy, &number);
	if (!*known)
		return NULL;
	err = go_basic(context, "int", &type);
	if (err)
		return err;
	if (!go_represents(type, &number, &why))
		return error_make(DC_TYPE, "invalid argument: index %s must be integer",
				  go_describe(context, operand));
	*ret = (int64_t)number.i;
	if (*ret < 0)
		return error_make(DC_VALUE,
				  "invalid argument: index %s (constant of type int) "
				  "must not be negative",
				  go_source(context, operand->node));
	return NULL;
}

// ---- literals and results -------------------------------------------------------------------------

static struct dc_error *from_client(struct context *context, const struct value *value,
				    struct operand *ret)
{
	unsigned char *bytes = go_alloc(context, go_size(value->type));

	if (!bytes)
		return &dc_out_of_memory;
	*ret = go_bytes(value->type, value->bytes ? bytes : NULL);
	if (value->bytes)
		memcpy(bytes, value->bytes, go_size(value->type));
	if (value->lvalue == LVALUE_LITERAL) {
		ret->text = (const char *)bytes;
		ret->length = go_size(value->type);
		ret->bytes = NULL;
		return go_basic(context, "string", &ret->type);
	}
	if (value->lvalue == LVALUE_MEMORY && !value->bytes)
		*ret = go_object(value->type, value->addr);
	return NULL;
}

static struct dc_error *from_result(struct context *context, const struct node *node,
				    struct operand *ret)
{
	struct variables *variables = context->environment->variables;
	size_t n = variables_nr_results(variables), number = (size_t)node->number.i ?: n;
	const struct value *value;
	bool pending = false;

	value = node->text ? variables_named(variables, node->text, &pending)
			   : variables_result(variables, number);
	if (!value)
		return error_at(node->text ? error_make(DC_NAME, "$%s has no value", node->text)
					   : error_make(DC_NAME, "there is no result $%zu", number),
				node->start);
	if (!type_is_go(value->type))
		return error_at(error_make(DC_TYPE, "the value is of no type of Go's"),
				node->start);
	return from_client(context, value, ret);
}

// ---- selectors ------------------------------------------------------------------------------------

// T.Method and (*T).Method, as functions that take the receiver first.
static struct dc_error *method_expression(struct context *context, const struct node *node,
					  const struct type *type, const char *name,
					  struct operand *ret)
{
	const struct function *function;
	bool takes_pointer;

	if (!go_find_method(context, type, name, &takes_pointer, &function))
		return error_at(error_make(DC_NAME, "%s undefined (type %s has no method %s)",
					   go_source(context, node), go_spelling(context, type),
					   name),
				node->start);
	if (takes_pointer && go_kind(type) != GO_POINTER)
		return error_at(error_make(DC_TYPE,
					   "invalid method expression %s (needs pointer receiver "
					   "(*%s).%s)",
					   go_source(context, node), go_spelling(context, type),
					   name),
				node->start);
	*ret = (struct operand){ .mode = OPERAND_FUNCTION,
				 .type = function->type,
				 .function = function,
				 .addr = function->addr,
				 .node = node };
	return NULL;
}

// A function within another one: "main.main.func1".
static struct dc_error *nested_function(struct context *context, const struct node *node,
					const struct operand *outer, struct operand *ret)
{
	size_t size = strlen(outer->function->name) + strlen(node->text) + 2;
	char *name = go_alloc(context, size);
	bool found;
	struct dc_error *err;

	if (!name)
		return &dc_out_of_memory;
	snprintf(name, size, "%s.%s", outer->function->name, node->text);
	err = go_function(context, node, name, ret, &found);
	if (err || found)
		return err;
	return error_at(error_make(DC_NAME, "undefined: %s", name), node->start);
}

static struct dc_error *selector(struct context *context, const struct node *node,
				 struct operand *ret)
{
	const char *package, *other;
	struct operand left;
	struct dc_error *err = go_evaluate(context, node->left, &left);

	if (err)
		return err;
	// main.main: the package, not its function.
	if (left.mode == OPERAND_FUNCTION && node->left->kind == NODE_NAME &&
	    symbols_go_package(context->symbols, node->left->text, &package, &other) && !other)
		left = (struct operand){ .mode = OPERAND_PACKAGE, .text = package };
	switch (left.mode) {
	case OPERAND_PACKAGE: return go_package_member(context, node, left.text, node->text, ret);
	case OPERAND_TYPE: return method_expression(context, node, left.type, node->text, ret);
	case OPERAND_FUNCTION: return nested_function(context, node, &left, ret);
	case OPERAND_UNKNOWN: *ret = left; return NULL;
	case OPERAND_VALUE:
	case OPERAND_CONSTANT: break;
	default:
		err = go_no_value(context, node->left, &left);
		if (err)
			return err;
		return error_at(error_make(DC_TYPE, "%s has no fields", go_source(context, node)),
				node->start);
	}
	if (!left.type)
		return error_at(error_make(DC_NAME, "%s undefined", go_source(context, node)),
				node->start);
	return go_select(context, node, &left, node->text, ret);
}

// main.(*T) is a type of the package; x.(T) asks what x holds.
static struct dc_error *package_type(struct context *context, const struct node *node,
				     const char *package, struct operand *ret)
{
	const struct node *inner = node->right;
	struct context within = *context;
	struct dc_error *err;

	within.package = package;
	*ret = (struct operand){ .mode = OPERAND_TYPE, .node = node };
	err = go_need_type(&within, inner, &ret->type);
	context->arena = within.arena;
	return err;
}

static struct dc_error *assertion(struct context *context, const struct node *node,
				  struct operand *ret)
{
	struct operand left, held;
	const struct type *type;
	bool known;
	struct dc_error *err = go_evaluate(context, node->left, &left);

	if (err)
		return err;
	if (left.mode == OPERAND_PACKAGE)
		return package_type(context, node, left.text, ret);
	err = go_no_value(context, node->left, &left);
	if (!err)
		err = go_need_type(context, node->right, &type);
	if (err)
		return err;
	*ret = go_bytes(type, NULL);
	ret->node = node;
	if (left.mode == OPERAND_UNKNOWN)
		return NULL;
	if (!left.type || !go_is_interface(left.type))
		return error_at(error_make(DC_TYPE, "invalid operation: %s is not an interface",
					   go_describe(context, &left)),
				node->start);
	err = go_dynamic(context, &left, &known, &held);
	if (err || !known)
		return err;
	if (go_is_interface(type)) {
		*ret = left;
		if (!go_identical(left.type, type))
			return error_at(
				error_make(DC_REFUSED,
					   "an interface is not made into another one here"),
				node->start);
		return NULL;
	}
	if (!held.type || !go_identical(type_strip(held.type), type_strip(type)))
		return error_at(error_make(DC_VALUE, "interface conversion: %s is %s, not %s",
					   go_spelling(context, left.type),
					   held.type ? go_spelling(context, held.type) : "nil",
					   go_spelling(context, type)),
				node->start);
	held.type = type;
	held.node = node;
	*ret = held;
	return NULL;
}

// ---- pointers and assignment ----------------------------------------------------------------------

static struct dc_error *address_of(struct context *context, const struct node *node,
				   struct operand *ret)
{
	struct operand operand;
	const struct type *type;
	uint64_t *word;
	struct dc_error *err;

	if (node->left->kind == NODE_COMPOSITE && node->left->left)
		return go_composite_pointer(context, node->left, ret);
	context->addresses = true;
	err = go_evaluate(context, node->left, &operand);
	context->addresses = false;
	if (!err)
		err = go_no_value(context, node->left, &operand);
	if (err || operand.mode == OPERAND_UNKNOWN) {
		*ret = operand;
		return err;
	}
	if (operand.mode != OPERAND_VALUE || (!operand.is_object && context->runs))
		return error_at(error_make(DC_TYPE, "invalid operation: cannot take address of %s",
					   go_describe(context, &operand)),
				node->start);
	type = operand.has_no_type ? operand.type : types_pointer(context->types, operand.type);
	word = go_alloc(context, sizeof(*word));
	if (!type || !word)
		return &dc_out_of_memory;
	*word = operand.addr;
	*ret = go_bytes(type, operand.is_object ? (unsigned char *)word : NULL);
	ret->to_stack = operand.on_stack;
	ret->node = node;
	return NULL;
}

static struct dc_error *dereference(struct context *context, const struct node *node,
				    struct operand *ret)
{
	struct operand operand;
	struct dc_error *err = go_evaluate(context, node->left, &operand);

	if (err)
		return err;
	if (operand.mode == OPERAND_TYPE) {
		*ret = operand;
		ret->type = types_pointer(context->types, operand.type);
		ret->node = node;
		return ret->type ? NULL : &dc_out_of_memory;
	}
	err = go_no_value(context, node->left, &operand);
	if (!err)
		err = go_load(context, &operand);
	if (err || operand.mode == OPERAND_UNKNOWN) {
		*ret = operand;
		return err;
	}
	if (!operand.type || go_kind(operand.type) != GO_POINTER)
		return error_at(error_make(DC_TYPE, "invalid operation: cannot indirect %s",
					   go_describe(context, &operand)),
				node->start);
	*ret = go_bytes(go_element(operand.type), NULL);
	ret->node = node;
	if (!operand.bytes)
		return NULL;
	if (!go_word(&operand, 0))
		return error_at(error_make(DC_VALUE, "invalid memory address or nil pointer "
						     "dereference"),
				node->start);
	*ret = go_object(ret->type, go_word(&operand, 0));
	ret->node = node;
	return NULL;
}

static struct dc_error *assign(struct context *context, const struct node *node,
			       struct operand *ret)
{
	const struct caller *caller = context->caller;
	struct operand left, right, value;
	struct dc_error *err = go_evaluate(context, node->left, &left);

	if (!err)
		err = go_no_value(context, node->left, &left);
	if (err)
		return err;
	if (left.mode != OPERAND_VALUE || (context->runs && !left.is_object))
		return error_at(
			error_make(DC_TYPE, "cannot assign to %s", go_describe(context, &left)),
			node->start);
	err = go_composite(context, node->right, left.type, &right);
	if (!err && node->op) {
		value = left;
		err = go_load(context, &value);
		if (!err)
			err = go_binary_of(context, node, node->op, &value, &right, &value);
		right = value;
		right.node = node->right;
	}
	if (!err)
		err = go_assign(context, &right, left.type, "in assignment");
	if (err)
		return err;
	if (go_has_pointers(left.type))
		return error_at(error_make(DC_REFUSED,
					   "%s holds pointers, and the program's collector would "
					   "not learn of the assignment",
					   go_describe(context, &left)),
				node->start);
	if (context->effects)
		context->effects->writes = true;
	*ret = left;
	ret->bytes = right.bytes;
	if (!context->runs)
		return NULL;
	return caller->write(caller->arg, left.addr, right.bytes, go_size(left.type));
}

// ---- all of them ----------------------------------------------------------------------------------

struct dc_error *go_evaluate(struct context *context, const struct node *node, struct operand *ret)
{
	struct dc_error *err = NULL;

	*ret = (struct operand){ .node = node };
	switch (node->kind) {
	case NODE_NAME:
	case NODE_PACKAGE: err = go_name(context, node, ret); break;
	case NODE_NUMBER:
		*ret = (struct operand){ .mode = OPERAND_CONSTANT,
					 .untyped = node->untyped,
					 .number = node->number };
		break;
	case NODE_STRING:
	case NODE_GIVEN:
		*ret = (struct operand){ .mode = OPERAND_CONSTANT,
					 .untyped = node->text ? UNTYPED_STRING : node->untyped,
					 .number = node->number,
					 .text = node->text,
					 .length = node->length };
		break;
	case NODE_RESULT: err = from_result(context, node, ret); break;
	case NODE_SELECTOR: err = selector(context, node, ret); break;
	case NODE_INDEX: err = go_index(context, node, ret); break;
	case NODE_SLICE: err = go_slice(context, node, ret); break;
	case NODE_ASSERT: err = assertion(context, node, ret); break;
	case NODE_CALL: err = go_call(context, node, ret); break;
	case NODE_UNARY:
		err = node->op == OP_ADDRESS	   ? address_of(context, node, ret)
		      : node->op == OP_DEREFERENCE ? dereference(context, node, ret)
						   : go_unary(context, node, ret);
		break;
	case NODE_BINARY: err = go_binary(context, node, ret); break;
	case NODE_COMPOSITE: err = go_composite(context, node, NULL, ret); break;
	case NODE_ASSIGN: err = assign(context, node, ret); break;
	case NODE_KEYED:
		err = error_at(error_make(DC_SYNTAX, "unexpected ':'"), node->start);
		break;
	default:
		ret->mode = OPERAND_TYPE;
		err = go_need_type(context, node, &ret->type);
		break;
	}
	if (!err)
		ret->node = node;
	return err;
}
