// SPDX-License-Identifier: MIT
// A checked tree as a predicate, as far as it is integers, pointers, and objects in registers and
// memory. Types are found by the evaluator's own rules over values that are not known; each part then
// says of 64-bit numbers what the evaluator does with the value. What is not certain to be the same is
// refused: whoever asks has the evaluator still.
#include "debugger/arch/x86_64/registers.h"
#include "debugger/lang/c/c.h"
#include "debugger/lang/c/dialect.h"

#include <string.h>

struct translation {
	struct context context;
	struct arena *arena;
	const struct module *program, *here; // which cannot leave while the place is there
	unsigned depth; // of the node that is translated
};

// The type and the kind of object, without bytes; MEMORY: term is the address; else the value.
struct part {
	struct value is;
	const struct predicate *term;
};

static struct dc_error *translate(struct translation *t, const struct node *node,
				  struct part *ret) DC_CHECK;

static struct dc_error *refuse(const char *what)
{
	return error_make(DC_REFUSED, "%s", what);
}

static struct dc_error *done(const struct part *part)
{
	return part->term ? NULL : refuse("it is too deep");
}

// An integer, pointer or enumerator of at most 64 bits.
static bool is_number(const struct type *type)
{
	const struct type *plain = type_strip(type);

	return (type_is_integer(plain) || plain->kind == TYPE_POINTER) && plain->size > 0 &&
	       plain->size <= sizeof(uint64_t);
}

static const struct predicate *extend(struct translation *t, const struct predicate *term,
				      const struct type *type)
{
	const struct type *plain = type_strip(type);

	return predicate_extend(t->arena, term, (unsigned)plain->size, plain->is_signed);
}

// As convert_scalar() does.
static void convert(struct translation *t, struct part *part, const struct type *type)
{
	bool is_bool = type_strip(type)->kind == TYPE_BOOL;

	if (!type_equal(part->is.type, type))
		part->term = is_bool ? predicate_truth(t->arena, part->term)
				     : extend(t, part->term, type);
	part->is = (struct value){ .type = type };
}

// Pointers whose bits another type's are: only classes with bases are elsewhere in one another.
static bool is_same_address(const struct translation *t, const struct type *a, const struct type *b)
{
	const struct type *from = type_strip(a), *to = type_strip(b);

	return !t->context.dialect->convert_pointer || from->kind != TYPE_POINTER ||
	       to->kind != TYPE_POINTER || type_equal(from, to) || !type_is_record(from->target) ||
	       !type_is_record(to->target);
}

// ---- objects --------------------------------------------------------------------------------------

// What is at an address that stays the object's for as long as the place is there.
static bool is_steady(const struct translation *t, const struct module *module)
{
	return module && (module == t->program || module == t->here);
}

static struct dc_error *from_bytes(struct translation *t, const struct type *type,
				   const void *bytes, struct part *ret)
{
	uint64_t number = 0;

	if (!is_number(type))
		return refuse("it has values that are no integers");
	memcpy(&number, bytes, type_strip(type)->size);
	if (type_strip(type)->is_signed) {
		unsigned above = 64 - 8 * (unsigned)type_strip(type)->size;

		number = (uint64_t)((int64_t)(number << above) >> above);
	}
	*ret = (struct part){ { .type = type }, predicate_constant(t->arena, number) };
	return done(ret);
}

static const struct predicate *register_term(struct translation *t, int dwarf)
{
	struct register_place place;
	char name[8];

	if (!lvalue_register_name(dwarf, name) || !register_find(name, &place) || place.in_xstate)
		return NULL;
	return predicate_register(t->arena, place.offset);
}

static struct dc_error *local(struct translation *t, const struct variable *variable,
			      struct part *ret)
{
	const struct variable_root *root = &variable->root;

