// SPDX-License-Identifier: MIT
// The System V x86-64 calling convention: which eightbyte of a value travels in which register.
// Classes and merging follow psABI 3.2.3. Where gcc and clang are known to differ, the type is
// refused.
#include "debugger/inject/abi.h"

#include "debugger/base/cleanup.h"

#include <inttypes.h>
#include <string.h>

enum eightbyte {
	NO_CLASS,
	INTEGER,
	SSE,
	SSEUP, // the next eightbyte of the same vector register
	X87,
	X87UP,
	COMPLEX_X87,
	MEMORY,
};

enum { WORDS = 8 }; // nothing above eight eightbytes is passed in registers

struct shape {
	enum eightbyte word[WORDS];
	bool in_memory; // a member lies off its natural alignment, or the whole is too large
	uint8_t holes; // bit per eightbyte that has padding which alignment does not explain
	const char *doubt; // why it is not known, if it is not in memory anyway
	enum type_compiler compiler;
};

static enum eightbyte merge(enum eightbyte a, enum eightbyte b)
{
	if (a == b || b == NO_CLASS)
		return a;
	if (a == NO_CLASS)
		return b;
	if (a == MEMORY || b == MEMORY)
		return MEMORY;
	if (a == INTEGER || b == INTEGER)
		return INTEGER;
	if (a >= X87 || b >= X87)
		return MEMORY;
	return SSE;
}

static struct dc_error *refuse(const struct type *type, const char *why)
{
	_cleanup_free_ char *spelt = type_spell(type, NULL);

	return error_make(DC_REFUSED, "a value of type %s cannot be passed exactly: %s",
			  spelt ? spelt : "?", why);
}

// One scalar at offset: first class in its first eightbyte, rest in those that follow.
static void put(struct shape *shape, uint64_t offset, uint64_t size, uint64_t align,
		enum eightbyte first, enum eightbyte rest)
{
	if (offset % align || offset + size > WORDS * 8) {
		shape->in_memory = true;
		return;
	}
	for (uint64_t word = offset / 8; word * 8 < offset + size; word++)
		shape->word[word] = merge(shape->word[word], word == offset / 8 ? first : rest);
}

static void put_vector(struct shape *shape, const struct type *type, uint64_t offset)
{
	// Short vectors are integers to both compilers, whatever their elements.
	bool is_integer = type->size < 8;

	put(shape, offset, type->size, type->size, is_integer ? INTEGER : SSE, SSEUP);
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
			shape->in_memory = true;
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
		bool was_in_memory = shape->in_memory;
		struct dc_error *err = put_type(shape, element, offset + i * element->size);

		if (err)
			return err;
		if (i && shape->in_memory && !was_in_memory) {
			shape->in_memory = false;
			shape->doubt = "compilers differ on its packed array";
		}
		if (!element->size || offset + (i + 1) * element->size > WORDS * 8)
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
	for (uint64_t word = start_bit / 64; word * 64 < end_bit && word < WORDS; word++)
		shape->holes |= 1u << word;
}

// Debug information leaves out bit-fields without a name, which gcc counts as INTEGER and clang
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

		if (size) {
			uint64_t unit = type_strip(member->type)->size * 8;

			if (unit && end % unit + size > unit)
				expected = round_up(end, unit);
			uint64_t first = bit / 8, last = (bit + size - 1) / 8;

			// INTEGER in the eightbytes that its bits touch, wherever they lie.
			put(shape, offset + first, last - first + 1, 1, INTEGER, INTEGER);
		} else {
			bit = member->offset * 8;
			size = type_strip(member->type)->size * 8;
			expected = round_up(end, type_align(member->type) * 8ul);
			err = put_type(shape, member->type, offset + member->offset);
		}
		if (bit > expected && type->kind == TYPE_STRUCT)
			put_hole(shape, offset * 8 + end, offset * 8 + bit);
		if (bit + size > end)
			end = bit + size;
	}
	if (n && round_up(end, type_align(type) * 8ul) < type->size * 8)
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

		put(shape, offset, size, size, SSE, SSE);
		if (is_complex)
			put(shape, offset + size, size, size, SSE, SSE);
		return NULL;
	}
	case FLOAT_X87:
		if (is_complex)
			put(shape, offset, 32, 16, COMPLEX_X87, COMPLEX_X87);
		else
			put(shape, offset, 16, 16, X87, X87UP);
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
		put(shape, offset, type->size, type->size, INTEGER, INTEGER);
		return NULL;
	case TYPE_POINTER:
	case TYPE_REFERENCE: put(shape, offset, 8, 8, INTEGER, INTEGER); return NULL;
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

