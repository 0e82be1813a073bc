// SPDX-License-Identifier: MIT
// Values as the client shows them: text, type, children in pages.
#include "debugger/front/dap/dap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A client that asks for all of an array that has more gets so many, and is told.
enum { CHILDREN_MAX = 1000 };

char dap_format(struct request *request)
{
	const json_t *format = argument_object(request, request->arguments, "format");

	return argument_flag(request, format, "hex", false) ? 'x' : 0;
}

static bool is_indexed(const struct dc_value *value)
{
	return value->type.kind == DC_TYPE_ARRAY || value->type.kind == DC_TYPE_VECTOR;
}

// Where its memory is to be looked at: of a pointer what it points to.
static json_t *memory_reference(const struct dc_value *value)
{
	uint64_t addr = value->addr;

	if (value->type.kind == DC_TYPE_POINTER && value->bytes && value->type.size == sizeof(addr))
		memcpy(&addr, value->bytes, sizeof(addr));
	else if (value->lvalue != DC_LVALUE_MEMORY)
		return NULL;
	return json_sprintf("0x%" PRIx64, addr);
}

static struct dc_error *text_of(struct request *request, const struct dc_value *value, json_t **ret)
{
	char *text;
	// Of what is not a number, each part is shown so by itself.
	struct dc_error *err = dc_value_text(value, dap_format(request), &text);

	// Not every value can be shown in another base.
	if (err && dap_format(request)) {
		dc_error_destroy(err);
		err = dc_value_text(value, 0, &text);
	}
	if (err)
		return err;
	*ret = json_text(text ?: "void");
	free(text);
	return NULL;
}

json_t *dap_describe(struct request *request, struct dc_value *value, struct dc_error **err)
{
	json_t *body, *text;
	uint64_t nr = value->nr_children;
	bool is_settable = value->lvalue != DC_LVALUE_NONE;

	*err = text_of(request, value, &text);
	if (*err) {
		dc_value_destroy(value);
		return NULL;
	}
	body = json_pack("{so so* so*}", "result", text, "type",
			 value->type.name ? json_text(value->type.name) : NULL, "memoryReference",
			 memory_reference(value));
	if (nr)
		json_object_set_new(body, is_indexed(value) ? "indexedVariables" : "namedVariables",
				    json_integer((json_int_t)nr));
	if (!is_settable)
		json_object_set_new(body, "presentationHint",
				    json_pack("{s[s]}", "attributes", "readOnly"));

	int number = 0;

	if (nr)
		number = references_add(request->dap->references,
					&(struct reference){ REFERENCE_VALUE,
							     .value = { value, request->around } });
	else
		dc_value_destroy(value);
	json_object_set_new(body, "variablesReference", json_integer(number));
	return body;
}

// A variable has a name and a value where evaluate has a result.
json_t *dap_as_variable(json_t *body, const char *name)
{
	json_object_set(body, "value", json_object_get(body, "result"));
	json_object_del(body, "result");
	json_object_set_new(body, "name", json_text(name));
	return body;
}

// A part that cannot be described is a line that says why.
static void add_child(struct request *request, json_t *variables, struct dc_value *child)
{
	struct dc_error *err = NULL;
	char *name = strdup(child->name ?: "");
	json_t *expression = child->expression ? json_text(child->expression) : NULL;
	json_t *body = dap_describe(request, child, &err);

	if (err)
		body = json_pack("{so* si}", "result", json_text(err->message),
				 "variablesReference", 0);
	if (expression)
		json_object_set_new(body, "evaluateName", expression);
	json_array_append_new(variables, dap_as_variable(body, name ?: ""));
	dc_error_destroy(err);
	free(name);
}

static struct dc_error *list_children(struct request *request, const struct dc_value *whole,
				      uint64_t start, uint64_t count, json_t *variables)
{
	uint64_t all = whole->nr_children;
	struct dc_value **children;
	size_t n;

	if (start >= all)
		return NULL;
	if (!count || count > all - start)
		count = all - start;
	if (count > CHILDREN_MAX)
		count = CHILDREN_MAX;
	children = calloc(count, sizeof(*children));
	if (!children) {
		request_complain(request, "out of memory");
		return NULL;
	}
	struct dc_error *err = dc_value_children(whole, start, count, children, &n);

	for (size_t i = 0; !err && i < n; i++)
		add_child(request, variables, children[i]);
	free(children);
	return err;
}