	if (root->kind == ROOT_NONE || variable->is_around)
		return refuse("where a local is takes more than one register to tell");
	ret->term = register_term(t, root->reg);
	ret->is.lvalue = root->kind == ROOT_REGISTER ? LVALUE_REGISTER : LVALUE_MEMORY;
	if (ret->term && root->kind == ROOT_MEMORY)
		ret->term = predicate_offset(t->arena, ret->term, (uint64_t)root->offset);
	return done(ret);
}

static struct dc_error *variable(struct translation *t, const struct node *node, struct part *ret)
{
	const struct variable *variable = &node->what->variable;

	if (!variable->type)
		return refuse("the type of a variable is not known");
	*ret = (struct part){ { .type = variable->type }, NULL };
	if (variable->place == VARIABLE_CONSTANT)
		return variable->nr_bytes < type_strip(variable->type)->size
			       ? refuse("a value is not whole")
			       : from_bytes(t, variable->type, variable->bytes, ret);
	if (variable->place == VARIABLE_MEMORY) {
		if (!is_steady(t, variable->module))
			return refuse("a variable is in a library that may leave");
		ret->is.lvalue = LVALUE_MEMORY;
		ret->term = predicate_constant(t->arena, variable->addr);
		return done(ret);
	}
	return node->what->is_local ? local(t, variable, ret)
				    : refuse("a variable is another in each thread");
}

static struct dc_error *name(struct translation *t, const struct node *node, struct part *ret)
{
	const struct resolution *what = node->what;

	switch (what->kind) {
	case NAME_VARIABLE: return variable(t, node, ret);
	case NAME_ENUMERATOR:
	case NAME_CONSTANT: {
		bool is_int = what->kind == NAME_ENUMERATOR && what->value == (int32_t)what->value;

		return from_bytes(t, is_int ? t->context.basics.list[BASIC_INT] : what->type,
				  &what->value, ret);
	}
	case NAME_FUNCTION:
		if (what->nr_overloads || what->function.is_ifunc ||
		    !is_steady(t, what->function.module))
			return refuse("it needs the address of a function");
		*ret = (struct part){ { .type = what->type, .lvalue = LVALUE_FUNCTION },
				      predicate_constant(t->arena, what->function.addr) };
		return what->type ? done(ret) : refuse("the type of a function is not known");
	case NAME_UNKNOWN: break;
	}
	return refuse("a name is not known");
}

static struct dc_error *load_bits(struct translation *t, struct part *part)
{
	const struct type *plain = type_strip(part->is.type);
	uint32_t span = lvalue_bit_span(&part->is), width = part->is.bit_size;

	if (span > sizeof(uint64_t) || width > 8 * plain->size)
		return refuse("a bit-field is too wide");

	const struct predicate *all = predicate_load(t->arena, part->term, span);
	uint32_t above = 64 - part->is.bit_offset - width;
	// The number that remains has no type: shifts are of 64 bits.
	const struct predicate *high = predicate_binary(t->arena, OP_SHL, 8, false, all,
							predicate_constant(t->arena, above));

	part->term = predicate_binary(t->arena, OP_SHR, 8, plain->is_signed, high,
				      predicate_constant(t->arena, 64 - width));
	return NULL;
}

// A reference becomes the object that it refers to.
static struct dc_error *refer(struct translation *t, struct part *part)
{
	const struct type *plain = type_strip(part->is.type);

	if (plain->kind != TYPE_REFERENCE)
		return NULL;
	if (part->is.lvalue == LVALUE_MEMORY)
		part->term = predicate_load(t->arena, part->term, sizeof(uint64_t));
	else if (part->is.lvalue != LVALUE_REGISTER)
		return refuse("a reference is no object");
	part->is = (struct value){ .type = plain->target, .lvalue = LVALUE_MEMORY };
	return done(part);
}

// What an operator sees: a number, of the type that C makes of the object.
static struct dc_error *to_number(struct translation *t, struct part *part)
{
	struct context *context = &t->context;
	struct dc_error *err = refer(t, part);

	if (err)
		return err;

	const struct type *plain = type_strip(part->is.type);
	bool is_array = plain->kind == TYPE_ARRAY && part->is.lvalue == LVALUE_MEMORY;

