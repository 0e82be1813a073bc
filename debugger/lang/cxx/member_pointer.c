// SPDX-License-Identifier: MIT
// Pointers to members, as the Itanium ABI has them: of data the distance in its class, -1 for none; of
// a method its code, or 1 more than where the virtual table has it, and what the object is moved by.
#include "debugger/lang/cxx/rules.h"

#include "debugger/base/cleanup.h"

#include <inttypes.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

struct pointer {
	bool is_method;
	uint64_t place; // DATA: the distance; METHOD: the code, or 1 + its place in the table
	int64_t moved; // METHOD
};

static bool is_method_type(const struct type *type)
{
	return type_strip(type_strip(type)->target)->kind == TYPE_FUNCTION;
}

static struct pointer read_pointer(const struct type *type, const unsigned char *bytes)
{
	struct pointer ret = { .is_method = is_method_type(type) };

	memcpy(&ret.place, bytes, sizeof(ret.place));
	if (ret.is_method)
		memcpy(&ret.moved, bytes + 8, sizeof(ret.moved));
	return ret;
}

static struct dc_error *make_pointer(const struct pointer *pointer, const struct type *type,
				     struct value *ret)
{
	uint64_t words[2] = { pointer->place, (uint64_t)pointer->moved };

	ret->type = type;
	ret->lvalue = LVALUE_NONE;
	return value_set(ret, words, type_strip(type)->size);
}

static struct pointer null_pointer(const struct type *type)
{
	bool is_method = is_method_type(type);

	return (struct pointer){ .is_method = is_method, .place = is_method ? 0 : UINT64_MAX };
}

static bool is_null(const struct pointer *pointer)
{
	return pointer->place == (pointer->is_method ? 0 : UINT64_MAX);
}

// Of two methods the objects are left out, but for what may be done to them.
static bool same_members(const struct type *a, const struct type *b)
{
	const struct type_param *its, *theirs;
	size_t n, m;

	a = type_strip(a);
	b = type_strip(b);
	if (a->kind != TYPE_FUNCTION || b->kind != TYPE_FUNCTION)
		return type_equal(a, b);

	_cleanup_error_ struct dc_error *err = type_params(a, &its, &n);
	_cleanup_error_ struct dc_error *other = type_params(b, &theirs, &m);

	if (err || other || n != m || a->is_variadic != b->is_variadic ||
	    !type_equal(a->target, b->target))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct type *x = type_strip(its[i].type), *y = type_strip(theirs[i].type);

		if (i == 0 && x->kind == TYPE_POINTER && y->kind == TYPE_POINTER) {
			x = type_strip(x->target);
			y = type_strip(y->target);
			if (x->is_const != y->is_const || x->is_volatile != y->is_volatile)
				return false;
		} else if (!type_equal(x, y)) {
			return false;
		}
	}
	return true;
}

// ---- &class::name ----

// In the class, or else in its bases; owner: which of them has it.
static struct dc_error *find_data(struct context *context, const struct type *class,
				  const char *name, unsigned depth, const struct type **owner,
				  struct type_member *member, uint64_t *offset, bool *found)
{
	const struct type_member *members = NULL;
	size_t n = 0;
	struct dc_error *err;

	*offset = 0;
	*owner = symbols_complete(context->access.symbols, type_strip(class));
	*found = false;
	if ((*owner)->is_incomplete)
		return NULL;
	err = object_find_member(context, *owner, name, offset, member, found);
	if (err || *found)
		return err;
	err = type_members(*owner, &members, &n);
	for (size_t i = 0; !err && !*found && i < n && depth < DEPTH_MAX; i++) {
		if (members[i].is_base)
			err = find_data(context, members[i].type, name, depth + 1, owner, member,
					offset, found);
	}
	return err;
}

// Those that are called on an object.
static struct dc_error *find_methods(struct context *context, const struct type *class,
				     const char *name, const struct method *ret[], size_t room,
				     size_t *n)
{
	const struct method *list;
	size_t nr_all;
	struct dc_error *err = method_search(context, class, name, &list, &nr_all);

	*n = 0;
	for (size_t i = 0; !err && i < nr_all && *n < room; i++) {
		if (!list[i].is_static && list[i].function.type)
			ret[(*n)++] = &list[i];
	}
	return err;
}

