// SPDX-License-Identifier: MIT
// Walks the syntax tree. The same walk runs an expression, checks it, and finds its type.
#include "debugger/lang/c/convenience.h"
#include "debugger/lang/c/dialect.h"
#include "debugger/values/number.h"
#include "debugger/lang/c/parser.h"

#include <string.h>

struct dc_error *context_init(struct context *context, const struct dialect *dialect,
			      enum eval_mode mode, const struct environment *environment)
{
	*context = (struct context){
		.dialect = dialect,
		.mode = mode,
		.access = { .symbols = environment->symbols, .caller = environment->caller },
		.variables = environment->variables,
		.has_bool = dialect->has_bool && symbols_is_cxx(environment->symbols)
	};
	return basics_init(&context->basics, symbols_types(environment->symbols),
			   context->has_bool);
}

// Behind eval_node(): an enumerator is an int, whatever its enum is made of.
static struct dc_error *to_operand(struct context *context, const struct node *node,
				   struct value *ret)
{
	struct dc_error *err;

	if (node->kind == NODE_NAME && node->what->kind == NAME_ENUMERATOR &&
	    node->what->value == (int32_t)node->what->value)
		return convert_scalar(ret, context->basics.list[BASIC_INT]);
	err = convert_rvalue(context, ret);
	if (!err && !value_unknown(ret) && type_strip(ret->type)->kind == TYPE_VOID)
		err = error_make(DC_TYPE, "a void value has no use here");
	return error_at(err, node->column);
}

// An operand as C's arithmetic sees it.
struct dc_error *eval_operand(struct context *context, const struct node *node, struct value *ret)
{
	struct dc_error *err = eval_node(context, node, ret);

	return err ? err : to_operand(context, node, ret);
}

// Where the program may have an operator or a conversion of its own.
bool eval_is_object(const struct context *context, const struct value *value)
{
	const struct type *type = value->type ? type_strip(value->type) : NULL;

	if (!type || value_unknown(value) || !context->dialect->operate)
		return false;
	return type_is_record(type->kind == TYPE_REFERENCE ? type->target : type);
}

// In a check most conditions are not known: then both branches are looked at.
struct dc_error *eval_truth(struct context *context, const struct node *node, bool *known,
			    bool *ret)
{
	_cleanup_value_ struct value value = { 0 };
	struct dc_error *err = eval_node(context, node, &value);
	struct number number;
	bool done;

	if (!err && eval_is_object(context, &value))
		err = context->dialect->convert_class(context, node, &value,
						      context->basics.list[BASIC_BOOL], &done);
	if (!err)
		err = to_operand(context, node, &value);

	if (err)
		return err;
	*known = value.bytes != NULL;
	*ret = false;
	if (value_unknown(&value))
		return NULL;
	if (type_strip(value.type)->kind == TYPE_MEMBER)
		err = error_at(convert_assign(context, &value, context->basics.list[BASIC_BOOL],
					      "a condition"),
			       node->column);
	if (err)
		return err;
	if (!type_is_scalar(value.type))
		return error_at(type_error("a condition cannot be '%s'", value.type, NULL),
				node->column);
	if (!*known)
		return NULL;
	err = number_read(value.type, value.bytes, &number);
	*ret = !err && !number_is_zero(&number);
	return err;
}

// For what C does not evaluate, but whose type counts.
static struct dc_error *eval_type_only(struct context *context, const struct node *node,
				       struct value *ret)
{
	enum eval_mode mode = context->mode;

	context->mode = EVAL_TYPE;

	struct dc_error *err = eval_node(context, node, ret);

	context->mode = mode;
	return err;
}

// & wants the object itself, so its operand does not decay and is not read.
static struct dc_error *eval_address(struct context *context, const struct node *node,
				     struct value *ret)
{
	_cleanup_value_ struct value object = { 0 };
	struct dc_error *err = eval_node(context, node->left, &object);

	// The address of a reference is that of what it refers to.
	if (!err)
		err = convert_referred(context, &object);
	if (!err && object.is_temporary && !object.keepsake)
		err = error_make(DC_TYPE, "the object ends with the expression: its address is of "
					  "no use");
	return err ? err : object_address(context, &object, ret);
}

// ! and - take values; & and * are about objects.
static struct dc_error *eval_unary(struct context *context, const struct node *node,
				   struct value *ret)
{
	_cleanup_value_ struct value operand = { 0 };
	struct dc_error *err;