	if (is_array || part->is.lvalue == LVALUE_FUNCTION) {
		part->is = (struct value){ .type = types_pointer(context->basics.types,
								 is_array ? plain->target
									  : plain) };
		return part->is.type ? NULL : &dc_out_of_memory;
	}
	if (!is_number(plain))
		return refuse("it has values that are no integers");
	if (part->is.lvalue == LVALUE_MEMORY && part->is.bit_size)
		err = load_bits(t, part);
	else if (part->is.lvalue == LVALUE_MEMORY)
		part->term = extend(t, predicate_load(t->arena, part->term, (unsigned)plain->size),
				    plain);
	else if (part->is.lvalue == LVALUE_REGISTER)
		part->term = extend(t, part->term, plain);
	part->is.lvalue = LVALUE_NONE;
	return err ? err : done(part);
}

static struct dc_error *operand(struct translation *t, const struct node *node, struct part *ret)
{
	struct dc_error *err = translate(t, node, ret);

	return err ? err : to_number(t, ret);
}

static struct dc_error *truth(struct translation *t, const struct node *node, struct part *ret)
{
	struct dc_error *err = operand(t, node, ret);

	if (err)
		return err;
	ret->term = predicate_truth(t->arena, ret->term);
	ret->is = (struct value){ .type = truth_type(&t->context) };
	return done(ret);
}

static struct dc_error *dereference(struct translation *t, struct part *pointer, struct part *ret)
{
	struct dc_error *err = object_dereference(&t->context, &pointer->is, &ret->is);

	ret->term = pointer->term;
	return err;
}

// Where a member begins is the same for all objects, but in a class with virtual bases, and a static
// one is in none: two objects tell.
static struct dc_error *member_at(struct translation *t, const struct value *object, uint64_t addr,
				  const char *member, struct value *ret)
{
	struct value whole = *object;

	whole.addr = addr;
	return object_member(&t->context, &whole, member, ret);
}

static struct dc_error *member(struct translation *t, const struct node *node, struct part *ret)
{
	enum { ONE = 1 << 20, OTHER = 1 << 21 };
	struct value first = { 0 }, second = { 0 };
	struct part object;
	struct dc_error *err = translate(t, node->object, &object);

	if (!err)
		err = refer(t, &object);
	if (!err && node->is_arrow && type_is_record(object.is.type) &&
	    t->context.dialect->target_of)
		return refuse("it uses operators of the program");
	for (int i = 0; !err && i < 2; i++) {
		enum type_kind kind = type_strip(object.is.type)->kind;
		struct part pointer = object;

		if (kind != TYPE_POINTER && (kind != TYPE_ARRAY || !node->is_arrow))
			break;
		err = to_number(t, &pointer);
		if (!err)
			err = dereference(t, &pointer, &object);
	}
	if (!err && object.is.lvalue != LVALUE_MEMORY)
		err = refuse("it takes an object in registers apart");
	if (!err)
		err = member_at(t, &object.is, ONE, node->member, &first);
	if (!err)
		err = member_at(t, &object.is, OTHER, node->member, &second);
	if (!err && (first.bytes || first.lvalue != LVALUE_MEMORY ||
		     second.addr - first.addr != OTHER - ONE))
		err = refuse("where a member is takes more than its type to tell");
	if (!err) {
		*ret = (struct part){ first,
				      predicate_offset(t->arena, object.term, first.addr - ONE) };
		ret->is.addr = 0;
		err = done(ret);
	}
	value_deinit(&first);
	value_deinit(&second);
	return err;
}

// ---- operators ------------------------------------------------------------------------------------

static bool is_comparison(enum operation op)
{
	return op >= OP_EQ && op <= OP_GE;
}

static struct dc_error *arithmetic(struct translation *t, enum operation op, struct part *a,
				   struct part *b, struct part *ret)
{
	bool is_shift = op == OP_SHL || op == OP_SHR;
	const struct type *type = is_comparison(op) ? convert_common(&t->context, &a->is, &b->is)
						    : ret->is.type;