enum { METHODS_MAX = 64 };

// "A::name" that nothing is done to: what it is that of, in the arena. The lexer goes behind it.
static struct dc_error *read_member_name(struct parser *parser, struct lexer *lexer,
					 const char **class, const char **name)
{
	const char *start = lexer->token.start, *last = start, *end = start;
	struct dc_error *err = NULL;

	*class = *name = NULL;
	while (!err && lexer->token.kind == TOKEN_NAME) {
		last = lexer->token.start;
		end = last + lexer->token.length;
		err = lexer_advance(lexer);
		if (err || lexer->token.kind != TOKEN_SCOPE)
			break;
		err = lexer_advance(lexer);
	}
	if (err || last < start + 3)
		return err;
	switch (lexer->token.kind) {
	case TOKEN_SCOPE:
	case TOKEN_LPAREN:
	case TOKEN_LBRACKET:
	case TOKEN_DOT:
	case TOKEN_ARROW:
	case TOKEN_INC:
	case TOKEN_DEC: return NULL;
	default: break;
	}
	*class = arena_string(parser->expression, start, (size_t)(last - start) - 2);
	*name = arena_string(parser->expression, last, (size_t)(end - last));
	return *class && *name ? NULL : &dc_out_of_memory;
}

struct dc_error *member_pointer_address(struct parser *parser, size_t column, struct node **ret,
					bool *done)
{
	const struct environment environment = { .symbols = parser->symbols };
	const struct method *methods[METHODS_MAX];
	const struct type *class = NULL, *owner;
	struct lexer lexer = parser->lexer;
	struct type_member member;
	struct context context;
	const char *scope, *name;
	uint64_t offset;
	size_t n = 0;
	bool found = false;
	struct dc_error *err = read_member_name(parser, &lexer, &scope, &name);

	*done = false;
	if (err || !scope)
		return err;
	class = parser_named_type(parser, scope);
	if (!class || !type_is_record(class))
		return NULL;
	err = context_init(&context, parser->dialect, EVAL_TYPE, &environment);
	if (!err)
		err = find_data(&context, class, name, 0, &owner, &member, &offset, &found);
	if (!err && !found)
		err = find_methods(&context, class, name, methods, METHODS_MAX, &n);
	if (err || (!found && !n))
		return err;
	*done = true;
	err = parser_node(parser, NODE_MEMBER_ADDRESS, column, ret);
	if (err)
		return err;
	(*ret)->type = class;
	(*ret)->name = name;
	parser->lexer = lexer;
	return NULL;
}

static struct dc_error *address_of_data(struct context *context, const struct type *owner,
					const struct type_member *member, uint64_t offset,
					struct value *ret)
{
	const struct pointer pointer = { .place = offset + member->offset };
	const struct type *type = types_member(context->basics.types, owner, member->type);

	if (member->bit_size > 0)
		return error_make(DC_TYPE, "a bit-field has no address");
	return type ? make_pointer(&pointer, type, ret) : &dc_out_of_memory;
}

static struct dc_error *address_of_method(struct context *context, const struct method *method,
					  struct value *ret)
{
	const struct function *function = &method->function;
	const struct type_param *params;
	struct pointer pointer = { .is_method = true, .place = function->addr };
	const struct type *type, *object;
	size_t n;
	struct dc_error *err = type_params(type_strip(function->type), &params, &n);

	if (err)
		return err;
	object = n ? type_strip(params[0].type) : NULL;
	if (!object || object->kind != TYPE_POINTER)
		return error_make(DC_VALUE, "what '%s' is called on is not known", function->name);
	if (method->is_virtual)
		pointer.place = 1 + method->slot * sizeof(uint64_t);
	else if (!function->addr)
		return error_make(DC_VALUE,
				  "\"%s\" was inlined everywhere, or never used: it has no address",
				  function->name);
	type = types_member(context->basics.types, object->target, function->type);
	return type ? make_pointer(&pointer, type, ret) : &dc_out_of_memory;
}