	if (node->op == OP_ADDRESS)
		return eval_address(context, node, ret);
	err = eval_node(context, node->left, &operand);
	if (!err && eval_is_object(context, &operand)) {
		bool done = false;

		err = convert_referred(context, &operand);
		if (!err && node->op == OP_DEREFERENCE)
			err = context->dialect->target_of(context, &operand, ret, &done);
		if (!err && !done)
			err = context->dialect->operate(context, node, operator_text(node->op),
							&operand, 1, ret, &done);
		if (err || done)
			return err;
	}
	if (!err)
		err = to_operand(context, node->left, &operand);
	if (err)
		return err;
	if (node->op == OP_DEREFERENCE) {
		// gdb reads *5 as a long at 5; C does not, and neither do we.
		return object_dereference(context, &operand, ret);
	}
	return operate_unary(context, node->op, &operand, ret);
}

// gdb's a@n: n objects that lie one behind the other, as an array.
static struct dc_error *eval_repeat(struct context *context, const struct node *node,
				    struct value *left, struct value *ret)
{
	_cleanup_value_ struct value count = { 0 };
	int64_t n = 1;
	uint64_t size;
	struct dc_error *err = eval_operand(context, node->right, &count);

	if (!err && (count.bytes || context->mode == EVAL_RUN))
		err = value_integer(&count, &n);
	if (err || value_unknown(left)) {
		*ret = (struct value){ .type = &type_unknown };
		return err;
	}
	if (left->lvalue != LVALUE_MEMORY || left->bit_size > 0)
		return error_make(DC_TYPE, "only objects in memory can be extended by @");
	if (!type_size(left->type, &size) || left->no_debug)
		return error_make(DC_TYPE, "the size of the left side of @ is not known");
	if (n <= 0 || (size > 0 && (uint64_t)n > (INT64_MAX >> 16) / size))
		return error_make(DC_VALUE,
				  "the right side of @ must be a positive number of elements");
	*ret = (struct value){ .type = types_array(context->basics.types, left->type, n),
			       .lvalue = LVALUE_MEMORY,
			       .addr = left->addr };
	return ret->type ? NULL : &dc_out_of_memory;
}

// C++'s a.*b and a->*b. The object is not read for it.
static bool is_member_access(const struct node *node)
{
	return node->op == OP_MEMBER_OF || node->op == OP_MEMBER_AT;
}

static struct dc_error *eval_by_pointer(struct context *context, const struct node *node,
					const struct value *object, struct value *ret)
{
	_cleanup_value_ struct value pointer = { 0 };
	struct dc_error *err = eval_operand(context, node->right, &pointer);

	if (!err && !context->dialect->member_by_pointer)
		err = error_make(DC_SYNTAX, "'%s' is no operator of C's", operator_text(node->op));
	return err ? err
		   : context->dialect->member_by_pointer(context, node, object, &pointer, ret);
}

// left is consumed; a step of eval_spine().
static struct dc_error *fold_binary(struct context *context, const struct node *node,
				    struct value *left, struct value *ret)
{
	_cleanup_value_ struct value right = { 0 };
	struct dc_error *err;

	if (node->op == OP_REPEAT)
		return eval_repeat(context, node, left, ret);
	if (is_member_access(node))
		return eval_by_pointer(context, node, left, ret);
	if (!eval_is_object(context, left)) {
		err = convert_rvalue(context, left);
		if (!err && !value_unknown(left) && type_strip(left->type)->kind == TYPE_VOID)
			err = error_make(DC_TYPE, "a void value has no use here");
		if (err)
			return err;
	}
	err = eval_node(context, node->right, &right);
	if (!err && (eval_is_object(context, left) || eval_is_object(context, &right))) {
		struct value operands[2] = { *left, right };
		bool done = false;

		err = context->dialect->operate(context, node, operator_text(node->op), operands, 2,
						ret, &done);
		if (err || done)
			return err;
		err = convert_rvalue(context, left);
	}
	if (!err)
		err = to_operand(context, node->right, &right);
	return err ? err : operate_binary(context, node->op, left, &right, ret);
}

static struct dc_error *fold_comma(struct context *context, const struct node *node,
				   struct value *left, struct value *ret)
{
	// The left side is read, as gdb does not: *(int *)0, 1 is an error.
	struct dc_error *err = type_strip(left->type)->kind == TYPE_ARRAY || left->no_debug
				       ? NULL
				       : object_load(context, left);

