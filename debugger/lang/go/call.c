// SPDX-License-Identifier: MIT
// Calls: of functions, methods and function values by Go's own convention, and conversions.
#include "debugger/lang/go/go.h"

#include <string.h>

enum { PARAMS_MAX = 64 };

// ---- the convention -------------------------------------------------------------------------------

static bool add_scalar(struct go_abi_value *value, uint64_t offset, uint64_t size, bool is_float)
{
	if (value->nr_scalars == GO_ABI_SCALARS) {
		value->in_memory = true;
		return true;
	}
	value->scalar[value->nr_scalars++] = (struct go_abi_scalar){ .offset = offset,
								     .size = (uint8_t)size,
								     .is_float = is_float };
	return true;
}

static bool add_words(struct go_abi_value *value, uint64_t offset, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		add_scalar(value, offset + 8 * i, 8, false);
	return true;
}

static bool classify(const struct type *type, uint64_t offset, struct go_abi_value *ret, int depth)
{
	const struct type *under = type_strip(type);
	const struct type_member *members;
	uint64_t half = go_size(type) / 2;
	size_t n;
	struct dc_error *err;

	if (depth > PARAMS_MAX)
		return false;
	switch (go_kind(type)) {
	case GO_FLOAT32:
	case GO_FLOAT64: return add_scalar(ret, offset, go_size(type), true);
	case GO_COMPLEX64:
	case GO_COMPLEX128:
		return add_scalar(ret, offset, half, true) &&
		       add_scalar(ret, offset + half, half, true);
	case GO_STRING:
	case GO_INTERFACE: return add_words(ret, offset, 2);
	case GO_SLICE: return add_words(ret, offset, 3);
	case GO_ARRAY:
		if (under->count > 1)
			ret->in_memory = true;
		return under->count != 1 || classify(under->target, offset, ret, depth + 1);
	case GO_STRUCT: break;
	case GO_NONE: return false;
	default: return add_scalar(ret, offset, go_size(type), false);
	}
	err = type_members(under, &members, &n);
	dc_error_destroy(err);
	for (size_t i = 0; !err && i < n; i++)
		if (!classify(members[i].type, offset + members[i].offset, ret, depth + 1))
			return false;
	return !err;
}

bool go_classify(const struct type *type, struct go_abi_value *ret)
{
	*ret = (struct go_abi_value){ .size = go_size(type), .align = type_align(type) };
	return classify(type, 0, ret, 0);
}

// ---- what is called -------------------------------------------------------------------------------

struct callee {
	const struct type *type; // FUNCTION
	const char *name;
	uint64_t addr, context;
	const struct function *function; // NULL: by a value
	struct operand *receiver; // NULL: none
	bool is_known; // addr
};

static struct dc_error *note_callee(struct context *context, const struct function *function)
{
	struct effects *effects = context->effects;
	const struct function **grown;

	if (!effects)
		return NULL;
	effects->calls = effects->is_go = true;
	if (!function) {
		effects->has_unknown_callee = true;
		return NULL;
	}
	grown = arena_alloc(&context->expression->arena,
			    (effects->nr_callees + 1) * sizeof(struct function *));
	if (!grown)
		return &dc_out_of_memory;
	if (effects->nr_callees)
		memcpy(grown, effects->callees, effects->nr_callees * sizeof(struct function *));
	grown[effects->nr_callees++] = function;
	effects->callees = grown;
	return NULL;
}

static struct dc_error *refuse(const struct node *node, const char *name, const char *why)
{
	return error_at(error_make(DC_REFUSED, "'%s' cannot be called: %s", name, why),
			node->start);
}

// "main.main.func1", whose variables are around it.
static bool is_closure(const char *name)
{
	const char *at = strstr(name, ".func");

	return at && at[5] >= '0' && at[5] <= '9';
}

static struct dc_error *from_function(struct context *context, const struct node *node,
				      const struct operand *operand, struct callee *ret)
{
	const struct function *function = operand->function;

	*ret = (struct callee){ .type = operand->type,
				.name = function->name,
				.addr = function->addr,
				.function = function,
				.receiver = operand->mode == OPERAND_METHOD ? operand->list : NULL,
				.is_known = true };
	if (function->language != SOURCE_GO)
		return refuse(node, function->name, "it is no Go function");
	if (strstr(function->name, "go.shape."))
		return refuse(node, function->name,
			      "the code of generic functions takes a description of its types that "
			      "only compiled code passes");
	if (is_closure(function->name))
		return refuse(node, function->name,
			      "it is a closure, which takes the variables around it; a function "
			      "value that holds them can be called");
	if (!operand->type)
		return error_note(
			refuse(node, function->name,
			       "there is no debug information, so its parameters are not known"),
			"say what it takes and gives: (func(int, string) error)(%s)(1, \"a\")",
			go_source(context, node));
	if (function->no_call)
		return refuse(node, function->name, function->no_call);
	return NULL;
}

