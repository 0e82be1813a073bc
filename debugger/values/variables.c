// SPDX-License-Identifier: MIT
// Values that are kept between expressions, each a copy of its own.
#include "debugger/values/variables.h"

#include "debugger/symbols/symbols.h"
#include "debugger/values/keepsake.h"

#include <stdlib.h>
#include <string.h>

struct named {
	char *name;
	struct value value; // type NULL: void, as gdb has it before the first assignment
	bool pending; // a check saw an assignment that has not run: the type is not known
};

struct variables {
	struct named *named;
	size_t nr_named;
	struct value *results; // $1 is results[0]
	size_t nr_results;
	// What values that are functions point to; the expressions they came from are gone.
	struct function **functions;
	size_t nr_functions;
	struct keepsake **keepsakes;
	size_t nr_keepsakes;
};

struct variables *variables_create(void)
{
	return calloc(1, sizeof(struct variables));
}

void variables_destroy(struct variables *variables)
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
	for (size_t i = 0; i < variables->nr_keepsakes; i++)
		keepsake_destroy(variables->keepsakes[i]);
	free(variables->keepsakes);
	free(variables->named);
	free(variables->results);
	free(variables->functions);
	free(variables);
}

// A copy that owns all it points to, or points to what the session owns.
static struct dc_error *keep(struct variables *variables, const struct value *value,
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
static struct named *find(struct variables *variables, const char *name, bool make)
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

const struct value *variables_named(struct variables *variables, const char *name, bool *pending)
{
	struct named *named = find(variables, name, false);

	*pending = named && named->pending;
	return named && named->value.type ? &named->value : NULL;
}

struct dc_error *variables_announce(struct variables *variables, const char *name)
{
	struct named *named = find(variables, name, true);

	if (!named)
		return &dc_out_of_memory;
	named->pending = true;
	return NULL;
}

struct dc_error *variables_set(struct variables *variables, const char *name,
			       const struct value *value)
{
	struct named *named = find(variables, name, true);
	struct value kept = { 0 };
	struct dc_error *err = named ? keep(variables, value, &kept) : &dc_out_of_memory;

	if (err) {
		value_deinit(&kept);
		return err;
	}
	value_deinit(&named->value);
	named->value = kept;
	named->value.bit_size = 0;
	if (kept.lvalue != LVALUE_FUNCTION)
		named->value.lvalue = type_strip(kept.type)->kind == TYPE_ARRAY ? LVALUE_LITERAL
										: LVALUE_NONE;
	named->pending = false;
	return NULL;
}

struct keepsake *variables_keepsake(struct variables *variables)
{
	struct keepsake **grown = reallocarray(variables->keepsakes, variables->nr_keepsakes + 1,
					       sizeof(*grown));
	struct keepsake *keepsake = grown ? keepsake_create() : NULL;

	if (grown)
		variables->keepsakes = grown;
	if (keepsake)
		grown[variables->nr_keepsakes++] = keepsake;
	return keepsake;
}

void variables_give(struct variables *variables, unsigned number, const struct keepsake *keepsake)
{
	if (number && number <= variables->nr_results)
		variables->results[number - 1].keepsake = keepsake;
}

size_t variables_nr_results(const struct variables *variables)
{
	return variables->nr_results;
}

const struct value *variables_result(const struct variables *variables, size_t number)
{
	return number && number <= variables->nr_results ? &variables->results[number - 1] : NULL;
}

struct dc_error *variables_remember(struct variables *variables, const struct value *value,
				    unsigned *number)
{
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