	return err ? err : eval_node(context, node->right, ret);
}

// a + b + c leans to the left as far as the text is long: a loop here, not a recursion.
static struct dc_error *eval_spine(struct context *context, const struct node *node,
				   struct value *ret)
{
	_cleanup_free_ const struct node **spine = NULL;
	enum node_kind kind = node->kind;
	const struct node *bottom = node;
	size_t n = 0;

	while (bottom->kind == kind) {
		bottom = bottom->left;
		n++;
	}
	spine = calloc(n, sizeof(*spine));
	if (!spine)
		return &dc_out_of_memory;
	for (size_t i = n; i-- > 0; node = node->left)
		spine[i] = node;

	_cleanup_value_ struct value left = { 0 };
	struct dc_error *err = eval_node(context, bottom, &left);

	if (!err && spine[0]->op != OP_REPEAT && !is_member_access(spine[0]) &&
	    kind != NODE_COMMA && !eval_is_object(context, &left))
		err = to_operand(context, bottom, &left);

	for (size_t i = 0; !err && i < n; i++) {
		struct value folded = { 0 };

		err = kind == NODE_COMMA ? fold_comma(context, spine[i], &left, &folded)
					 : fold_binary(context, spine[i], &left, &folded);
		err = error_at(err, spine[i]->column);
		value_deinit(&left);
		left = folded;
	}
	*ret = value_take(&left);
	return err;
}

// Short-circuit: what is not evaluated is not run, but it is still typed.
static struct dc_error *eval_logical(struct context *context, const struct node *node,
				     struct value *ret)
{
	bool is_and = node->op == OP_LOGICAL_AND, left_known, right_known, left, right;
	struct dc_error *err = eval_truth(context, node->left, &left_known, &left);
	enum eval_mode mode = context->mode;

	if (err)
		return err;
	if (left_known && left != is_and) {
		// Decided; the right side is still C, though it does not run.
		context->mode = EVAL_TYPE;
		err = eval_truth(context, node->right, &right_known, &right);
		context->mode = mode;
		return err ? err : make_truth(context, left, ret);
	}
	err = eval_truth(context, node->right, &right_known, &right);
	if (err)
		return err;
	if (left_known && right_known)
		return make_truth(context, right, ret);
	*ret = (struct value){ .type = truth_type(context) };
	return NULL;
}

// The type of ?: from both branches.
static struct dc_error *conditional_type(struct context *context, const struct value *yes,
					 const struct value *no, const struct type **ret)
{
	const struct type *a = type_strip(yes->type), *b = type_strip(no->type);

	*ret = &type_unknown;
	if (value_unknown(yes) || value_unknown(no))
		return NULL;
	if (context->has_bool && type_equal(a, b) && type_is_arithmetic(a)) {
		*ret = a;
		return NULL;
	}
	*ret = convert_common(context, yes, no);
	if (*ret)
		return NULL;
	*ret = yes->type;
	if (type_equal(a, b) || (a->kind == TYPE_VOID && b->kind == TYPE_VOID))
		return NULL;
	if (a->kind == TYPE_POINTER && b->kind == TYPE_POINTER) {
		// void * with another is void *, except for a null pointer constant.
		if (type_strip(a->target)->kind != TYPE_VOID)
			*ret = type_strip(b->target)->kind == TYPE_VOID ? no->type : yes->type;
		return NULL;
	}
	if (a->kind == TYPE_POINTER && type_is_integer(b))
		return NULL;
	*ret = no->type;
	if (b->kind == TYPE_POINTER && type_is_integer(a))
		return NULL;
	return type_error("?: between '%s' and '%s'", a, b);
}

// The branch that is not taken still gives its type to the result.
static struct dc_error *eval_conditional(struct context *context, const struct node *node,
					 struct value *ret)
{
	_cleanup_value_ struct value yes = { 0 }, no = { 0 };
	bool known, truth;
	const struct type *type;
	struct dc_error *err = eval_truth(context, node->left, &known, &truth);
	enum eval_mode mode = context->mode;

