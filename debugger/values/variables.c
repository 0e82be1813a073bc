// SPDX-License-Identifier: MIT
// $name variables and the numbered results $1 $2 …, which live as long as the session.
#include "debugger/values/evaluator.h"

#include <stdlib.h>
#include <string.h>

struct named {
	char *name;
	struct value value; // type NULL: void, as gdb has it before the first assignment
	bool pending; // a check saw an assignment that has not run: the type is not known
};

struct eval_variables {
	struct named *named;
	size_t nr_named;
	struct value *results; // $1 is results[0]
	size_t nr_results;
	// What values that are functions point to; the expressions they came from are gone.
	struct function **functions;
	size_t nr_functions;
};

struct eval_variables *eval_variables_create(void)
{
	return calloc(1, sizeof(struct eval_variables));
}

void eval_variables_destroy(struct eval_variables *variables)
{
	if (!variables)
		return;
	for (size_t i = 0; i < variables->nr_named; i++) {
		free(variables->named[i].name);
		value_deinit(&variables->named[i].value);
	}
	for (size_t i = 0; i < variables->nr_results; i++)
		value_deinit(&variables->results[i]);
	for (size_t i = 0; i < variables->nr_functions; i++)
		free(variables->functions[i]);
	free(variables->named);
	free(variables->results);
	free(variables->functions);
	free(variables);
}

// A copy that owns all it points to, or points to what the session owns.
static struct dc_error *keep(struct eval_variables *variables, const struct value *value,
			     struct value *ret)
{
	struct dc_error *err = value_copy(value, ret);

	ret->name = NULL;
	if (err || !value->symbol)
		return err;

	struct function **grown = reallocarray(variables->functions, variables->nr_functions + 1,
					       sizeof(*grown));
	struct function *copy = malloc(sizeof(*copy));

	if (grown)
		variables->functions = grown;
	if (!grown || !copy) {
		free(copy);
		return &dc_out_of_memory;
	}
	*copy = *value->symbol;
	grown[variables->nr_functions++] = copy;
	ret->symbol = copy;
	ret->name = copy->name;
	return NULL;
}

// A session has a handful.
static struct named *find(struct eval_variables *variables, const char *name, bool make)
{
	for (size_t i = 0; i < variables->nr_named; i++)
		if (strcmp(variables->named[i].name, name) == 0)
			return &variables->named[i];
	if (!make)
		return NULL;

	struct named *grown = reallocarray(variables->named, variables->nr_named + 1,
					   sizeof(*grown));

	if (!grown)
		return NULL;
	variables->named = grown;
	grown += variables->nr_named;
	*grown = (struct named){ .name = strdup(name) };
	if (!grown->name)
		return NULL;
	variables->nr_named++;
	return grown;
}

// "$", "$$", "$$3" count back from the last result; as gdb has it, before the first they are void.
static struct dc_error *get_result(struct context *context, const struct node *node,
				   struct value *ret)
{
	struct eval_variables *variables = context->variables;
	size_t n = variables->nr_results;
	int64_t number = node->number >= 0 ? node->number : (int64_t)n + 1 + node->number;

	*ret = (struct value){ .type = context->basics.list[BASIC_VOID] };
	// A check cannot know which results there will be; only those that are there never change.
	if (context->mode != EVAL_RUN && (node->number < 0 || number > (int64_t)n)) {
		ret->type = &type_unknown;
		return NULL;
	}
	// $0 is the last one, as $ is.
	if (node->number == 0)
		number = n;
	if (node->number < 0 && number <= 0)
		return NULL;
	if (number > (int64_t)n)
		return error_make(DC_NAME, "there is no result $%jd yet", (intmax_t)number);
	if (n == 0)
		return NULL;
	return value_copy(&variables->results[number - 1], ret);
}

struct dc_error *variables_get(struct context *context, const struct node *node, struct value *ret)
{
	struct named *named;

	if (!context->variables)
		return error_make(DC_TYPE, "a variable cannot be used here");
	if (!node->name)
		return get_result(context, node, ret);
	named = find(context->variables, node->name, false);
	*ret = (struct value){ .type = context->basics.list[BASIC_VOID] };
	if (context->mode != EVAL_RUN && (!named || named->pending))
		ret->type = &type_unknown;
	else if (named && named->value.type)
		return value_copy(&named->value, ret);
	return NULL;
}

// In a check nothing is assigned, but what comes later must not trust the old type.
struct dc_error *variables_set(struct context *context, const char *name, const struct value *value)
{
	struct named *named;
	struct value kept = { 0 };
	struct dc_error *err;

	if (context->mode == EVAL_TYPE)
		return NULL;
	if (!context->variables)
		return error_make(DC_TYPE, "a variable cannot be assigned here");
	named = find(context->variables, name, true);
	if (!named)
		return &dc_out_of_memory;
	if (context->mode == EVAL_CHECK) {
		named->pending = true;
		return NULL;
	}
	err = keep(context->variables, value, &kept);
	if (err) {
		value_deinit(&kept);
		return err;
	}
	value_deinit(&named->value);
	named->value = kept;
	named->value.bit_size = 0;
	// A value of its own, no window on what it was copied from.
	if (kept.place != VALUE_FUNCTION)
		named->value.place = type_strip(kept.type)->kind == TYPE_ARRAY ? VALUE_LITERAL
									       : VALUE_NOWHERE;
	named->pending = false;
	return NULL;
}

// As in gdb, void leaves no result.
struct dc_error *eval_remember(struct eval *eval, struct value *value, unsigned *number)
{
	struct eval_variables *variables = eval->variables;

	*number = 0;
	if (!value->type || type_strip(value->type)->kind == TYPE_VOID)
		return NULL;

	struct value *grown = reallocarray(variables->results, variables->nr_results + 1,
					   sizeof(*grown));
	struct value kept = { 0 };

	if (!grown)
		return &dc_out_of_memory;
	variables->results = grown;

	struct dc_error *err = keep(variables, value, &kept);

	if (err) {
		value_deinit(&kept);
		return err;
	}
	grown[variables->nr_results++] = kept;
	*number = variables->nr_results;
	return NULL;
}