// How many of a function type's parts are parameters, as the runtime describes it.
static uint32_t nr_taken(struct context *context, const struct type *type)
{
	enum { IN_COUNT = 48 };
	uint64_t start, end;
	uint16_t n;

	type = type_strip(type);
	if (!type->name || !strncmp(type->name, "func(", 5) || !type->go_runtime ||
	    !symbols_go_types(context->symbols, &start, &end))
		return UINT32_MAX;

	struct dc_error *err = context->caller->read(
		context->caller->arg, start + type->go_runtime + IN_COUNT, &n, sizeof(n));

	dc_error_destroy(err);
	return err ? UINT32_MAX : n;
}

const struct type *go_signature(struct context *context, const struct type *type)
{
	return type_go_signature(type, nr_taken(context, type));
}

static struct dc_error *from_value(struct context *context, const struct node *node,
				   struct operand *operand, struct callee *ret)
{
	struct dc_error *err = go_load(context, operand);
	const char *name;
	uint64_t offset;

	if (err)
		return error_at(err, node->start);
	*ret = (struct callee){ .type = go_signature(context, operand->type),
				.name = go_source(context, node),
				.is_known = operand->bytes };
	if (!ret->type)
		return refuse(node, ret->name,
			      "the debug information does not tell its parameters");
	if (!operand->bytes)
		return NULL;
	ret->context = go_word(operand, 0);
	if (!ret->context)
		return error_at(error_make(DC_VALUE, "invalid memory address or nil pointer "
						     "dereference: the function is nil"),
				node->start);
	err = go_read_word(context, ret->context, &ret->addr);
	if (!err && symbols_name_of(context->symbols, ret->addr, &name, &offset) && !offset)
		ret->name = name;
	return err;
}

// ---- arguments ------------------------------------------------------------------------------------

struct arguments {
	struct operand list[PARAMS_MAX];
	size_t n;
};

static struct dc_error *counted(struct context *context, const struct node *node,
				const struct callee *callee, const struct arguments *arguments,
				size_t nr_wanted)
{
	const struct type_param *params;
	size_t n;
	struct dc_error *err = error_make(DC_TYPE, "%s arguments in call to %s",
					  arguments->n < nr_wanted ? "not enough" : "too many",
					  callee->name);
	char have[512] = "", want[512] = "";
	size_t used = 0;
	struct dc_error *none = type_params(callee->type, &params, &n);

	for (size_t i = 0; i < arguments->n && used < sizeof(have) - 128; i++)
		used += (size_t)snprintf(
			have + used, sizeof(have) - used, "%s%.100s", i ? ", " : "",
			arguments->list[i].type ? go_spelling(context, arguments->list[i].type)
			: arguments->list[i].untyped == UNTYPED_STRING ? "string"
			: arguments->list[i].untyped == UNTYPED_NIL    ? "nil"
								       : "number");
	used = 0;
	for (size_t i = callee->receiver != NULL;
	     !none && i < n && !params[i].is_result && used < sizeof(want) - 128; i++)
		used += (size_t)snprintf(want + used, sizeof(want) - used, "%s%.100s",
					 used ? ", " : "", go_spelling(context, params[i].type));
	dc_error_destroy(none);
	err = error_note(err, "have (%s)", have);
	return error_at(error_note(err, "want (%s)", want), node->start);
}

static struct dc_error *evaluate_arguments(struct context *context, const struct node *node,
					   const struct callee *callee, struct arguments *ret)
{
	const struct type_param *params;
	size_t n, first = callee->receiver != NULL;
	struct dc_error *err = type_params(callee->type, &params, &n);

	ret->n = 0;
	if (err)
		return err;
	if (node->nr_list > PARAMS_MAX)
		return error_at(error_make(DC_SYNTAX, "too many arguments"), node->start);
	for (size_t i = 0; i < node->nr_list; i++) {
		const struct type *hint = first + i < n ? params[first + i].type : NULL;
		const struct node *item = node->list[i];
		struct operand *to = &ret->list[ret->n];

		if (item->kind == NODE_COMPOSITE)
			err = go_composite(context, item, hint, to);
		else
			err = go_evaluate(context, item, to);
		if (err)
			return err;
		// f(g()), where g has several results.
		if (to->mode == OPERAND_TUPLE && node->nr_list == 1) {
			struct operand tuple = *to;

			for (size_t k = 0; k < tuple.nr_list && k < PARAMS_MAX; k++) {
				ret->list[k] = tuple.list[k];
				ret->list[k].node = item;
			}
			ret->n = tuple.nr_list;
			return NULL;
		}
		if (to->mode != OPERAND_VALUE && to->mode != OPERAND_CONSTANT &&
		    to->mode != OPERAND_UNKNOWN && to->mode != OPERAND_FUNCTION) {
			err = go_value(context, item, to);
			return err ? err
				   : error_at(error_make(DC_TYPE, "%s is not an expression",
							 go_source(context, item)),
					      item->start);
		}
		ret->n++;
	}
	return NULL;
}

