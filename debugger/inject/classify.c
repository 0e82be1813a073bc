// SPDX-License-Identifier: MIT
// Classes of a type's eightbytes, as C's compilers give them. Where gcc and clang are known to
// differ, the type is refused.
#include "debugger/inject/classify.h"

#include "debugger/base/cleanup.h"

#include <inttypes.h>
#include <string.h>

struct shape {
	struct abi_value value;
	uint8_t holes; // bit per eightbyte that has padding which alignment does not explain
	const char *doubt; // why it is not known, if it is not in memory anyway
	enum type_compiler compiler;
};

static struct dc_error *refuse(const struct type *type, const char *why)
{
	_cleanup_free_ char *spelt = type_spell(type, NULL);

	return error_make(DC_REFUSED, "a value of type %s cannot be passed exactly: %s",
			  spelt ? spelt : "?", why);
}

static bool is_aggregate(const struct type *type)
{
	return type->kind == TYPE_STRUCT || type->kind == TYPE_UNION;
}

// Of a class that says itself how it is copied or destroyed.
static bool is_object(const struct type *type)
{
	return is_aggregate(type) && !type->is_incomplete && type->is_nontrivial;
}

static void put_vector(struct shape *shape, const struct type *type, uint64_t offset)
{
	// Short vectors are integers to both compilers, whatever their elements.
	bool is_integer = type->size < 8;

	abi_put(&shape->value, offset, type->size, type->size, is_integer ? ABI_INTEGER : ABI_SSE,
		ABI_SSEUP);
}

static struct dc_error *check_vector(const struct type *type)
{
	const struct type *element = type_strip(type->target);
	bool is_plain = (element->kind == TYPE_INT && element->size <= 8) ||
			(element->kind == TYPE_FLOAT &&
			 (element->format == FLOAT_32 || element->format == FLOAT_64));

	if (!is_plain)
		return refuse(type, "the elements of the vector are no type that C's vectors have");
	if (type->size > 64)
		return refuse(type, "no register holds a vector of more than 64 bytes");
	if (type->size & (type->size - 1) || !type->size)
		return refuse(type, "the vector's size is no power of two");
	if (type->count == 1)
		return refuse(type, "compilers differ on vectors of one element");
	return NULL;
}

static struct dc_error *put_type(struct shape *shape, const struct type *type, uint64_t offset);

// gcc judges an array by its first element alone; the psABI and clang look at each one.
static struct dc_error *put_array(struct shape *shape, const struct type *type, uint64_t offset)
{
	const struct type *element = type_strip(type->target);

	if (type->count == UINT64_MAX) {
		// To gcc no part of the value; clang passes what has one in memory.
		if (shape->compiler == COMPILER_CLANG)
			shape->value.in_memory = true;
		else if (shape->compiler == COMPILER_UNKNOWN)
			shape->doubt = "compilers differ on its flexible array member";
		return NULL;
	}
	// gcc lets the element of an array of none take part in the eightbyte that it would begin
	// in.
	if (type->count == 0 && shape->compiler != COMPILER_CLANG && offset % 8) {
		if (shape->compiler == COMPILER_GCC)
			return put_type(shape, element, offset);
		shape->doubt = "compilers differ on its array without elements";
	}
	for (uint64_t i = 0; i < type->count; i++) {
		bool was_in_memory = shape->value.in_memory;
		struct dc_error *err = put_type(shape, element, offset + i * element->size);

		if (err)
			return err;
		if (i && shape->value.in_memory && !was_in_memory) {
			shape->value.in_memory = false;
			shape->doubt = "compilers differ on its packed array";
		}
		if (!element->size || offset + (i + 1) * element->size > ABI_WORDS * 8)
			break;
	}
	return NULL;
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return to ? (n + to - 1) / to * to : n;
}

static void put_hole(struct shape *shape, uint64_t start_bit, uint64_t end_bit)
{
	for (uint64_t word = start_bit / 64; word * 64 < end_bit && word < ABI_WORDS; word++)
		shape->holes |= 1u << word;
}