static bool is_aggregate(const struct type *type)
{
	return type->kind == TYPE_STRUCT || type->kind == TYPE_UNION;
}

// Classes of a whole value; type is stripped. Members of large aggregates are visited as well,
// since a member that cannot be passed, or not be known, must not slip through.
static struct dc_error *classify(const struct type *type, enum type_compiler compiler,
				 struct shape *ret)
{
	*ret = (struct shape){ .in_memory = type->size > WORDS * 8, .compiler = compiler };
	if (type->kind == TYPE_ARRAY)
		return refuse(type, "C passes no array by value");

	struct dc_error *err = put_type(ret, type, 0);

	if (err)
		return err;

	uint64_t words = words_of(type);

	for (uint64_t i = 0; i < words && !ret->in_memory; i++) {
		enum eightbyte previous = i ? ret->word[i - 1] : NO_CLASS;

		if (ret->word[i] == MEMORY || (ret->word[i] == X87UP && previous != X87))
			ret->in_memory = true;
		// More than two eightbytes stay together only in one vector register.
		if (words > 2 && is_aggregate(type) &&
		    (i ? ret->word[i] != SSEUP : ret->word[i] != SSE))
			ret->in_memory = true;
		if (ret->word[i] == SSEUP && previous != SSE && previous != SSEUP)
			ret->word[i] = SSE;
		if (ret->holes >> i & 1 && (ret->word[i] == SSE || ret->word[i] == NO_CLASS) &&
		    compiler != COMPILER_CLANG)
			ret->doubt = "its padding may be a bit-field without a name";
	}
	return ret->doubt && !ret->in_memory ? refuse(type, ret->doubt) : NULL;
}

// Registers an argument asks for; false: it goes to the stack, whatever is free.
static bool count_registers(const struct shape *shape, uint64_t words, unsigned *general,
			    unsigned *vector)
{
	*general = *vector = 0;
	if (shape->in_memory)
		return false;
	for (uint64_t i = 0; i < words; i++) {
		switch (shape->word[i]) {
		case INTEGER: ++*general; break;
		case SSE: ++*vector; break;
		case NO_CLASS:
		case SSEUP: break;
		default: return false; // x87 values are passed in memory
		}
	}
	return true;
}

struct placer {
	struct abi_entry *entry;
	enum type_compiler compiler;
	bool is_variadic;
	unsigned general, vector; // registers taken
};

static void use_width(struct abi_entry *entry, unsigned width)
{
	unsigned whole = width <= 16 ? 16 : width <= 32 ? 32 : 64;

	if (entry->vector_width < whole)
		entry->vector_width = whole;
}

static void place_in_registers(struct placer *placer, const struct shape *shape,
			       const unsigned char *bytes, uint64_t size)
{
	unsigned width = 0; // bytes of the vector register being filled

	for (uint64_t i = 0; i * 8 < size; i++) {
		size_t part = size - i * 8 < 8 ? size - i * 8 : 8;
		const unsigned char *from = bytes + i * 8;

		switch (shape->word[i]) {
		case INTEGER: memcpy(&placer->entry->general[placer->general++], from, part); break;
		case SSE:
			memcpy(placer->entry->vector[placer->vector++], from, part);
			use_width(placer->entry, width = 8);
			break;
		case SSEUP:
			memcpy(placer->entry->vector[placer->vector - 1] + width, from, part);
			use_width(placer->entry, width += 8);
			break;
		default: break;
		}
	}
}

static struct dc_error *place_on_stack(struct abi_entry *entry, const unsigned char *bytes,
				       uint64_t size, uint64_t align)
{
	if (align < 8)
		align = 8;
	if (align > entry->stack_align)
		entry->stack_align = (unsigned)align;
	if (size > SIZE_MAX / 4 || align > 4096)
		return error_make(DC_REFUSED, "an argument of %" PRIu64 " bytes is too large",
				  size);

	size_t at = (entry->stack_size + align - 1) & ~(align - 1);
	size_t end = at + ((size + 7) & ~(size_t)7);
	unsigned char *grown = realloc(entry->stack, end ? end : 1);

	if (!grown)
		return &dc_out_of_memory;
	memset(grown + entry->stack_size, 0, end - entry->stack_size);
	memcpy(grown + at, bytes, size);
	entry->stack = grown;
	entry->stack_size = end;
	return NULL;
}

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

