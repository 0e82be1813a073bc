// SPDX-License-Identifier: MIT
// Go's types: their kinds and properties, and what names and written types stand for.
#include "debugger/lang/go/go.h"

#include "debugger/base/cleanup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

enum go_kind go_kind(const struct type *type)
{
	type = type_strip(type);
	if (type->go_kind)
		return type->go_kind;
	switch (type->kind) {
	case TYPE_POINTER: return GO_POINTER;
	case TYPE_ARRAY: return GO_ARRAY;
	case TYPE_FUNCTION: return GO_FUNC;
	default: return GO_NONE;
	}
}

const struct type *go_element(const struct type *type)
{
	type = type_strip(type);
	return type->kind == TYPE_POINTER || type->kind == TYPE_ARRAY ? type->target
								      : type_go_element(type);
}

uint64_t go_size(const struct type *type)
{
	uint64_t size;

	return type_size(type_strip(type), &size) ? size : 0;
}

bool go_is_named(const struct type *type)
{
	static const char *const written[] = { "[",	  "*",	      "func(",
					       "map[",	  "chan ",    "chan<-",
					       "<-chan ", "struct {", "interface {" };

	for (size_t i = 0; type->name && i < sizeof(written) / sizeof(*written); i++)
		if (!strncmp(type->name, written[i], strlen(written[i])))
			return false;
	return type->name;
}

static bool identical(const struct type *a, const struct type *b, int depth)
{
	if (a == b || depth > DEPTH_MAX)
		return a == b;
	if (a->name && b->name)
		return !strcmp(a->name, b->name);
	if (a->name || b->name) {
		// One of them may have been made here.
		_cleanup_free_ char *x = type_spell(a, NULL), *y = type_spell(b, NULL);

		return x && y && !strcmp(x, y);
	}
	if (a->kind != b->kind || a->go_kind != b->go_kind)
		return false;
	if (a->kind == TYPE_POINTER)
		return identical(a->target, b->target, depth + 1);
	if (a->kind == TYPE_ARRAY)
		return a->count == b->count && identical(a->target, b->target, depth + 1);
	return a->go_kind == GO_SLICE && identical(go_element(a), go_element(b), depth + 1);
}

bool go_identical(const struct type *a, const struct type *b)
{
	return identical(a, b, 0);
}

bool go_is_integer(const struct type *type)
{
	enum go_kind kind = go_kind(type);

	return kind >= GO_INT && kind <= GO_UINTPTR;
}

bool go_is_numeric(const struct type *type)
{
	enum go_kind kind = go_kind(type);

	return kind >= GO_INT && kind <= GO_COMPLEX128;
}

bool go_is_interface(const struct type *type)
{
	return go_kind(type) == GO_INTERFACE;
}

bool go_is_eface(const struct type *type)
{
	const struct type *under = type_strip(type)->target;

	under = under && under->kind == TYPE_POINTER ? under->target : under;
	return go_is_interface(type) && under && under->name && strstr(under->name, "eface");
}

static bool all_members(const struct type *type, bool (*is)(const struct type *))
{
	const struct type_member *members;
	size_t n;
	struct dc_error *err = type_members(type_strip(type), &members, &n);

	if (err) {
		dc_error_destroy(err);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!is(members[i].type))
			return false;
	return true;
}

bool go_is_comparable(const struct type *type)
{
	switch (go_kind(type)) {
	case GO_SLICE:
	case GO_MAP:
	case GO_FUNC: return false;
	case GO_ARRAY: return go_is_comparable(go_element(type));
	case GO_STRUCT: return all_members(type, go_is_comparable);
	default: return true;
	}
}

bool go_is_ordered(const struct type *type)
{
	enum go_kind kind = go_kind(type);

	return (kind >= GO_INT && kind <= GO_FLOAT64) || kind == GO_STRING;
}

static bool has_none(const struct type *type)
{
	return !go_has_pointers(type);
}

bool go_has_pointers(const struct type *type)
{
	enum go_kind kind = go_kind(type);

	if (kind >= GO_BOOL && kind <= GO_COMPLEX128)
		return false;
	if (kind == GO_ARRAY)
		return type_strip(type)->count && go_has_pointers(go_element(type));
	return kind != GO_STRUCT || !all_members(type, has_none);
}

