// SPDX-License-Identifier: MIT
// One function called many times, each time with a row of arguments of its own.
#include "debugger/inject/classify.h"
#include "debugger/inject/host.h"
#include "debugger/session/session.h"

#include <inttypes.h>
#include <string.h>

// How the k-th argument of every row gets to the callee.
struct column {
	const struct type *type; // under typedefs
	bool is_float;
	unsigned place; // general or vector register
};

struct many {
	const struct dc_argument *args; // n rows of nr_args
	size_t nr_args;
	uint64_t n;
	struct dc_answer *answers;
	uint64_t *done;
	struct column columns[ABI_GENERAL + ABI_VECTOR];
	const struct type *result; // NULL: none
	struct abi_entry entries[MANY_MAX];
	struct abi_exit exits[MANY_MAX];
	int64_t nanoseconds[MANY_MAX];
};

// ---- columns ------------------------------------------------------------------------------------

static bool is_integer(const struct type *type)
{
	return (type->kind == TYPE_INT || type->kind == TYPE_ENUM || type->kind == TYPE_BOOL ||
		type->kind == TYPE_POINTER) &&
	       type->size <= sizeof(uint64_t);
}

static bool is_real(const struct type *type)
{
	return type->kind == TYPE_FLOAT && (type->format == FLOAT_32 || type->format == FLOAT_64);
}

static struct dc_error *find_columns(struct many *many, const struct typed_call *call)
{
	unsigned general = 0, vector = 0;

	for (size_t i = 0; i < call->nr_args; i++) {
		const struct type *type = type_strip(call->args[i].type);
		struct column *column = &many->columns[i];

		if ((!is_integer(type) && !is_real(type)) ||
		    (is_real(type) ? vector == ABI_VECTOR : general == ABI_GENERAL))
			return error_make(DC_REFUSED,
					  "argument %zu of %s is no number in a register, as a "
					  "batch of rows wants it",
					  i + 1, call->name ?: "the function");
		*column = (struct column){ .type = type, .is_float = is_real(type) };
		column->place = column->is_float ? vector++ : general++;
	}
	many->result = type_strip(call->type->target);
	if (many->result->kind == TYPE_VOID)
		many->result = NULL;
	else if (!is_integer(many->result) && !is_real(many->result))
		return error_make(DC_REFUSED, "%s returns no number, as a batch of rows wants it",
				  call->name ?: "the function");
	return NULL;
}

// ---- rows ---------------------------------------------------------------------------------------

static void put_real(struct abi_entry *entry, const struct column *column, double value)
{
	float narrow = (float)value;

	if (column->type->format == FLOAT_32)
		memcpy(entry->vector[column->place], &narrow, sizeof(narrow));
	else
		memcpy(entry->vector[column->place], &value, sizeof(value));
}

static struct dc_error *put(struct abi_entry *entry, const struct column *column,
			    const struct dc_argument *arg, uint64_t row)
{
	static const double limit = 9223372036854775808.0; // 2^63
	uint64_t bits;

	if (arg->kind != DC_INTEGER && arg->kind != DC_UNSIGNED && arg->kind != DC_DOUBLE)
		return error_make(DC_USAGE, "row %" PRIu64 ": an argument is no number", row);
	if (column->is_float) {
		put_real(entry, column,
			 arg->kind == DC_DOUBLE	   ? arg->real
			 : arg->kind == DC_INTEGER ? (double)arg->integer
						   : (double)arg->number);
		return NULL;
	}
	if (arg->kind == DC_DOUBLE && column->type->kind == TYPE_POINTER)
		return error_make(DC_TYPE, "row %" PRIu64 ": a pointer is no real number", row);
	if (arg->kind == DC_DOUBLE && !(arg->real >= -limit && arg->real < limit))
		return error_make(DC_VALUE, "row %" PRIu64 ": %g is out of the range of %s", row,
				  arg->real, column->type->name ?: "the type");
	bits = arg->kind == DC_DOUBLE ? (uint64_t)(int64_t)arg->real : arg->number;
	if (column->type->kind == TYPE_BOOL)
		bits = arg->kind == DC_DOUBLE ? arg->real != 0 : bits != 0;
	// As the callee may expect it: clang's has narrow ones extended by the caller.
	if (column->type->size < sizeof(bits)) {
		unsigned shift = 64 - 8 * (unsigned)column->type->size;

		bits = column->type->is_signed ? (uint64_t)((int64_t)(bits << shift) >> shift)
					       : bits << shift >> shift;
	}
	entry->general[column->place] = bits;
	return NULL;
}