static struct dc_error *list_value(struct request *request, const struct dc_value *whole,
				   json_t *variables)
{
	const json_t *arguments = request->arguments;
	const char *filter = argument_text(request, arguments, "filter", false);
	int64_t start = argument_integer(request, arguments, "start", false, 0);
	int64_t count = argument_integer(request, arguments, "count", false, 0);

	if (start < 0 || count < 0)
		request_complain(request, "variables are counted from 0");
	if (request->complaint)
		return NULL;
	if (filter && !strcmp(filter, is_indexed(whole) ? "named" : "indexed"))
		return NULL;
	struct dc_error *err = list_children(request, whole, (uint64_t)start, (uint64_t)count,
					     variables);
	uint64_t shown = json_array_size(variables), end = (uint64_t)start + shown;

	if (!err && !count && shown == CHILDREN_MAX && end < whole->nr_children)
		json_array_append_new(variables, json_pack("{ss so si}", "name", "…", "value",
							   json_sprintf("%" PRIu64 " more",
									whole->nr_children - end),
							   "variablesReference", 0));
	return err;
}

struct dc_error *dap_variables(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	struct references *references = request->dap->references;
	int64_t number = argument_integer(request, request->arguments, "variablesReference", true,
					  0);
	const struct reference *value = references_find(references, number, REFERENCE_VALUE);
	const struct reference *lazy = references_find(references, number, REFERENCE_LAZY);
	const struct reference *scope = references_find(references, number, REFERENCE_SCOPE);
	json_t *variables;
	struct dc_error *err = NULL;

	if (!value && !lazy && !scope)
		request_complain(request, "there is no variable %jd any more", (intmax_t)number);
	if (request->complaint)
		return NULL;
	variables = json_array();
	if (lazy) {
		err = dap_evaluate_lazy(request, session, &lazy->lazy);
		if (!err && !request->complaint)
			json_array_append_new(variables,
					      dap_as_variable(json_copy(request->body), "value"));
		json_decref(request->body);
	} else if (scope) {
		err = dap_list_scope(request, session, &scope->scope, variables);
	} else {
		request->around = value->value.around;
		err = list_value(request, value->value.value, variables);
	}
	request->body = json_pack("{so}", "variables", variables);
	return err;
}

// By its name among the parts of what is shown.
static struct dc_error *find_child(struct request *request, const struct dc_value *whole,
				   const char *name, char **expression)
{
	for (uint64_t start = 0; start < whole->nr_children && !*expression; start += 256) {
		struct dc_value *children[256];
		size_t n;
		struct dc_error *err = dc_value_children(whole, start, 256, children, &n);

		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			if (!*expression && children[i]->name && children[i]->expression &&
			    !strcmp(children[i]->name, name))
				*expression = strdup(children[i]->expression);
			dc_value_destroy(children[i]);
		}
	}
	if (!*expression)
		request_complain(request, "'%s' cannot be set: nothing names it in an expression",
				 name);
	return NULL;
}

struct dc_error *dap_name_variable(struct request *request, struct around *around, char **ret)
{
	const json_t *arguments = request->arguments;
	int64_t number = argument_integer(request, arguments, "variablesReference", true, 0);
	const char *name = argument_text(request, arguments, "name", true);
	const struct references *references = request->dap->references;
	const struct reference *whole = references_find(references, number, REFERENCE_VALUE);
	const struct reference *scope = references_find(references, number, REFERENCE_SCOPE);

	*ret = NULL;
	if (!request->complaint && !whole && !scope)
		request_complain(request, "there is no variable %jd any more", (intmax_t)number);
	if (request->complaint)
		return NULL;
	if (scope) {
		*around = dap_around(&scope->scope.frame);
		*ret = dap_scope_expression(&scope->scope, name);
		return NULL;
	}
	*around = whole->value.around;
	return find_child(request, whole->value.value, name, ret);
}

struct dc_error *dap_set_variable(struct dc_session *session, void *arg)
{
	struct request *request = arg;
	const char *value = argument_text(request, request->arguments, "value", true);
	struct around around;
	char *expression;
	struct dc_error *err = dap_name_variable(request, &around, &expression);

	if (!err && expression && value)
		err = dap_assign(request, session, expression, value, dap_frame_of(&around));
	free(expression);
	return err;
}