// clang passes in memory what has a struct within that lies off its own alignment. gcc asks that of
// numbers only.
static void judge_place(struct shape *shape, const struct type *member, uint64_t offset)
{
	const struct type *inner = type_strip(member);

	while (inner->kind == TYPE_ARRAY)
		inner = type_strip(inner->target);
	if (!is_aggregate(inner) || inner->is_incomplete || shape->compiler == COMPILER_GCC ||
	    !(offset % type_padded_align(member)))
		return;
	if (!(offset % type_align(member)))
		shape->doubt = "its debug information does not tell the alignment of a member";
	else if (shape->compiler == COMPILER_CLANG)
		shape->value.in_memory = true;
	else
		shape->doubt = "compilers differ on a struct off its alignment";
}

// Debug information leaves out bit-fields without a name, which gcc counts as ABI_INTEGER and clang
// does not count. They show as a hole wider than the next member's alignment asks for.
static struct dc_error *put_members(struct shape *shape, const struct type *type, uint64_t offset)
{
	const struct type_member *members;
	size_t n;
	uint64_t end = 0; // in bits, of the members so far
	struct dc_error *err = type_members(type, &members, &n);

	for (size_t i = 0; i < n && !err; i++) {
		const struct type_member *member = &members[i];
		uint64_t bit = member->offset * 8 + member->bit_offset, size = member->bit_size;
		uint64_t expected = end;

		// clang places the bit-fields of some packed structs where they are not.
		if (size && bit < end && type->kind == TYPE_STRUCT)
			shape->doubt = "its bit-fields overlap";

		if (size) {
			uint64_t unit = type_strip(member->type)->size * 8;

			if (unit && end % unit + size > unit)
				expected = round_up(end, unit);
			uint64_t first = bit / 8, last = (bit + size - 1) / 8;

			// ABI_INTEGER in the eightbytes that its bits touch, wherever they lie.
			abi_put(&shape->value, offset + first, last - first + 1, 1, ABI_INTEGER,
				ABI_INTEGER);
		} else {
			bit = member->offset * 8;
			size = type_strip(member->type)->size * 8;
			expected = round_up(end, type_align(member->type) * 8ul);
			err = put_type(shape, member->type, offset + member->offset);
			if (!err)
				judge_place(shape, member->type, offset + member->offset);
		}
		if (bit > expected && type->kind == TYPE_STRUCT)
			put_hole(shape, offset * 8 + end, offset * 8 + bit);
		if (bit + size > end)
			end = bit + size;
	}
	// A class without members has the size of one byte.
	if ((n && round_up(end, type_align(type) * 8ul) < type->size * 8) ||
	    (!n && type->size > (type->tag ? 0 : 1)))
		put_hole(shape, offset * 8 + end, (offset + type->size) * 8);
	return err;
}

static struct dc_error *put_float(struct shape *shape, const struct type *type, uint64_t offset,
				  bool is_complex)
{
	switch (type->format) {
	case FLOAT_32:
	case FLOAT_64: {
		uint64_t size = type->format == FLOAT_32 ? 4 : 8;

		abi_put(&shape->value, offset, size, size, ABI_SSE, ABI_SSE);
		if (is_complex)
			abi_put(&shape->value, offset + size, size, size, ABI_SSE, ABI_SSE);
		return NULL;
	}
	case FLOAT_X87:
		if (is_complex)
			abi_put(&shape->value, offset, 32, 16, ABI_COMPLEX_X87, ABI_COMPLEX_X87);
		else
			abi_put(&shape->value, offset, 16, 16, ABI_X87, ABI_X87UP);
		return NULL;
	case FLOAT_16: return refuse(type, "half-precision floats are not supported");
	case FLOAT_128: return refuse(type, "quad-precision floats are not supported");
	default: return refuse(type, "its floating-point format is not supported");
	}
}