	// In a check of an unknown condition either branch may run, so both are checked.
	if (!err) {
		context->mode = known && !truth ? EVAL_TYPE : mode;
		err = eval_node(context, node->right, &yes);
		if (!err)
			err = convert_rvalue(context, &yes);
		context->mode = known && truth ? EVAL_TYPE : mode;
		if (!err)
			err = eval_node(context, node->third, &no);
		if (!err)
			err = convert_rvalue(context, &no);
		context->mode = mode;
	}
	if (!err)
		err = conditional_type(context, &yes, &no, &type);
	if (err)
		return err;

	struct value *chosen = truth ? &yes : &no;

	if (type_strip(type)->kind == TYPE_VOID || !known) {
		*ret = (struct value){ .type = type };
		return NULL;
	}
	err = type == chosen->type ? NULL : convert_assign(context, chosen, type, "?:");
	*ret = value_take(chosen);
	ret->lvalue = LVALUE_NONE;
	return err;
}

// "$", "$$", "$$3" count back from the last result; as gdb has it, before the first they are void.
static struct dc_error *eval_result(struct context *context, const struct node *node,
				    struct value *ret)
{
	int64_t n = (int64_t)variables_nr_results(context->variables);
	int64_t number = node->number >= 0 ? node->number : n + 1 + node->number;

	*ret = (struct value){ .type = context->basics.list[BASIC_VOID] };
	// A check cannot know which results there will be; only those that are there never change.
	if (context->mode != EVAL_RUN && (node->number < 0 || number > n)) {
		ret->type = &type_unknown;
		return NULL;
	}
	// $0 is the last one, as $ is.
	if (node->number == 0)
		number = n;
	if (node->number < 0 && number <= 0)
		return NULL;
	if (number > n)
		return error_make(DC_NAME, "there is no result $%jd yet", (intmax_t)number);
	return n ? value_copy(variables_result(context->variables, (size_t)number), ret) : NULL;
}

static struct dc_error *eval_variable(struct context *context, const struct node *node,
				      struct value *ret)
{
	const struct value *value;
	bool pending;

	if (!context->variables)
		return error_make(DC_TYPE, "a variable cannot be used here");
	if (!node->name)
		return eval_result(context, node, ret);
	context->saw_variable = true;
	value = variables_named(context->variables, node->name, &pending);
	*ret = (struct value){ .type = context->basics.list[BASIC_VOID] };
	if (context->mode != EVAL_RUN && (!value || pending))
		ret->type = &type_unknown;
	else if (value)
		return value_copy(value, ret);
	return NULL;
}

// Of what a name of the type stands for: a reference is never meant itself.
static const struct type *object_type(const struct type *type)
{
	const struct type *plain = type_strip(type);

	return plain->kind == TYPE_REFERENCE ? plain->target : type;
}

// The operand is typed and never run: sizeof f() calls nothing.
static struct dc_error *eval_sizeof(struct context *context, const struct node *node,
				    struct value *ret)
{
	_cleanup_value_ struct value value = { 0 };
	const struct type *whole;
	uint64_t size = 1;
	struct dc_error *err = eval_type_only(context, node->left, &value);

	if (err)
		return err;
	if (value_unknown(&value)) {
		*ret = (struct value){ .type = context->basics.list[BASIC_ULONG] };
		return NULL;
	}
	if (value.bit_size > 0)
		return error_make(DC_TYPE, "a bit-field has no size in bytes");
	if (value.no_debug)
		return object_untyped(&value);
	whole = symbols_complete(context->access.symbols, type_strip(value.type));
	whole = type_strip(object_type(whole));
	if (whole->kind != TYPE_VOID && whole->kind != TYPE_FUNCTION && !type_size(whole, &size))
		return type_error("'%s' is incomplete: its size is not known", value.type, NULL);
	return make_integer(context, BASIC_ULONG, node->op == OP_ADDRESS ? type_align(whole) : size,
			    ret);
}

static struct dc_error *eval_member(struct context *context, const struct node *node,
				    struct value *ret)
{
	_cleanup_value_ struct value object = { 0 };
	struct dc_error *err = eval_node(context, node->object, &object);

	if (err)
		return err;
	if (value_unknown(&object)) {
		*ret = (struct value){ .type = &type_unknown };
		return NULL;
	}
	err = object_reach(context, &object, node->is_arrow ? node : NULL);
	return err ? err : object_member(context, &object, node->member, ret);
}