	if (!type || !is_number(type))
		return refuse("it computes in more than 64 bits");

	const struct type *plain = type_strip(type);
	const struct predicate *left = extend(t, a->term, type);
	const struct predicate *right = is_shift ? b->term : extend(t, b->term, type);

	ret->term = predicate_binary(t->arena, op, (unsigned)plain->size, plain->is_signed, left,
				     right);
	if (!is_comparison(op))
		ret->term = extend(t, ret->term, type);
	return done(ret);
}

static struct dc_error *pointer_arithmetic(struct translation *t, enum operation op, struct part *a,
					   struct part *b, struct part *ret)
{
	bool a_is = type_strip(a->is.type)->kind == TYPE_POINTER;
	bool b_is = type_strip(b->is.type)->kind == TYPE_POINTER;
	uint64_t size;

	if (is_comparison(op)) {
		if (!is_same_address(t, a->is.type, b->is.type))
			return refuse("it compares pointers to different classes");
		ret->term = predicate_binary(t->arena, op, 8, false, a->term, b->term);
		return done(ret);
	}

	struct dc_error *err = operate_step_size(&t->context, a_is ? a->is.type : b->is.type,
						 &size);

	if (err)
		return err;
	if (a_is && b_is) {
		if (!size || size > INT64_MAX)
			return refuse("it is the difference of pointers to objects without size");
		ret->term = predicate_binary(t->arena, OP_SUB, 8, true, a->term, b->term);
		ret->term = predicate_binary(t->arena, OP_DIV, 8, true, ret->term,
					     predicate_constant(t->arena, size));
		return done(ret);
	}

	const struct predicate *steps = predicate_binary(t->arena, OP_MUL, 8, false,
							 a_is ? b->term : a->term,
							 predicate_constant(t->arena, size));

	ret->term = predicate_binary(t->arena, op, 8, false, a_is ? a->term : b->term, steps);
	return done(ret);
}

static struct dc_error *operate(struct translation *t, enum operation op, struct part *a,
				struct part *b, struct part *ret)
{
	struct dc_error *err = operate_binary(&t->context, op, &a->is, &b->is, &ret->is);

	if (err)
		return err;
	if (type_strip(a->is.type)->kind == TYPE_POINTER ||
	    type_strip(b->is.type)->kind == TYPE_POINTER)
		return pointer_arithmetic(t, op, a, b, ret);
	return arithmetic(t, op, a, b, ret);
}

static struct dc_error *binary(struct translation *t, const struct node *node, struct part *ret)
{
	struct part a, b;
	struct dc_error *err = operand(t, node->left, &a);

	if (!err && (node->op < OP_ADD || node->op > OP_GE))
		err = refuse("it uses an operator that is not known here");
	if (!err)
		err = operand(t, node->right, &b);
	return err ? err : operate(t, node->op, &a, &b, ret);
}

static struct dc_error *address(struct translation *t, const struct node *node, struct part *ret)
{
	struct part object;
	struct dc_error *err = translate(t, node->left, &object);

	if (!err)
		err = refer(t, &object);
	if (!err && ((object.is.lvalue != LVALUE_MEMORY && object.is.lvalue != LVALUE_FUNCTION) ||
		     object.is.bit_size))
		err = refuse("it needs the address of what has none");
	if (err)
		return err;
	*ret = (struct part){ { .type = types_pointer(t->context.basics.types, object.is.type) },
			      object.term };
	return ret->is.type ? NULL : &dc_out_of_memory;
}

static struct dc_error *unary(struct translation *t, const struct node *node, struct part *ret)
{
	const struct predicate *zero = predicate_constant(t->arena, 0);
	struct part a;
	struct dc_error *err;