// What stands for "..." becomes a slice.
static struct dc_error *gather(struct context *context, const struct type *slice,
			       struct arguments *arguments, size_t from, const char *where)
{
	const struct type *element = go_element(slice);
	uint64_t size = go_size(element), count = arguments->n - from;
	unsigned char *bytes = go_alloc(context, size * count);
	uint64_t *words = go_alloc(context, 3 * sizeof(*words));
	struct dc_error *err = NULL;

	if (!bytes || !words)
		return &dc_out_of_memory;
	for (size_t i = from; i < arguments->n && !err; i++) {
		struct operand *one = &arguments->list[i];

		err = go_assign(context, one, element, where);
		if (!err)
			err = go_refuse_to_stack(context, one);
		if (!err)
			err = go_ready(context, one);
		if (!err && one->bytes)
			memcpy(bytes + (i - from) * size, one->bytes, size);
	}
	if (!err && count)
		err = go_place_objects(context, element, bytes, count, &words[0]);
	if (err)
		return err;
	words[1] = words[2] = count;
	arguments->list[from] = go_bytes(slice, context->runs ? (unsigned char *)words : NULL);
	arguments->n = from + 1;
	return NULL;
}

static bool fits_slice(const struct operand *operand, const struct type *slice)
{
	if (operand->mode == OPERAND_UNKNOWN || operand->untyped == UNTYPED_NIL)
		return true;
	return operand->type && go_kind(operand->type) == GO_SLICE &&
	       go_identical(go_element(operand->type), go_element(slice));
}

// The receiver in front, then all converted to what the parameters are.
static struct dc_error *convert_arguments(struct context *context, const struct node *node,
					  const struct callee *callee, struct arguments *arguments,
					  const struct type_param *params, size_t nr_params)
{
	size_t first = callee->receiver != NULL, nr_wanted = nr_params - first;
	char where[512];
	const struct type *last = nr_params > first ? params[nr_params - 1].type : NULL;
	// A function by name does not tell whether its last parameter is "...": a slice may be.
	bool may_spread = last && go_kind(last) == GO_SLICE;
	bool gathers = may_spread && !node->spreads &&
		       !(arguments->n == nr_wanted &&
			 fits_slice(&arguments->list[nr_wanted - 1], last));
	struct dc_error *err = NULL;

	snprintf(where, sizeof(where), "in argument to %s", callee->name);
	if (gathers ? arguments->n + 1 < nr_wanted : arguments->n != nr_wanted)
		return counted(context, node, callee, arguments, nr_wanted);
	if (gathers)
		err = gather(context, last, arguments, nr_wanted - 1, where);
	for (size_t i = 0; i < arguments->n && !err; i++) {
		struct operand *one = &arguments->list[i];

		err = go_assign(context, one, params[first + i].type, where);
		if (!err)
			err = go_refuse_to_stack(context, one);
		if (!err)
			err = go_ready(context, one);
	}
	return err;
}

// ---- results --------------------------------------------------------------------------------------

static struct dc_error *make_results(struct context *context, const struct node *node,
				     const struct type_param *results, size_t n,
				     const struct go_abi_value *places,
				     const struct go_abi_exit *exit, struct operand *ret)
{
	struct operand *list = go_alloc(context, (n ?: 1) * sizeof(*list));

	if (!list)
		return &dc_out_of_memory;
	for (size_t i = 0; i < n; i++) {
		unsigned char *bytes = exit ? go_alloc(context, go_size(results[i].type)) : NULL;

		if (exit && !bytes)
			return &dc_out_of_memory;
		if (exit)
			go_abi_get(&places[i], exit, bytes);
		list[i] = go_bytes(results[i].type, bytes);
		list[i].node = node;
	}
	if (n == 1)
		*ret = list[0];
	else
		*ret = (struct operand){ .mode = n ? OPERAND_TUPLE : OPERAND_NONE,
					 .list = list,
					 .nr_list = n,
					 .node = node };
	return NULL;
}