// A key may be a literal, which needs no place in the target for it.
static struct dc_error *index_object(struct context *context, const struct node *node,
				     const struct value *object, struct value *ret)
{
	_cleanup_value_ struct value index = { 0 };
	bool done = false;
	struct dc_error *err = eval_node(context, node->right, &index);

	if (!err)
		err = convert_referred(context, &index);
	if (!err && type_strip(index.type)->kind != TYPE_ARRAY)
		err = object_load(context, &index);
	if (!err)
		err = context->dialect->index_object(context, object, &index, ret, &done);
	if (!err && !done) {
		struct value operands[2] = { *object, index };

		err = context->dialect->operate(context, node, "[]", operands, 2, ret, &done);
	}
	if (!err && !done)
		err = type_error("cannot index '%s' with '%s'", object->type, index.type);
	return err;
}

// a[i] is *(a + i), so that i[a] works too; only what has no address is taken apart here.
static struct dc_error *eval_index(struct context *context, const struct node *node,
				   struct value *ret)
{
	_cleanup_value_ struct value array = { 0 }, index = { 0 }, sum = { 0 };
	struct dc_error *err = eval_node(context, node->left, &array);
	const struct type *plain;
	int64_t i;

	if (!err)
		err = convert_referred(context, &array);
	if (!err && type_is_record(array.type) && context->dialect->index_object)
		return index_object(context, node, &array, ret);
	if (!err)
		err = eval_operand(context, node->right, &index);
	if (err)
		return err;
	plain = type_strip(array.type);
	// Inside a value that is no object in the target; pointing to it would copy it there.
	if ((plain->kind == TYPE_ARRAY && array.lvalue != LVALUE_MEMORY) ||
	    plain->kind == TYPE_VECTOR) {
		uint64_t size = type_strip(plain->target)->size;

		if (!index.bytes && context->mode != EVAL_RUN) {
			*ret = (struct value){ .type = plain->target };
			return type_is_integer(index.type) || value_unknown(&index)
				       ? NULL
				       : value_integer(&index, &i);
		}
		err = value_integer(&index, &i);
		if (!err && (i < 0 || (uint64_t)i >= plain->count))
			err = error_make(DC_VALUE, "no element %jd in %ju elements", (intmax_t)i,
					 (uintmax_t)plain->count);
		return err ? err : object_part(context, &array, plain->target, i * size, ret);
	}
	err = convert_rvalue(context, &array);
	if (!err && !value_unknown(&array) && !value_unknown(&index) &&
	    type_strip(array.type)->kind != TYPE_POINTER &&
	    type_strip(index.type)->kind != TYPE_POINTER)
		err = type_error("cannot index '%s' with '%s'", array.type, index.type);
	if (!err)
		err = operate_binary(context, OP_ADD, &array, &index, &sum);
	return err ? err : object_dereference(context, &sum, ret);
}

// Not yet in the target: most strings are printed or measured and never need an address there.
static struct dc_error *eval_string(struct context *context, const struct node *node,
				    struct value *ret)
{
	uint64_t width = type_strip(node->type)->size;

	*ret = (struct value){ .lvalue = LVALUE_LITERAL };
	ret->type = types_array(context->basics.types, node->type, node->string.size / width + 1);
	if (!ret->type)
		return &dc_out_of_memory;
	return value_set(ret, node->string.bytes, node->string.size + width);
}

// The type is known before a thread is stopped, the value only then.
static struct dc_error *eval_register(struct context *context, const struct node *node,
				      struct value *ret)
{
	const struct caller *caller = context->access.caller;

	if (!caller)
		return error_make(DC_TYPE, "a register cannot be used here");
	*ret = (struct value){ .type = caller->register_type(caller->arg, node->name,
							     context->basics.types) };
	if (!ret->type)
		return error_make(DC_NAME, "no register $%s on this machine", node->name);
	if (context->mode != EVAL_RUN)
		return NULL;
	return caller->read_register(caller->arg, node->name, context->basics.types, ret);
}

static struct dc_error *eval_cast(struct context *context, const struct node *node,
				  struct value *ret)
{
	struct dc_error *err;
	bool done;

	if (node->is_dynamic)
		return context->dialect->cast_dynamic(context, node, ret);
	// A cast around a call tells what a function without debug information returns.
	if (node->left->kind == NODE_CALL)
		err = error_at(invoke(context, node->left, node->type, ret), node->left->column);
	else if (node->left->kind == NODE_MEMBER_ADDRESS)
		err = error_at(
			context->dialect->pointer_to_member(context, node->left, node->type, ret),
			node->left->column);
	else
		err = eval_node(context, node->left, ret);
	if (!err && eval_is_object(context, ret) && !type_is_record(node->type)) {
		err = context->dialect->convert_class(context, node, ret, node->type, &done);
	}
	return err ? err : convert_cast(context, ret, node->type);
}