	if (node->op == OP_ADDRESS)
		return address(t, node, ret);
	err = operand(t, node->left, &a);
	if (err)
		return err;
	if (node->op == OP_DEREFERENCE)
		return dereference(t, &a, ret);
	err = operate_unary(&t->context, node->op, &a.is, &ret->is);
	if (err)
		return err;
	switch ((enum operation)node->op) {
	case OP_NOT: ret->term = predicate_binary(t->arena, OP_EQ, 8, false, a.term, zero); break;
	case OP_PLUS: ret->term = extend(t, a.term, ret->is.type); break;
	case OP_NEGATE:
		ret->term = extend(t, predicate_binary(t->arena, OP_SUB, 8, false, zero, a.term),
				   ret->is.type);
		break;
	case OP_COMPLEMENT:
		ret->term = extend(t,
				   predicate_binary(t->arena, OP_XOR, 8, false, a.term,
						    predicate_constant(t->arena, UINT64_MAX)),
				   ret->is.type);
		break;
	default: return refuse("it uses an operator that is not known here");
	}
	return done(ret);
}

static struct dc_error *logical(struct translation *t, const struct node *node, struct part *ret)
{
	struct part right;
	struct dc_error *err = truth(t, node->left, ret);

	if (!err)
		err = truth(t, node->right, &right);
	if (err)
		return err;
	ret->term = predicate_both(t->arena,
				   node->op == OP_LOGICAL_AND ? PREDICATE_AND : PREDICATE_OR,
				   ret->term, right.term);
	return done(ret);
}

static struct dc_error *conditional(struct translation *t, const struct node *node,
				    struct part *ret)
{
	_cleanup_value_ struct value whole = { 0 };
	struct part condition, yes, no;
	struct dc_error *err = truth(t, node->left, &condition);

	if (!err)
		err = operand(t, node->right, &yes);
	if (!err)
		err = operand(t, node->third, &no);
	if (!err)
		err = eval_node(&t->context, node, &whole);
	if (!err && (!is_number(whole.type) || !is_same_address(t, yes.is.type, whole.type) ||
		     !is_same_address(t, no.is.type, whole.type)))
		err = refuse("it chooses between what is no integers");
	if (err)
		return err;
	convert(t, &yes, whole.type);
	convert(t, &no, whole.type);
	*ret = (struct part){ { .type = whole.type },
			      predicate_select(t->arena, condition.term, yes.term, no.term) };
	return done(ret);
}

static struct dc_error *cast(struct translation *t, const struct node *node, struct part *ret)
{
	struct dc_error *err = node->is_dynamic ? refuse("it asks what an object is")
						: operand(t, node->left, ret);

	if (!err && (!is_number(node->type) || !is_same_address(t, ret->is.type, node->type)))
		err = refuse("it casts to what is no integer");
	if (err)
		return err;
	convert(t, ret, node->type);
	return done(ret);
}

static struct dc_error *index_of(struct translation *t, const struct node *node, struct part *ret)
{
	struct part array, index, sum;
	struct dc_error *err = operand(t, node->left, &array);

	if (!err)
		err = operand(t, node->right, &index);
	if (!err)
		err = operate(t, OP_ADD, &array, &index, &sum);
	return err ? err : dereference(t, &sum, ret);
}

static struct dc_error *at_type(struct translation *t, const struct node *node, struct part *ret)
{
	const struct type *pointer = types_pointer(t->context.basics.types, node->type);
	struct part addr;
	struct dc_error *err = pointer ? operand(t, node->left, &addr) : &dc_out_of_memory;

	if (err)
		return err;
	if (!is_same_address(t, addr.is.type, pointer))
		return refuse("it casts a pointer to a class");
	convert(t, &addr, pointer);
	err = done(&addr);
	return err ? err : dereference(t, &addr, ret);
}

// By name. Flags, segments and bytes of registers are shown otherwise than they are.
static struct dc_error *by_register(struct translation *t, const struct node *node,
				    struct part *ret)
{
	struct register_place place;
	struct dc_error *err = eval_node(&t->context, node, &ret->is);