// The one of the wanted type. NULL: there are several, or none.
static const struct method *choose_method(const struct method *const *list, size_t n,
					  const struct type *type)
{
	const struct type *wanted = type ? type_strip(type) : NULL;
	const struct method *chosen = NULL;

	if (n == 1)
		return list[0];
	for (size_t i = 0; i < n && wanted && wanted->kind == TYPE_MEMBER; i++) {
		if (same_members(list[i]->function.type, wanted->target))
			chosen = list[i];
	}
	return chosen;
}

struct dc_error *member_pointer_make(struct context *context, const struct node *node,
				     const struct type *type, struct value *ret)
{
	const struct method *methods[METHODS_MAX], *method;
	const struct type *owner;
	struct type_member member;
	uint64_t offset;
	bool found;
	size_t n;
	struct dc_error *err = find_data(context, node->type, node->name, 0, &owner, &member,
					 &offset, &found);

	if (err)
		return err;
	if (found)
		return address_of_data(context, owner, &member, offset, ret);
	err = find_methods(context, node->type, node->name, methods, METHODS_MAX, &n);
	if (err)
		return err;
	method = choose_method(methods, n, type);
	if (method)
		return address_of_method(context, method, ret);
	err = error_make(DC_VALUE,
			 "'%s' is overloaded: cast its address to the type of the one that is "
			 "meant",
			 node->name);
	for (size_t i = 0; i < n && i < 10; i++)
		err = error_note(err, "candidate: %s", methods[i]->function.name);
	return err;
}

bool member_pointer_fits(struct context *context, const struct node *node, const struct type *type)
{
	_cleanup_value_ struct value value = { 0 };
	_cleanup_error_ struct dc_error *err = member_pointer_make(context, node, type, &value);

	if (!err)
		err = convert_assign(context, &value, type, "");
	return !err;
}

// ---- conversions ----

// By how much a base class's members lie further in the class. false: it is none, or a virtual one.
static bool base_distance(struct context *context, const struct type *class,
			  const struct type *base, int64_t *ret)
{
	_cleanup_value_ struct value pointer = { .type = types_pointer(context->basics.types,
								       class) };
	enum eval_mode mode = context->mode;
	const uint64_t somewhere = UINT64_C(1) << 40;
	uint64_t there;

	if (!pointer.type || !class_has_base(context, class, base))
		return false;

	struct dc_error *err = value_set(&pointer, &somewhere, sizeof(somewhere));

	// A virtual base's place is in an object, which this is none: it stays unknown.
	context->mode = EVAL_CHECK;
	if (!err)
		err = class_to_base(context, &pointer, class, base);
	context->mode = mode;
	dc_error_destroy(err);
	if (err || !pointer.bytes)
		return false;
	memcpy(&there, pointer.bytes, sizeof(there));
	*ret = (int64_t)(there - somewhere);
	return true;
}

static bool same_class(struct context *context, const struct type *a, const struct type *b)
{
	return convert_same_object(context, a, b);
}

// A member of the base is one of the class; by a cast one of the class is one of the base.
static struct dc_error *convert_between(struct context *context, struct value *value,
					const struct type *type, bool is_cast, const char *what)
{
	const struct type *from = type_strip(value->type), *to = type_strip(type);
	int64_t distance = 0;

	if (!same_members(from->target, to->target) ||
	    !(same_class(context, from->class, to->class) ||
	      base_distance(context, to->class, from->class, &distance) ||
	      (is_cast && base_distance(context, from->class, to->class, &distance))))
		return convert_refused(value, type, what);
	if (!same_class(context, from->class, to->class) &&
	    !class_has_base(context, to->class, from->class))
		distance = -distance;
	if (!value->bytes) {
		*value = (struct value){ .type = type };
		return NULL;
	}

	struct pointer pointer = read_pointer(from, value->bytes);

	if (is_null(&pointer))
		;
	else if (pointer.is_method)
		pointer.moved += distance;
	else
		pointer.place += (uint64_t)distance;
	return make_pointer(&pointer, type, value);
}

static struct dc_error *convert_from_zero(struct context *context, struct value *value,
					  const struct type *type, const char *what)
{
	uint64_t number = 0;

	if ((!type_is_integer(value->type) && type_strip(value->type)->kind != TYPE_POINTER) ||
	    type_strip(value->type)->size > sizeof(number))
		return convert_refused(value, type, what);
	if (!value->bytes) {
		if (context->mode == EVAL_RUN)
			return convert_refused(value, type, what);
		*value = (struct value){ .type = type };
		return NULL;
	}
	memcpy(&number, value->bytes, type_strip(value->type)->size);
	if (number)
		return error_note(convert_refused(value, type, what),
				  "of numbers only 0, or nullptr, is a pointer to a member");

	const struct pointer null = null_pointer(type);

	return make_pointer(&null, type, value);
}