static struct dc_error *fill(struct many *many, uint64_t first, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct dc_argument *row = many->args + (first + i) * many->nr_args;

		for (size_t k = 0; k < many->nr_args; k++) {
			struct dc_error *err = put(&many->entries[i], &many->columns[k], &row[k],
						   first + i + 1);

			if (err)
				return err;
		}
	}
	return NULL;
}

static struct dc_answer take(const struct many *many, const struct abi_exit *exit, int64_t ns)
{
	const struct type *type = many->result;
	struct dc_answer answer = { .kind = DC_INTEGER, .nanoseconds = ns };
	float narrow;

	if (!type)
		return answer;
	if (is_real(type)) {
		answer.kind = DC_DOUBLE;
		memcpy(&narrow, exit->vector[0], sizeof(narrow));
		memcpy(&answer.real, exit->vector[0], sizeof(answer.real));
		if (type->format == FLOAT_32)
			answer.real = narrow;
		return answer;
	}
	unsigned shift = 64 - 8 * (unsigned)type->size;

	answer.kind = type->is_signed ? DC_INTEGER : DC_UNSIGNED;
	answer.number = type->is_signed ? (uint64_t)((int64_t)(exit->rax << shift) >> shift)
					: exit->rax << shift >> shift;
	if (type->kind == TYPE_BOOL)
		answer.number &= 1;
	return answer;
}

struct dc_error *many_run(struct many *many, struct dc_session *session,
			  const struct typed_call *call, const struct abi_entry *entry,
			  int64_t timeout_ns)
{
	struct dc_error *err = find_columns(many, call);

	for (size_t i = 0; i < MANY_MAX; i++)
		many->entries[i] = *entry;
	while (!err && *many->done < many->n) {
		uint64_t left = many->n - *many->done;
		size_t n = left < MANY_MAX ? (size_t)left : MANY_MAX, done = 0;

		err = fill(many, *many->done, n);
		if (!err)
			err = injection_many(session->holding.injection, call->addr, call->name,
					     many->entries, n, timeout_ns, many->nanoseconds,
					     many->exits, &done);
		for (size_t i = 0; i < done; i++)
			many->answers[*many->done + i] = take(many, &many->exits[i],
							      many->nanoseconds[i]);
		*many->done += done;
	}
	return err;
}

// ---- the operation ------------------------------------------------------------------------------

static struct dc_error *make_first(struct types *types, const struct dc_argument *arg,
				   size_t number, struct value *ret)
{
	const char *spelling = arg->kind == DC_DOUBLE	  ? "double"
			       : arg->kind == DC_UNSIGNED ? "unsigned long"
							  : "long";

	if (arg->kind == DC_STRING)
		return error_make(DC_USAGE, "argument %zu is a string, which rows have none of",
				  number);
	*ret = (struct value){ .type = types_basic(types, spelling) };
	return ret->type ? value_set(ret, &arg->number, ret->type->size) : &dc_out_of_memory;
}

struct dc_error *dc_call_many(struct dc_session *session, const char *function,
			      const struct dc_argument *args, size_t nr_args, uint64_t n,
			      const struct dc_scope *scope, const struct dc_call_options *options,
			      struct dc_answer *ret, uint64_t *done)
{
	_turn_(session);
	struct dc_call_options usual = options_or_usual(options);
	_cleanup_free_ struct many *many = calloc(1, sizeof(*many));
	struct value values[ABI_GENERAL + ABI_VECTOR] = { 0 };
	struct dc_expression *expression = NULL;
	struct dc_result result = { 0 };
	struct dc_error *err = NULL;
	size_t made = 0;

	*done = 0;
	if (!many)
		return &dc_out_of_memory;
	if (!n)
		return NULL;
	if (nr_args > ABI_GENERAL + ABI_VECTOR)
		return error_make(DC_REFUSED, "%zu arguments are more than registers hold",
				  nr_args);
	*many = (struct many){
		.args = args, .nr_args = nr_args, .n = n, .answers = ret, .done = done
	};
	for (; made < nr_args && !err; made++)
		err = make_first(symbols_types(session->symbols), &args[made], made + 1,
				 &values[made]);
	if (!err)
		err = session_parse(session, function, values, nr_args, scope, &expression);
	for (size_t i = 0; i < made; i++)
		value_deinit(&values[i]);
	if (err)
		return err;

	usual.no_number = true;

	struct evaluation evaluation = {
		.session = session, .expression = expression, .options = &usual, .many = many
	};

	err = evaluation_whole(&evaluation, &result);
	dc_result_deinit(&result);
	dc_expression_destroy(expression);
	if (!err && *done < n)
		err = error_make(DC_USAGE, "%s is no function that can be called with rows",
				 function);
	return err;
}