	if (err)
		return err;
	if (!register_find(node->name, &place) || place.in_xstate || place.is_absent ||
	    place.dwarf < 0 || !is_number(ret->is.type) ||
	    type_strip(ret->is.type)->size != place.size)
		return refuse("it reads a register that only a stop shows");
	ret->is = (struct value){ .type = ret->is.type };
	ret->term = extend(t, predicate_register(t->arena, place.offset), ret->is.type);
	return done(ret);
}

// What never changes.
static struct dc_error *constant(struct translation *t, const struct node *node, struct part *ret)
{
	_cleanup_value_ struct value value = { 0 };
	struct dc_error *err = eval_node(&t->context, node, &value);

	if (err)
		return err;
	if (!value.bytes)
		return refuse("a value is known only when it is run");
	return from_bytes(t, value.type, value.bytes, ret);
}

static struct dc_error *dispatch(struct translation *t, const struct node *node, struct part *ret)
{
	if (node->chosen && node->chosen->calls)
		return refuse("it calls a function");
	switch ((enum node_kind)node->kind) {
	case NODE_CONSTANT:
	case NODE_SIZEOF: return constant(t, node, ret);
	case NODE_NAME: return name(t, node, ret);
	case NODE_REGISTER: return by_register(t, node, ret);
	case NODE_UNARY: return unary(t, node, ret);
	case NODE_BINARY: return binary(t, node, ret);
	case NODE_LOGICAL: return logical(t, node, ret);
	case NODE_CONDITIONAL: return conditional(t, node, ret);
	case NODE_CAST: return cast(t, node, ret);
	case NODE_MEMBER: return member(t, node, ret);
	case NODE_INDEX: return index_of(t, node, ret);
	case NODE_AT_TYPE: return at_type(t, node, ret);
	case NODE_CALL:
	case NODE_CONVENIENCE: return refuse("it calls a function");
	case NODE_INCREMENT:
	case NODE_ASSIGN: return refuse("it changes what it looks at");
	case NODE_VARIABLE: return refuse("it uses a variable of the debugger's");
	case NODE_STRING:
	case NODE_COMMA:
	case NODE_LIST:
	case NODE_COMPOUND:
	case NODE_TYPEID:
	case NODE_OBJECT:
	case NODE_MEMBER_ADDRESS:
	case NODE_VALUE: break;
	}
	return refuse("it is more than integers and objects");
}

static struct dc_error *translate(struct translation *t, const struct node *node, struct part *ret)
{
	struct dc_error *err;

	*ret = (struct part){ 0 };
	if (t->depth == PREDICATE_DEPTH_MAX)
		return refuse("it is too deep");
	t->depth++;
	err = dispatch(t, node, ret);
	t->depth--;
	return err;
}

static const struct module *module_at(struct symbols *symbols, uint64_t addr)
{
	const struct module *const *modules;
	size_t n = symbols_modules(symbols, &modules);

	for (size_t i = 0; i < n; i++) {
		if (addr >= modules[i]->start && addr < modules[i]->end)
			return modules[i];
	}
	return NULL;
}

struct dc_error *c_predicate(const struct environment *environment,
			     const struct expression *expression, uint64_t place,
			     struct arena *arena, const struct predicate **ret)
{
	struct translation t = { .arena = arena };
	const struct module *const *modules;
	struct part whole;

	*ret = NULL;

	struct dc_error *err = context_init(&t.context, expression->language->dialect, EVAL_CHECK,
					    environment);

	if (err)
		return err;
	t.here = module_at(environment->symbols, place);
	t.program = symbols_modules(environment->symbols, &modules) ? modules[0] : NULL;
	err = translate(&t, expression->root, &whole);
	// The whole is read as it is, with nothing of what operators do to it.
	if (!err && (!is_number(whole.is.type) || whole.is.lvalue == LVALUE_FUNCTION))
		err = refuse("it is no integer");
	if (!err)
		err = to_number(&t, &whole);
	if (!err)
		*ret = predicate_truth(arena, whole.term);
	return err || *ret ? err : refuse("it is too deep");
}