// As a truth value; a distance also as a number, as gdb has it.
static struct dc_error *convert_to_number(struct context *context, struct value *value,
					  const struct type *type, bool is_cast, const char *what)
{
	const struct type *to = type_strip(type);

	if (to->kind != TYPE_BOOL &&
	    !(is_cast && to->kind == TYPE_INT && !is_method_type(value->type)))
		return convert_refused(value, type, what);
	if (!value->bytes) {
		*value = (struct value){ .type = type };
		return NULL;
	}

	const struct pointer pointer = read_pointer(value->type, value->bytes);
	struct value number = { 0 };
	struct dc_error *err = make_integer(
		context, BASIC_LONG, to->kind == TYPE_BOOL ? !is_null(&pointer) : pointer.place,
		&number);

	value_deinit(value);
	*value = number;
	return err ? err : convert_scalar(value, type);
}

struct dc_error *member_pointer_convert(struct context *context, struct value *value,
					const struct type *type, bool is_cast, const char *what)
{
	enum type_kind from = type_strip(value->type)->kind, to = type_strip(type)->kind;

	if (from == TYPE_MEMBER && to == TYPE_MEMBER)
		return convert_between(context, value, type, is_cast, what);
	return to == TYPE_MEMBER ? convert_from_zero(context, value, type, what)
				 : convert_to_number(context, value, type, is_cast, what);
}

struct dc_error *member_pointer_compare(struct context *context, enum operation op,
					const struct value *a, const struct value *b,
					struct value *ret)
{
	_cleanup_value_ struct value x = { 0 }, y = { 0 };
	const struct type *first = type_strip(a->type), *second = type_strip(b->type);
	const struct type *type = first;
	struct dc_error *err = value_copy(a, &x);

	// Both become what is a member of the class further down.
	if (first->kind != TYPE_MEMBER ||
	    (second->kind == TYPE_MEMBER && class_has_base(context, second->class, first->class)))
		type = second;
	if (!err)
		err = value_copy(b, &y);
	if (!err)
		err = convert_assign(context, &x, type, "comparison");
	if (!err)
		err = convert_assign(context, &y, type, "comparison");
	*ret = (struct value){ .type = truth_type(context) };
	if (err || !x.bytes || !y.bytes)
		return err;

	const struct pointer left = read_pointer(type, x.bytes),
			     right = read_pointer(type, y.bytes);
	bool is_same = left.place == right.place && (is_null(&left) || left.moved == right.moved);

	return make_truth(context, is_same == (op == OP_EQ), ret);
}

// ---- a.*b ----

// The object, or what of it is the class that the pointer is of.
static struct dc_error *find_object(struct context *context, const struct node *node,
				    const struct value *object, const struct type *class,
				    struct value *ret)
{
	_cleanup_value_ struct value whole = { 0 }, pointer = { 0 };
	struct dc_error *err = value_copy(object, &whole);
	bool done;

	if (!err && node->op == OP_MEMBER_AT) {
		err = convert_rvalue(context, &whole);
		if (!err && !value_unknown(&whole)) {
			struct value target;

			err = object_dereference(context, &whole, &target);
			if (!err) {
				value_deinit(&whole);
				whole = target;
			}
		}
	} else if (!err) {
		err = convert_referred(context, &whole);
	}
	if (err)
		return err;
	if (value_unknown(&whole) || same_class(context, whole.type, class)) {
		*ret = value_take(&whole);
		return NULL;
	}
	if (!class_has_base(context, whole.type, class))
		return type_error("'%s' has no members of '%s'", whole.type, class);
	if (whole.lvalue != LVALUE_MEMORY || whole.keepsake) {
		err = object_load(context, &whole);
		if (!err)
			err = class_convert_object(context, &whole, class, &done);
		*ret = value_take(&whole);
		return err;
	}
	err = object_address(context, &whole, &pointer);
	if (!err)
		err = class_to_base(context, &pointer, whole.type, class);
	if (err)
		return err;
	pointer.type = types_pointer(context->basics.types, class);
	return pointer.type ? object_dereference(context, &pointer, ret) : &dc_out_of_memory;
}