static struct dc_error *put_type(struct shape *shape, const struct type *type, uint64_t offset)
{
	type = type_strip(type);
	switch (type->kind) {
	case TYPE_BOOL:
	case TYPE_INT:
	case TYPE_ENUM:
		if (type->is_incomplete)
			return refuse(type, "it is only declared, not defined");
		if (type->size > 16 || type->size & (type->size - 1) || !type->size)
			return refuse(type, "no register has an integer of its size");
		abi_put(&shape->value, offset, type->size, type->size, ABI_INTEGER, ABI_INTEGER);
		return NULL;
	case TYPE_POINTER:
	case TYPE_REFERENCE:
	case TYPE_MEMBER:
		for (uint64_t i = 0; i < type->size; i += 8)
			abi_put(&shape->value, offset + i, 8, 8, ABI_INTEGER, ABI_INTEGER);
		return NULL;
	case TYPE_FLOAT: return put_float(shape, type, offset, false);
	case TYPE_COMPLEX: return put_float(shape, type, offset, true);
	case TYPE_ARRAY: return put_array(shape, type, offset);
	case TYPE_VECTOR: {
		struct dc_error *err = check_vector(type);

		if (!err)
			put_vector(shape, type, offset);
		return err;
	}
	case TYPE_STRUCT:
	case TYPE_UNION:
		if (type->is_incomplete)
			return refuse(type, "it is only declared, not defined");
		if (type->is_nontrivial)
			return refuse(type, "its class has constructors or destructors of its own");
		if (type->is_doubtful)
			return refuse(type, "its debug information does not tell how it is copied");
		return put_members(shape, type, offset);
	case TYPE_OPAQUE: return refuse(type, "debugcall does not know how it is passed");
	case TYPE_VOID:
	case TYPE_FUNCTION:
	case TYPE_TYPEDEF: break;
	}
	return refuse(type, "it is no object type");
}

static uint64_t words_of(const struct type *type)
{
	return (type->size + 7) / 8;
}

// Classes of a whole value; type is stripped. Members of large aggregates are visited as well,
// since a member that cannot be passed, or not be known, must not slip through.
static struct dc_error *classify(const struct type *type, enum type_compiler compiler,
				 struct shape *ret)
{
	*ret = (struct shape){ .value.in_memory = type->size > ABI_WORDS * 8,
			       .compiler = compiler };
	// It lies where its caller has made it, or wants it, and that address is what is passed.
	if (is_object(type)) {
		ret->value.in_memory = true;
		return NULL;
	}
	if (type->kind == TYPE_ARRAY)
		return refuse(type, "C passes no array by value");

	struct dc_error *err = put_type(ret, type, 0);

	if (err)
		return err;

	abi_settle(&ret->value, type->size, is_aggregate(type));
	for (uint64_t i = 0; i < words_of(type) && !ret->value.in_memory; i++) {
		enum abi_class class = ret->value.word[i];

		if (ret->holes >> i & 1 && (class == ABI_SSE || class == ABI_NO_CLASS) &&
		    compiler != COMPILER_CLANG)
			ret->doubt = "its padding may be a bit-field without a name";
	}
	return ret->doubt && !ret->value.in_memory ? refuse(type, ret->doubt) : NULL;
}

struct placer {
	struct abi_placer abi;
	enum type_compiler compiler;
	bool is_variadic;
};

// Callees of some compilers expect narrow integers extended to the register's width.
static void extend(const struct type *type, unsigned char bytes[8])
{
	uint64_t value = 0;
	unsigned shift = 64 - (unsigned)type->size * 8;

	memcpy(&value, bytes, type->size);
	value <<= shift;
	value = type->kind != TYPE_BOOL && type->is_signed ? (uint64_t)((int64_t)value >> shift)
							   : value >> shift;
	memcpy(bytes, &value, 8);
}

static bool is_narrow(const struct type *type)
{
	return type->kind == TYPE_BOOL ||
	       ((type->kind == TYPE_INT || type->kind == TYPE_ENUM) && type->size < 8);
}

static struct dc_error *place_object(struct placer *placer, const struct value *value,
				     bool is_named)
{
	struct abi_value pointer = { 0 };
	const unsigned char *bytes = (const unsigned char *)&value->addr;

	if (!is_named)
		return refuse(value->type, "a variadic function takes none");
	abi_put(&pointer, 0, sizeof(value->addr), sizeof(value->addr), ABI_INTEGER, ABI_INTEGER);
	if (abi_place_in_registers(&placer->abi, &pointer, bytes, sizeof(value->addr)))
		return NULL;
	return abi_place_on_stack(placer->abi.entry, bytes, sizeof(value->addr),
				  sizeof(value->addr));
}

static struct dc_error *place(struct placer *placer, const struct value *value, bool is_named)
{
	const struct type *type = type_strip(value->type);
	unsigned char extended[8] = { 0 };
	const unsigned char *bytes = value->bytes;
	uint64_t size = type->size, words = words_of(type);
	struct shape shape;
	struct dc_error *err = classify(type, placer->compiler, &shape);
	unsigned general, vector;

	if (!err && is_object(type))
		return place_object(placer, value, is_named);
	if (err || !size)
		return err;
	if (!bytes)
		return refuse(type, "its value is not known");

	bool fits = abi_count(&shape.value, words, &general, &vector);