bool go_is_direct(const struct type *type)
{
	const struct type_member *members;
	size_t n;

	switch (go_kind(type)) {
	case GO_POINTER:
	case GO_UNSAFE_POINTER:
	case GO_MAP:
	case GO_CHAN:
	case GO_FUNC: return true;
	case GO_ARRAY: return type_strip(type)->count == 1 && go_is_direct(go_element(type));
	case GO_STRUCT: break;
	default: return false;
	}
	struct dc_error *err = type_members(type_strip(type), &members, &n);

	dc_error_destroy(err);
	return !err && n == 1 && go_is_direct(members[0].type);
}

// ---- by name --------------------------------------------------------------------------------------

const struct type *go_named(struct context *context, const char *name)
{
	const struct type *type = NULL;
	struct dc_error *err = symbols_go_type(context->symbols, name, &type);

	dc_error_destroy(err);
	return err ? NULL : type;
}

struct dc_error *go_basic(struct context *context, const char *name, const struct type **ret)
{
	return symbols_go_type(context->symbols, name, ret);
}

const char *go_spelling(struct context *context, const struct type *type)
{
	_cleanup_free_ char *text = type_spell(type, NULL);
	char *copy = text ? go_alloc(context, strlen(text) + 1) : NULL;

	return copy ? strcpy(copy, text) : "?";
}

static struct dc_error *written(struct context *context, const struct node *node, const char *name,
				const struct type **ret)
{
	*ret = go_named(context, name);
	if (*ret)
		return NULL;
	return error_at(error_make(DC_NAME, "the program has no type %s", name), node->start);
}

static struct dc_error *array_type(struct context *context, const struct node *node,
				   const struct type *element, const struct type **ret)
{
	struct operand length;
	bool known;
	int64_t count = 0;
	struct dc_error *err;

	if (!node->right)
		return error_at(error_make(DC_TYPE, "invalid use of '...': the length of an array "
						    "follows only from a literal's elements"),
				node->start);
	err = go_value(context, node->right, &length);
	if (!err)
		err = go_index_value(context, &length, &known, &count);
	if (!err && (!known || count < 0))
		err = error_make(DC_TYPE, "invalid array length");
	if (err)
		return error_at(err, node->right->start);
	*ret = types_array(context->types, element, (uint64_t)count);
	return *ret ? NULL : &dc_out_of_memory;
}

static struct dc_error *write_list(struct context *context, struct node *const *list, size_t n,
				   bool spreads, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct type *type;
		struct dc_error *err = go_need_type(context, list[i], &type);

		if (err)
			return err;
		fprintf(out, "%s%s%s", i ? ", " : "", spreads && i + 1 == n ? "..." : "",
			go_spelling(context, type));
	}
	return NULL;
}

static struct dc_error *write_function(struct context *context, const struct node *node, FILE *out)
{
	size_t nr_taken = node->nr_list - node->nr_results;
	struct dc_error *err;

	fputs("func(", out);
	err = write_list(context, node->list, nr_taken, node->spreads, out);
	fputs(node->nr_results > 1 ? ") (" : node->nr_results ? ") " : ")", out);
	if (!err)
		err = write_list(context, node->list + nr_taken, node->nr_results, false, out);
	if (node->nr_results > 1)
		fputc(')', out);
	return err;
}

static struct dc_error *write_struct(struct context *context, const struct node *node, FILE *out)
{
	fputs("struct {", out);
	for (size_t i = 0; i < node->nr_list; i++) {
		const struct node *field = node->list[i];
		const struct type *type;
		struct dc_error *err = go_need_type(context, field->right, &type);

		if (err)
			return err;
		fprintf(out, "%s %s%s%s", i ? ";" : "", field->left ? field->left->text : "",
			field->left ? " " : "", go_spelling(context, type));
	}
	fputs(node->nr_list ? " }" : "}", out);
	return NULL;
}

static struct dc_error *write_type(struct context *context, const struct node *node, FILE *out)
{
	const struct type *key, *element;
	struct dc_error *err;

	switch (node->kind) {
	case NODE_TYPE_FUNC: return write_function(context, node, out);
	case NODE_TYPE_STRUCT: return write_struct(context, node, out);
	case NODE_TYPE_INTERFACE:
		fprintf(out,
			node->text[strspn(node->text, " ")] ? "interface { %s }" : "interface {}",
			node->text);
		return NULL;
	case NODE_TYPE_CHAN:
		err = go_need_type(context, node->left, &element);
		if (!err)
			fprintf(out, "%s%s", node->text, go_spelling(context, element));
		return err;
	default:
		err = go_need_type(context, node->left, &key);
		if (!err)
			err = go_need_type(context, node->right, &element);
		if (!err)
			fprintf(out, "map[%s]%s", go_spelling(context, key),
				go_spelling(context, element));
		return err;
	}
}