static struct dc_error *read_data(struct context *context, const struct value *object,
				  const struct value *pointer, struct value *ret)
{
	const struct type *type = type_strip(pointer->type);
	const struct type *whole = type_strip(object->type);
	const struct type *its = types_qualified(context->basics.types, type->target,
						 whole->is_const, whole->is_volatile);

	if (!its)
		return &dc_out_of_memory;
	*ret = (struct value){ .type = its, .lvalue = object->lvalue };
	if (!pointer->bytes)
		return NULL;

	const struct pointer place = read_pointer(type, pointer->bytes);

	if (is_null(&place))
		return error_make(DC_VALUE, "the pointer to a member is null");
	return object_part(context, object, its, place.place, ret);
}

// The code, and the object as that takes it.
static struct dc_error *find_code(struct context *context, const struct value *object,
				  const struct value *pointer, uint64_t *code, uint64_t *moved)
{
	const struct caller *caller = context->access.caller;
	const struct pointer place = read_pointer(pointer->type, pointer->bytes);
	_cleanup_value_ struct value address = { 0 };
	uint64_t table;

	if (is_null(&place))
		return error_make(DC_VALUE, "the pointer to a member is null");

	struct dc_error *err = object_address(context, object, &address);

	if (err)
		return err;
	memcpy(moved, address.bytes, sizeof(*moved));
	*moved += (uint64_t)place.moved;
	*code = place.place;
	if (!(place.place & 1))
		return NULL;
	err = caller->read(caller->arg, *moved, &table, sizeof(table));
	return err ? err : caller->read(caller->arg, table + place.place - 1, code, sizeof(*code));
}

struct dc_error *member_pointer_apply(struct context *context, const struct node *node,
				      const struct value *object, const struct value *pointer,
				      struct value *ret)
{
	_cleanup_value_ struct value part = { 0 };
	const struct type *type = type_strip(pointer->type);
	uint64_t ignored;

	*ret = (struct value){ .type = &type_unknown };
	if (value_unknown(pointer) || value_unknown(object))
		return NULL;
	if (type->kind != TYPE_MEMBER)
		return type_error("'%s' is no pointer to a member", pointer->type, NULL);

	struct dc_error *err = find_object(context, node, object, type->class, &part);

	if (err || value_unknown(&part))
		return err;
	if (!is_method_type(type))
		return read_data(context, &part, pointer, ret);
	*ret = (struct value){ .type = type->target, .lvalue = LVALUE_FUNCTION };
	if (context->mode != EVAL_RUN)
		return NULL;
	return find_code(context, &part, pointer, &ret->addr, &ignored);
}

struct dc_error *member_pointer_callee(struct context *context, const struct node *callee,
				       struct call *call, bool *done)
{
	_cleanup_value_ struct value object = { 0 }, pointer = { 0 }, part = { 0 };
	const struct type_param *params;
	const struct type *type;
	uint64_t code, moved;
	size_t n;
	struct dc_error *err = eval_node(context, callee->left, &object);

	*done = false;
	if (!err)
		err = eval_operand(context, callee->right, &pointer);
	if (err || value_unknown(&object) || value_unknown(&pointer) ||
	    type_strip(pointer.type)->kind != TYPE_MEMBER || !is_method_type(pointer.type))
		return err ? err
			   : member_pointer_apply(context, callee, &object, &pointer,
						  &call->callee);
	type = type_strip(pointer.type);
	err = find_object(context, callee, &object, type->class, &part);
	if (err || value_unknown(&part))
		return err;
	// A value has no place yet.
	if (part.lvalue == LVALUE_NONE && !type_strip(part.type)->is_nontrivial)
		part.lvalue = LVALUE_LITERAL;
	*done = true;
	call->type = type_strip(type->target);
	call->callee.type = types_pointer(context->basics.types, type->target);
	err = call->callee.type ? type_params(call->type, &params, &n) : &dc_out_of_memory;
	if (!err && !n)
		err = error_make(DC_VALUE, "what the method is called on is not known");
	if (err)
		return err;
	call->object.type = params[0].type;
	if (context->mode != EVAL_RUN)
		return NULL;
	err = find_code(context, &part, &pointer, &code, &moved);
	if (!err)
		err = value_set(&call->callee, &code, sizeof(code));
	return err ? err : value_set(&call->object, &moved, sizeof(moved));
}