	// An empty class of C++ has a size, but nothing of it is passed.
	if (fits && !general && !vector && is_aggregate(type))
		return NULL;
	if (is_narrow(type)) {
		memcpy(extended, bytes, size);
		extend(type, extended);
		bytes = extended;
		size = 8;
	}
	if (fits && words > 2 && placer->is_variadic) {
		// va_arg looks for wide vectors in memory only, and clang for named ones as well.
		if (is_named && placer->compiler == COMPILER_UNKNOWN)
			return refuse(type, "compilers differ on it in a variadic function");
		if (!is_named || placer->compiler == COMPILER_CLANG)
			fits = false;
	}
	if (fits && abi_place_in_registers(&placer->abi, &shape.value, bytes, size))
		return NULL;
	// clang before 18 leaves half of it in a register, or off its alignment.
	if (type->kind == TYPE_INT && size == 16 && placer->compiler != COMPILER_GCC)
		return refuse(type, "compilers differ on how it is passed on the stack");
	// Where a value lies on the stack follows from its alignment alone.
	uint64_t align = type_align(type), other = type_align(value->type);

	if (other == align)
		other = type_padded_align(type);
	if ((type_align_is_guessed(type) || other != align) &&
	    (round_up(placer->abi.entry->stack_size, align < 8 ? 8 : align) !=
		     round_up(placer->abi.entry->stack_size, 8) ||
	     round_up(placer->abi.entry->stack_size, other < 8 ? 8 : other) !=
		     round_up(placer->abi.entry->stack_size, 8)))
		return refuse(value->type, "its debug information does not tell its alignment, by "
					   "which it is placed on the stack");
	return abi_place_on_stack(placer->abi.entry, bytes, size, align);
}

struct dc_error *classify_check(const struct type *function)
{
	const struct type *type = type_strip(function);
	const struct type_param *params;
	size_t n;
	struct shape shape;

	if (type->kind != TYPE_FUNCTION)
		return refuse(function, "it is no function");

	const struct type *result = type_strip(type->target);
	struct dc_error *err = result->kind == TYPE_VOID ? NULL
							 : classify(result, type->compiler, &shape);

	if (!err)
		err = type_params(type, &params, &n);
	for (size_t i = 0; !err && i < n; i++)
		err = classify(type_strip(params[i].type), type->compiler, &shape);
	return err;
}

// ---- what a function's code shows of its parameters ----

// DWARF's number of the n-th register for arguments of each kind.
static unsigned general_register(unsigned n)
{
	static const uint8_t numbers[ABI_GENERAL] = { 5, 4, 1, 2, 8, 9 };

	return numbers[n];
}

static unsigned vector_register(unsigned n)
{
	return 17 + n;
}

// Where the ABI puts the next argument: zeros are placed to see where they go.
static struct dc_error *expect_param(struct placer *placer, const struct type *type,
				     struct param_entry *ret)
{
	const struct abi_placer before = placer->abi;
	size_t stack = placer->abi.entry->stack_size;
	_cleanup_value_ struct value zeros = { .type = type };
	struct dc_error *err = value_set(&zeros, NULL, type_strip(type)->size);

	*ret = (struct param_entry){ .place = PARAM_NOWHERE };
	if (!err)
		err = place(placer, &zeros, true);
	if (err)
		return err;
	for (unsigned i = before.general; i < placer->abi.general; i++)
		ret->registers |= UINT64_C(1) << general_register(i);
	for (unsigned i = before.vector; i < placer->abi.vector; i++)
		ret->registers |= UINT64_C(1) << vector_register(i);
	if (ret->registers)
		ret->place = PARAM_REGISTERS;
	if (placer->abi.entry->stack_size > stack) {
		uint64_t size = (type_strip(type)->size + 7) & ~(uint64_t)7;

		ret->place = PARAM_STACK;
		ret->offset = (int64_t)(placer->abi.entry->stack_size - size);
	}
	return NULL;
}