static struct dc_error *place(struct placer *placer, const struct value *value, bool is_named)
{
	const struct type *type = type_strip(value->type);
	unsigned char extended[8] = { 0 };
	const unsigned char *bytes = value->bytes;
	uint64_t size = type->size, words = words_of(type);
	struct shape shape;
	struct dc_error *err = classify(type, placer->compiler, &shape);
	unsigned general, vector;

	if (err || !size)
		return err;
	if (!bytes)
		return refuse(type, "its value is not known");

	bool fits = count_registers(&shape, words, &general, &vector);

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
	// All of a value is in registers, or none of it; what it leaves serves later arguments.
	if (fits && placer->general + general <= ABI_GENERAL &&
	    placer->vector + vector <= ABI_VECTOR) {
		place_in_registers(placer, &shape, bytes, size);
		return NULL;
	}
	// clang before 18 leaves half of it in a register, or off its alignment.
	if (type->kind == TYPE_INT && size == 16 && placer->compiler != COMPILER_GCC)
		return refuse(type, "compilers differ on how it is passed on the stack");
	return place_on_stack(placer->entry, bytes, size, type_align(type));
}

struct dc_error *abi_check(const struct type *function)
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

void abi_entry_deinit(struct abi_entry *entry)
{
	free(entry->stack);
	*entry = (struct abi_entry){ 0 };
}

struct dc_error *abi_classify_call(const struct eval_call *call, struct abi_entry *ret)
{
	struct abi_entry entry = { .stack_align = 16 };
	const struct type *function = type_strip(call->type);
	struct placer placer = { .entry = &entry,
				 .compiler = function->compiler,
				 .is_variadic = function->is_variadic };
	const struct type_param *params;
	size_t nr_params;
	struct dc_error *err = abi_check(function);

	if (!err)
		err = type_params(function, &params, &nr_params);
	if (err)
		return err;

	const struct type *result = type_strip(function->target);
	struct shape shape = { .in_memory = false };

	if (result->kind != TYPE_VOID)
		err = classify(result, function->compiler, &shape);
	entry.leaves_x87 = result->kind != TYPE_VOID && !shape.in_memory &&
			   (shape.word[0] == X87 || shape.word[0] == COMPLEX_X87);
	if (!err && !shape.in_memory)
		for (uint64_t word = 0, width = 0; word < words_of(result); word++)
			if (shape.word[word] == SSE || shape.word[word] == SSEUP)
				use_width(&entry, width = shape.word[word] == SSE ? 8 : width + 8);
	if (!err && shape.in_memory) {
		entry.result_size = result->size;
		entry.result_align = type_align(result) > 16 ? type_align(result) : 16;
		placer.general = 1; // the caller of this function puts the address there
	}
	for (size_t i = 0; !err && i < call->nr_args; i++)
		err = place(&placer, &call->args[i], !function->is_variadic || i < nr_params);
	if (err) {
		abi_entry_deinit(&entry);
		return err;
	}
	entry.al = (uint8_t)placer.vector;
	*ret = entry;
	return NULL;
}

struct dc_error *abi_result(const struct eval_call *call, const struct abi_exit *exit,
			    unsigned char **bytes)
{
	const struct type *callee = type_strip(call->type), *type = type_strip(callee->target);
	struct shape shape;
	unsigned general = 0, vector = 0, width = 0, x87 = 0;

	*bytes = NULL;
	if (type->kind == TYPE_VOID)
		return NULL;

	struct dc_error *err = classify(type, callee->compiler, &shape);

	if (err)
		return err;

	uint64_t size = type->size;
	_cleanup_free_ unsigned char *result = calloc(1, size ? size : 1);

	if (!result)
		return &dc_out_of_memory;
	if (shape.in_memory) {
		memcpy(result, exit->memory, size);
		*bytes = take_ptr(result);
		return NULL;
	}
	for (uint64_t i = 0; i * 8 < size; i++) {
		size_t part = size - i * 8 < 8 ? size - i * 8 : 8;
		unsigned char *to = result + i * 8;

		switch (shape.word[i]) {
		case INTEGER: memcpy(to, general++ ? &exit->rdx : &exit->rax, part); break;
		case SSE:
			memcpy(to, exit->vector[vector++], part);
			width = 8;
			break;
		case SSEUP:
			memcpy(to, exit->vector[vector - 1] + width, part);
			width += 8;
			break;
		// The value is ten bytes; the six that fill it up stay zero.
		case X87: memcpy(to, exit->st[0], 10); break;
		case COMPLEX_X87:
			if (i % 2 == 0)
				memcpy(to, exit->st[x87++], 10);
			break;
		default: break;
		}
	}
	*bytes = take_ptr(result);
	return NULL;
}