// A function's or an interface's layout is the same in every program.
static struct dc_error *make_type(struct context *context, const struct node *node,
				  const char *name, const struct type **ret)
{
	_cleanup_free_ struct type_param *params = NULL;
	size_t nr_taken = node->nr_list - node->nr_results;

	if (node->kind == NODE_TYPE_INTERFACE) {
		*ret = types_go_interface(context->types, name, !strcmp(name, "interface {}"));
		return *ret ? NULL : &dc_out_of_memory;
	}
	params = calloc(node->nr_list + 1, sizeof(*params));
	if (!params)
		return &dc_out_of_memory;
	for (size_t i = 0; i < node->nr_list; i++) {
		struct dc_error *err = go_need_type(context, node->list[i], &params[i].type);

		if (!err && node->spreads && i + 1 == nr_taken) {
			params[i].type = types_go_slice(context->types, params[i].type);
			err = params[i].type ? NULL : &dc_out_of_memory;
		}
		if (err)
			return err;
		params[i].is_result = i >= nr_taken;
	}
	*ret = types_go_func(context->types, name, params, node->nr_list, node->spreads);
	return *ret ? NULL : &dc_out_of_memory;
}

// Those whose layout the program must tell, but for some.
static struct dc_error *told_type(struct context *context, const struct node *node,
				  const struct type **ret)
{
	_cleanup_free_ char *name = NULL;
	size_t size;
	FILE *out = open_memstream(&name, &size);
	struct dc_error *err;

	if (!out)
		return &dc_out_of_memory;
	err = write_type(context, node, out);
	if (fclose(out) && !err)
		err = &dc_out_of_memory;
	if (err)
		return err;
	*ret = node->kind == NODE_TYPE_FUNC || node->kind == NODE_TYPE_INTERFACE
		       ? go_named(context, name)
		       : NULL;
	if (*ret)
		return NULL;
	return node->kind == NODE_TYPE_FUNC || node->kind == NODE_TYPE_INTERFACE
		       ? make_type(context, node, name, ret)
		       : written(context, node, name, ret);
}

struct dc_error *go_type_of(struct context *context, const struct node *node,
			    const struct type **ret)
{
	struct operand operand;
	struct dc_error *err;

	*ret = NULL;
	switch (node->kind) {
	case NODE_NAME:
	case NODE_SELECTOR:
	case NODE_INDEX:
		err = go_evaluate(context, node, &operand);
		if (!err && operand.mode == OPERAND_TYPE)
			*ret = operand.type;
		return err;
	case NODE_UNARY:
		if (node->op != OP_DEREFERENCE)
			return NULL;
		err = go_type_of(context, node->left, ret);
		if (err || !*ret)
			return err;
		*ret = types_pointer(context->types, *ret);
		return *ret ? NULL : &dc_out_of_memory;
	case NODE_TYPE_SLICE:
	case NODE_TYPE_ARRAY:
		err = go_need_type(context, node->left, ret);
		if (err)
			return err;
		if (node->kind == NODE_TYPE_ARRAY)
			return array_type(context, node, *ret, ret);
		*ret = types_go_slice(context->types, *ret);
		return *ret ? NULL : &dc_out_of_memory;
	case NODE_TYPE_MAP:
	case NODE_TYPE_CHAN:
	case NODE_TYPE_FUNC:
	case NODE_TYPE_STRUCT:
	case NODE_TYPE_INTERFACE: return told_type(context, node, ret);
	default: return NULL;
	}
}

struct dc_error *go_need_type(struct context *context, const struct node *node,
			      const struct type **ret)
{
	struct dc_error *err = go_type_of(context, node, ret);

	if (err || *ret)
		return err;
	return error_at(error_make(DC_TYPE, "%s is not a type", go_source(context, node)),
			node->start);
}

struct dc_error *go_default_type(struct context *context, const struct operand *operand,
				 const struct type **ret)
{
	static const char *const names[] = { "",	"bool",	      "int",	"int32",
					     "float64", "complex128", "string", "" };

	return go_basic(context, names[operand->untyped], ret);
}