// What is wrong with where the code has the parameter; NULL: nothing that shows.
static const char *misplaced(const struct param_entry *wanted, const struct param_entry *told,
			     bool is_local)
{
	if (wanted->place == PARAM_NOWHERE)
		return NULL;
	switch (told->place) {
	case PARAM_NOWHERE:
		return is_local ? "its code has no place for it, and may not be passed it" : NULL;
	case PARAM_REPLACED: return "its code has something else in its place";
	case PARAM_REGISTERS:
		return wanted->place != PARAM_REGISTERS || told->registers & ~wanted->registers
			       ? "its code has it elsewhere than it is passed"
			       : NULL;
	case PARAM_STACK:
		return wanted->place != PARAM_STACK || wanted->offset != told->offset
			       ? "its code has it elsewhere than it is passed"
			       : NULL;
	case PARAM_UNTOLD: break;
	}
	return NULL;
}

static struct dc_error *check_body(const struct function *function, struct placer *placer,
				   const struct type_param *params, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct param_entry wanted;
		struct dc_error *err = expect_param(placer, params[i].type, &wanted);

		// What cannot be placed is refused for that, where it is passed.
		if (err) {
			dc_error_destroy(err);
			return NULL;
		}

		const char *why = misplaced(&wanted, &params[i].entry, function->is_local);

		if (why)
			return error_make(
				DC_REFUSED,
				"'%s' cannot be called: the compiler changed its arguments "
				"(%s: %s)",
				function->name, params[i].name ?: "a parameter", why);
	}
	return NULL;
}

struct dc_error *classify_body(const struct function *function)
{
	struct abi_entry entry = { .stack_align = 16 };
	const struct type *type = function->type;
	const struct type_param *params;
	struct shape shape = { 0 };
	size_t n;
	struct dc_error *err = type ? type_params(type, &params, &n) : NULL;

	if (!type || err || !type->target)
		return err;

	struct placer placer = { .abi.entry = &entry,
				 .compiler = type->compiler,
				 .is_variadic = type->is_variadic };
	const struct type *result = type_strip(type->target);

	if (result->kind != TYPE_VOID)
		err = classify(result, type->compiler, &shape);
	if (err) {
		dc_error_destroy(err);
		return NULL;
	}
	placer.abi.general = result->kind != TYPE_VOID && shape.value.in_memory;
	err = check_body(function, &placer, params, n);
	abi_entry_deinit(&entry);
	return err;
}

struct dc_error *classify_call(const struct typed_call *call, struct abi_entry *ret)
{
	struct abi_entry entry = { .stack_align = 16 };
	const struct type *function = type_strip(call->type);
	struct placer placer = { .abi.entry = &entry,
				 .compiler = function->compiler,
				 .is_variadic = function->is_variadic };
	const struct type_param *params;
	size_t nr_params;
	struct dc_error *err = classify_check(function);

	if (!err)
		err = type_params(function, &params, &nr_params);
	if (err)
		return err;

	const struct type *result = type_strip(function->target);
	struct shape shape = { .compiler = function->compiler };

	if (result->kind != TYPE_VOID)
		err = classify(result, function->compiler, &shape);
	if (!err && result->kind != TYPE_VOID)
		abi_expect_result(&entry, &shape.value, result->size, type_align(result));
	if (entry.result_size)
		placer.abi.general = 1; // the caller of this function puts the address there
	if (call->result_at) {
		entry.general[0] = call->result_at;
		entry.result_size = entry.result_align = 0;
	}
	for (size_t i = 0; !err && i < call->nr_args; i++)
		err = place(&placer, &call->args[i], !function->is_variadic || i < nr_params);
	if (err) {
		abi_entry_deinit(&entry);
		return err;
	}
	entry.al = (uint8_t)placer.abi.vector;
	*ret = entry;
	return NULL;
}

struct dc_error *classify_where(const struct typed_call *call, bool *in_memory)
{
	const struct type *callee = type_strip(call->type), *type = type_strip(callee->target);
	struct shape shape = { 0 };
	struct dc_error *err = type->kind == TYPE_VOID ? NULL
						       : classify(type, callee->compiler, &shape);

	*in_memory = shape.value.in_memory;
	return err;
}

struct dc_error *classify_result(const struct typed_call *call, const struct abi_exit *exit,
				 unsigned char **bytes)
{
	const struct type *callee = type_strip(call->type), *type = type_strip(callee->target);
	struct shape shape;

	*bytes = NULL;
	if (type->kind == TYPE_VOID)
		return NULL;

	struct dc_error *err = classify(type, callee->compiler, &shape);

	if (err)
		return err;

	*bytes = calloc(1, type->size ? type->size : 1);
	if (!*bytes)
		return &dc_out_of_memory;
	abi_take_result(&shape.value, exit, type->size, *bytes);
	return NULL;
}