// gdb: {T} address is *(T *) address.
static struct dc_error *eval_at_type(struct context *context, const struct node *node,
				     struct value *ret)
{
	_cleanup_value_ struct value address = { 0 };
	struct dc_error *err = eval_operand(context, node->left, &address);
	const struct type *pointer = types_pointer(context->basics.types, node->type);

	if (!err && !pointer)
		err = &dc_out_of_memory;
	if (!err)
		err = convert_cast(context, &address, pointer);
	return err ? err : object_dereference(context, &address, ret);
}

static struct dc_error *dispatch(struct context *context, const struct node *node,
				 struct value *ret)
{
	switch ((enum node_kind)node->kind) {
	case NODE_CONSTANT:
		*ret = (struct value){ .type = node->type };
		return value_set(ret, node->constant, type_strip(node->type)->size);
	case NODE_STRING: return eval_string(context, node, ret);
	case NODE_NAME: return object_name(context, node, ret);
	case NODE_VARIABLE: return eval_variable(context, node, ret);
	case NODE_REGISTER: return eval_register(context, node, ret);
	case NODE_UNARY: return eval_unary(context, node, ret);
	case NODE_INCREMENT: return eval_increment(context, node, ret);
	case NODE_BINARY:
	case NODE_COMMA: return eval_spine(context, node, ret);
	case NODE_LOGICAL: return eval_logical(context, node, ret);
	case NODE_CONDITIONAL: return eval_conditional(context, node, ret);
	case NODE_ASSIGN: return eval_assign(context, node, ret);
	case NODE_CAST: return eval_cast(context, node, ret);
	case NODE_SIZEOF: return eval_sizeof(context, node, ret);
	case NODE_MEMBER: return eval_member(context, node, ret);
	case NODE_INDEX: return eval_index(context, node, ret);
	case NODE_CALL: return invoke(context, node, NULL, ret);
	case NODE_OBJECT: return context->dialect->make_object(context, node, ret);
	case NODE_CONVENIENCE: return convenience_call(context, node, ret);
	case NODE_LIST: return initialize_array(context, node, ret);
	case NODE_COMPOUND: return initialize(context, node, node->type, ret);
	case NODE_AT_TYPE: return eval_at_type(context, node, ret);
	case NODE_TYPEID: return context->dialect->type_id(context, node, ret);
	case NODE_MEMBER_ADDRESS:
		return context->dialect->pointer_to_member(context, node, NULL, ret);
	case NODE_VALUE: return value_copy(node->value, ret);
	}
	return error_make(DC_SYNTAX, "an unknown kind of expression");
}

// The innermost node that fails gives the column: outer ones do not overwrite it.
struct dc_error *eval_node(struct context *context, const struct node *node, struct value *ret)
{
	return error_at(dispatch(context, node, ret), node->column);
}

struct dc_error *eval_type_of(const struct parser *parser, const struct node *node, bool as_value,
			      const struct type **ret)
{
	_cleanup_value_ struct value value = { 0 };
	struct environment nowhere = { .symbols = parser->symbols };
	struct context context;
	struct dc_error *err = context_init(&context, parser->dialect, EVAL_TYPE, &nowhere);

	if (!err)
		err = as_value ? eval_operand(&context, node, &value)
			       : eval_node(&context, node, &value);
	if (!err && (value_unknown(&value) || value.no_debug))
		err = error_make(DC_TYPE, "the type of this is not known before it runs");
	if (err)
		return error_at(err, node->column);
	*ret = object_type(value.type);
	return NULL;
}

// Without a target there is nothing to read, so whatever is known is constant.
struct dc_error *eval_constant(const struct parser *parser, const struct node *node, int64_t *ret)
{
	_cleanup_value_ struct value value = { 0 };
	struct environment nowhere = { .symbols = parser->symbols };
	struct context context;
	struct dc_error *err = context_init(&context, parser->dialect, EVAL_CHECK, &nowhere);

	if (!err)
		err = eval_operand(&context, node, &value);
	if (!err && !value.bytes)
		err = error_make(DC_TYPE, "a constant is wanted here");
	return err ? err : value_integer(&value, ret);
}