// Parameters without a name are not in the debug information: those behind them show it, for they
// are not where they would have to be.
static bool is_where_told(const struct param_entry *told, const struct go_abi_value *place)
{
	switch (told->place) {
	case PARAM_REGISTERS: return !(told->registers & ~go_abi_registers(place));
	case PARAM_STACK:
		return told->offset >= (int64_t)place->stack &&
		       told->offset <= (int64_t)(place->stack + place->size);
	default: return true;
	}
}

static struct dc_error *check_places(const struct node *node, const struct callee *callee,
				     const struct go_abi_value *places, size_t nr_args)
{
	const struct type_param *params;
	size_t n;
	struct dc_error *err = callee->function ? type_params(callee->type, &params, &n) : NULL;

	for (size_t i = 0; callee->function && !err && i < nr_args && i < n; i++)
		if (!is_where_told(&params[i].entry, &places[i]))
			return refuse(node, callee->name,
				      "it has parameters that the debug information does not tell, "
				      "as one that has no name");
	return err;
}

// Whatever somebody says it takes must need the room that the compiler has for it.
static struct dc_error *check_frame(struct context *context, const struct node *node,
				    const struct callee *callee, size_t size)
{
	bool is_said = callee->function && !callee->function->type;
	uint32_t frame = is_said ? symbols_go_frame(context->symbols, callee->addr) : UINT32_MAX;

	if (frame == UINT32_MAX || frame == size)
		return NULL;
	return error_at(error_make(DC_TYPE,
				   "%s does not take and give that: it has %u bytes for it, and "
				   "these need %zu",
				   callee->name, frame, size),
			node->start);
}

static struct dc_error *run(struct context *context, const struct node *node,
			    const struct callee *callee, const struct operand *args, size_t nr_args,
			    const struct type_param *results, size_t nr_results,
			    struct operand *ret)
{
	struct go_abi_value places[2 * PARAMS_MAX];
	struct go_abi_entry entry = { .context = callee->context };
	struct go_abi_exit exit = { 0 };
	const struct caller *caller = context->caller;
	struct dc_error *err = NULL;

	for (size_t i = 0; i < nr_args + nr_results; i++) {
		const struct type *type = i < nr_args ? args[i].type : results[i - nr_args].type;

		if (!go_classify(type, &places[i]))
			return refuse(node, callee->name, "a parameter's type is not known here");
	}
	entry.stack_size = go_abi_assign(places, nr_args, places + nr_args, nr_results);
	err = check_places(node, callee, places, nr_args);
	if (!err)
		err = check_frame(context, node, callee, entry.stack_size);
	if (err)
		return err;
	// What a callee may spill of parameters that are not known here.
	entry.stack_size += 8 * (GO_ABI_GENERAL + GO_ABI_FLOATS);
	if (!context->runs) {
		if (context->effects)
			context->effects->is_call |= node == context->whole;
		return make_results(context, node, results, nr_results, NULL, NULL, ret);
	}
	entry.stack = calloc(1, entry.stack_size ?: 1);
	if (!entry.stack)
		return &dc_out_of_memory;
	for (size_t i = 0; i < nr_args && !err; i++) {
		if (args[i].bytes)
			go_abi_put(&places[i], args[i].bytes, &entry);
		else
			err = error_make(DC_VALUE, "argument %zu is not known", i + 1);
	}
	if (!err)
		err = caller->call_go(caller->arg, callee->addr, callee->name, &entry,
				      node == context->whole, &exit);
	if (!err)
		err = make_results(context, node, results, nr_results, places + nr_args, &exit,
				   ret);
	free(entry.stack);
	free(exit.stack);
	return err;
}

static struct dc_error *invoke(struct context *context, const struct node *node,
			       const struct callee *callee, struct operand *ret)
{
	struct arguments arguments;
	const struct type_param *params;
	size_t n, nr_params = 0;
	struct dc_error *err = type_params(callee->type, &params, &n);

	if (!err && callee->receiver && (!n || params[0].is_result))
		err = refuse(node, callee->name,
			     "the debug information does not tell its parameters");
	while (!err && nr_params < n && !params[nr_params].is_result)
		nr_params++;
	if (!err && n > PARAMS_MAX)
		err = refuse(node, callee->name, "it has too many parameters");
	if (!err)
		err = note_callee(context, callee->function);
	if (!err)
		err = evaluate_arguments(context, node, callee, &arguments);
	if (!err && arguments.n + 1 >= PARAMS_MAX)
		err = refuse(node, callee->name, "it has too many arguments");
	if (!err)
		err = convert_arguments(context, node, callee, &arguments, params, nr_params);
	if (err)
		return err;
	if (callee->receiver) {
		err = go_refuse_to_stack(context, callee->receiver);
		if (!err)
			err = go_ready(context, callee->receiver);
		if (err)
			return err;
		memmove(&arguments.list[1], &arguments.list[0],
			arguments.n * sizeof(*arguments.list));
		arguments.list[0] = *callee->receiver;
		arguments.list[0].type = params[0].type;
		arguments.n++;
	}
	if (context->runs && !callee->is_known)
		return refuse(node, callee->name, "its address is not known");
	return run(context, node, callee, arguments.list, arguments.n, params + nr_params,
		   n - nr_params, ret);
}