// ---- printing ----

// The member that begins there, as gdb looks for it: also in bases, and in what has no name.
static bool find_name(struct symbols *symbols, const struct type *class, uint64_t offset,
		      unsigned depth, const struct type **owner, const char **name)
{
	const struct type *whole = symbols_complete(symbols, type_strip(class));
	const struct type_member *members;
	size_t n;
	_cleanup_error_ struct dc_error *err = type_members(whole, &members, &n);

	if (err || whole->is_incomplete || depth > DEPTH_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (members[i].name && !members[i].is_base && !members[i].bit_size &&
		    members[i].offset == offset) {
			*owner = whole;
			*name = members[i].name;
			return true;
		}
	}
	for (size_t i = 0; i < n; i++) {
		const struct type *type = type_strip(members[i].type);
		const struct type *around;

		if (members[i].is_virtual || !type_is_record(type) || offset < members[i].offset ||
		    offset - members[i].offset >= type->size ||
		    (!members[i].is_base && members[i].name) ||
		    !find_name(symbols, type, offset - members[i].offset, depth + 1, &around, name))
			continue;
		*owner = members[i].is_base ? around : whole;
		return true;
	}
	return false;
}

static void print_data(struct printer *printer, const struct type *class, uint64_t offset)
{
	const struct type *owner;
	const char *name;

	if (find_name(printer->symbols, class, offset, 0, &owner, &name))
		fprintf(printer->out, "&%s::%s", owner->name ?: "{...}", name);
	else
		fprintf(printer->out, "%" PRId64, (int64_t)offset);
}

// Of a table's place: the class's own, or that of the base whose table it is part of.
static bool find_virtual(struct symbols *symbols, const struct type *class, uint64_t slot,
			 int64_t moved, unsigned depth, struct method *ret)
{
	const struct type *whole = symbols_complete(symbols, type_strip(class));
	const struct type_member *members;
	size_t n;

	if (whole->is_incomplete || depth > DEPTH_MAX)
		return false;
	if (!moved && symbols_virtual_method(symbols, whole, slot, ret))
		return true;

	_cleanup_error_ struct dc_error *err = type_members(whole, &members, &n);

	for (size_t i = 0; !err && i < n; i++) {
		int64_t offset = (int64_t)members[i].offset;

		if (members[i].is_base && !members[i].is_virtual && moved >= offset &&
		    moved - offset < (int64_t)type_strip(members[i].type)->size &&
		    find_virtual(symbols, members[i].type, slot, moved - offset, depth + 1, ret))
			return true;
	}
	return false;
}

static void print_method(struct printer *printer, const struct type *type,
			 const struct pointer *pointer)
{
	const struct type *class = type->class;
	struct method method;

	if (!(pointer->place & 1)) {
		const struct type *plain = types_member(type->owner, class, type->target);
		_cleanup_free_ char *spelled = plain ? type_spell(plain, NULL) : NULL;

		fprintf(printer->out, "(%s) ", spelled ?: "?");
		print_address(printer, pointer->place);
	} else if (find_virtual(printer->symbols, class, (pointer->place - 1) / sizeof(uint64_t),
				pointer->moved, 0, &method)) {
		fprintf(printer->out, "&virtual %s", method.function.name);
		return;
	} else {
		fprintf(printer->out, "&virtual table offset %" PRIu64, pointer->place - 1);
	}
	if (pointer->moved)
		fprintf(printer->out, ", this adjustment %" PRId64, pointer->moved);
}

void member_pointer_print(struct printer *printer, const struct type *type,
			  const unsigned char *bytes)
{
	const struct pointer pointer = read_pointer(type, bytes);

	if (is_null(&pointer))
		fputs("NULL", printer->out);
	else if (pointer.is_method)
		print_method(printer, type, &pointer);
	else
		print_data(printer, type->class, pointer.place);
}