// ---- conversions and calls ------------------------------------------------------------------------

// What a function takes and gives, where the debug information does not say it: "(func(int) bool)(f)".
static struct dc_error *said_to_be(struct context *context, const struct node *node,
				   const struct type *type, struct operand *function)
{
	const struct type *signature = go_signature(context, type);
	const struct type_param *params;
	const char *file;
	size_t n;
	struct dc_error *err = signature ? type_params(signature, &params, &n) : NULL;

	if (err)
		return err;
	if (!signature)
		return refuse(node, go_spelling(context, type), "its parts are not known");
	file = symbols_describe(context->symbols, function->addr).file;
	if (file && strlen(file) > 2 && !strcmp(file + strlen(file) - 2, ".s"))
		return refuse(node, function->function->name,
			      "it is written in assembler, and may take its arguments as it likes");
	function->node = node;
	if (function->mode == OPERAND_METHOD) {
		struct type_param *all = go_alloc(context, (n + 1) * sizeof(*all));

		if (!all)
			return &dc_out_of_memory;
		memcpy(all + 1, params, n * sizeof(*params));
		all[0] = (struct type_param){ .type = function->list->type };
		type = types_go_func(context->types, go_spelling(context, type), all, n + 1,
				     signature->is_variadic);
		signature = type ? go_signature(context, type) : NULL;
		if (!signature)
			return &dc_out_of_memory;
	}
	if (function->type && !go_same_signature(function->type, signature))
		return error_at(error_make(DC_TYPE, "cannot convert %s to type %s: it is %s",
					   go_source(context, node->list[0]),
					   go_spelling(context, signature),
					   go_spelling(context, function->type)),
				node->start);
	function->type = signature;
	return NULL;
}

static struct dc_error *conversion(struct context *context, const struct node *node,
				   const struct type *type, struct operand *ret)
{
	struct dc_error *err;

	if (node->nr_list != 1)
		return error_at(error_make(DC_TYPE, "%s argument in conversion to %s",
					   node->nr_list ? "too many" : "missing",
					   go_spelling(context, type)),
				node->start);
	err = go_composite(context, node->list[0], type, ret);
	if (!err && (ret->mode == OPERAND_FUNCTION || ret->mode == OPERAND_METHOD) &&
	    go_kind(type) == GO_FUNC)
		return said_to_be(context, node, type, ret);
	if (!err)
		err = go_convert(context, ret, type);
	ret->node = node;
	return err;
}

// What is called is known only when it runs, and so is what it takes.
static struct dc_error *call_unknown(struct context *context, const struct node *node,
				     struct operand *ret)
{
	struct dc_error *err = note_callee(context, NULL);

	for (size_t i = 0; i < node->nr_list && !err; i++) {
		struct operand argument;

		err = go_evaluate(context, node->list[i], &argument);
	}
	*ret = (struct operand){ .mode = OPERAND_UNKNOWN, .node = node };
	return err;
}

struct dc_error *go_call(struct context *context, const struct node *node, struct operand *ret)
{
	struct operand left;
	struct callee callee;
	struct dc_error *err = go_evaluate(context, node->left, &left);

	if (err)
		return err;
	switch (left.mode) {
	case OPERAND_TYPE: return conversion(context, node, left.type, ret);
	case OPERAND_BUILTIN: return go_builtin(context, node, left.text, ret);
	case OPERAND_UNKNOWN: return call_unknown(context, node, ret);
	case OPERAND_FUNCTION:
	case OPERAND_METHOD:
		err = from_function(context, node->left, &left, &callee);
		return err ? err : invoke(context, node, &callee, ret);
	default: break;
	}
	if (left.mode == OPERAND_VALUE && go_kind(left.type) == GO_FUNC) {
		err = from_value(context, node->left, &left, &callee);
		return err ? err : invoke(context, node, &callee, ret);
	}
	return error_at(error_make(DC_TYPE, "invalid operation: cannot call non-function %s",
				   go_describe(context, &left)),
			node->start);
}
