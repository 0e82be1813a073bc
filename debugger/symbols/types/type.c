// SPDX-License-Identifier: MIT
// The table of types: an arena that owns them and a hash that makes equal ones the same.
// Derived types are made here; what comes from DWARF is made in type_dwarf.c.
#include "debugger/symbols/types/type_table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 256, MAX_DEPTH = 64 };

// A corrupt file can make a function type its own parameter: comparing must still end.
enum { MAX_COMPARED = 2000 };

struct types *types_create(void)
{
	struct types *types = calloc(1, sizeof(*types));

	if (!types)
		return NULL;
	types->nr_buckets = FIRST_BUCKETS;
	types->buckets = calloc(types->nr_buckets, sizeof(*types->buckets));
	if (!types->buckets) {
		free(types);
		return NULL;
	}
	return types;
}

void types_destroy(struct types *types)
{
	if (!types)
		return;
	arena_deinit(&types->arena);
	free(types->buckets);
	free(types);
}

void *types_alloc(struct types *types, size_t size)
{
	return arena_alloc(&types->arena, size);
}

char *types_strndup(struct types *types, const char *text, size_t n)
{
	char *copy = types_alloc(types, n + 1);

	if (copy)
		memcpy(copy, text, n);
	return copy;
}

static size_t bucket_of(const struct types *types, const void *key, uint64_t key2)
{
	uint64_t hash = ((uint64_t)(uintptr_t)key ^ (key2 * 0x9e3779b97f4a7c15u)) *
			0xff51afd7ed558ccdu;

	return (hash >> 32) & (types->nr_buckets - 1);
}

// A table that cannot grow still works, only slower.
static void grow(struct types *types)
{
	size_t nr_old = types->nr_buckets;
	struct type_node **old = types->buckets;
	struct type_node **buckets = calloc(nr_old * 2, sizeof(*buckets));

	if (!buckets)
		return;
	types->buckets = buckets;
	types->nr_buckets = nr_old * 2;
	for (size_t i = 0; i < nr_old; i++) {
		while (old[i]) {
			struct type_node *node = old[i];
			size_t bucket = bucket_of(types, node->key, node->key2);

			old[i] = node->next;
			node->next = buckets[bucket];
			buckets[bucket] = node;
		}
	}
	free(old);
}

struct type_node *types_intern(struct types *types, const void *key, uint64_t key2, bool *made)
{
	*made = false;
	for (struct type_node *node = types->buckets[bucket_of(types, key, key2)]; node;
	     node = node->next) {
		if (node->key == key && node->key2 == key2)
			return node;
	}

	struct type_node *node = types_alloc(types, sizeof(*node));

	if (!node)
		return NULL;
	if (types->nr_nodes++ >= types->nr_buckets)
		grow(types);

	size_t bucket = bucket_of(types, key, key2);

	node->type.owner = types;
	node->unqualified = node;
	node->key = key;
	node->key2 = key2;
	node->next = types->buckets[bucket];
	types->buckets[bucket] = node;
	*made = true;
	return node;
}

// What a derived type is to the type it derives from; the low byte of key2.
enum derivation {
	DERIVE_NONE,
	DERIVE_POINTER,
	DERIVE_ARRAY,
	DERIVE_VECTOR,
	DERIVE_QUALIFIED,
	DERIVE_REFERENCE,
	DERIVE_MEMBER
};

const struct type *types_pointer(struct types *types, const struct type *target)
{
	bool made;
	struct type_node *node = types_intern(types, target, DERIVE_POINTER, &made);

	if (node && made) {
		node->type.kind = TYPE_POINTER;
		node->type.size = node->type.align = 8;
		node->type.target = target;
	}
	return node ? &node->type : NULL;
}

const struct type *types_reference(struct types *types, const struct type *target, bool is_rvalue)
{
	bool made;
	struct type_node *node = types_intern(types, target, DERIVE_REFERENCE | is_rvalue << 8,
					      &made);

	if (node && made) {
		node->type.kind = TYPE_REFERENCE;
		node->type.size = node->type.align = 8;
		node->type.target = target;
		node->type.is_rvalue = is_rvalue;
		node->parts = PARTS_READ;
	}
	return node ? &node->type : NULL;
}

// Of a member that is data where it lies in the object, of a method its code or its place in the
// virtual table, and what is to be added to the object's address.
const struct type *types_member(struct types *types, const struct type *class,
				const struct type *target)
{
	const struct type *plain = &type_node(type_strip(class))->unqualified->type;
	bool made;
	struct type_node *node = types_intern(
		types, target, (uint64_t)(uintptr_t)plain << 8 | DERIVE_MEMBER, &made);

	if (node && made) {
		node->type.kind = TYPE_MEMBER;
		node->type.size = type_strip(target)->kind == TYPE_FUNCTION ? 16 : 8;
		node->type.align = 8;
		node->type.target = target;
		node->type.class = plain;
		node->parts = PARTS_READ;
	}
	return node ? &node->type : NULL;
}

static const struct type *sequence(struct types *types, enum type_kind kind,
				   const struct type *element, uint64_t count)
{
	// The count takes part of the key: seven bytes of it, and the eighth folded in.
	uint64_t key2 = (count << 8 ^ count >> 56 << 8) |
			(kind == TYPE_ARRAY ? DERIVE_ARRAY : DERIVE_VECTOR);
	bool made;
	struct type_node *node = types_intern(types, element, key2, &made);

	if (!node)
		return NULL;
	if (made) {
		node->type.kind = kind;
		node->type.target = element;
		node->type.count = count;
		node->type.align = element->align;
		if (count == UINT64_MAX ||
		    __builtin_mul_overflow(count, element->size, &node->type.size))
			node->type.size = 0;
		if (kind == TYPE_VECTOR && node->type.size)
			node->type.align = 1u << (63 - __builtin_clzll(node->type.size));
	}
	return &node->type;
}

const struct type *types_array(struct types *types, const struct type *element, uint64_t count)
{
	return sequence(types, TYPE_ARRAY, element, count);
}

const struct type *types_vector(struct types *types, const struct type *element, uint64_t count)
{
	return sequence(types, TYPE_VECTOR, element, count);
}

const struct type *types_qualified(struct types *types, const struct type *type, bool is_const,
				   bool is_volatile)
{
	is_const |= type->is_const;
	is_volatile |= type->is_volatile;
	if (is_const == type->is_const && is_volatile == type->is_volatile)
		return type;

	struct type_node *plain = type_node(type)->unqualified;
	bool made;
	struct type_node *node = types_intern(
		types, plain, DERIVE_QUALIFIED | is_const << 8 | is_volatile << 9, &made);

	if (!node)
		return NULL;
	if (made) {
		node->type = plain->type;
		node->unqualified = plain;
		node->type.is_const = is_const;
		node->type.is_volatile = is_volatile;
	}
	return &node->type;
}

const struct type *types_function(struct types *types, const struct type *result,
				  const struct type_param *params, size_t n, bool is_variadic,
				  bool is_prototyped)
{
	// Not interned: two spellings of one function type are equal by type_equal(), as in DWARF.
	struct type_node *node = types_alloc(types, sizeof(*node));

	if (!node)
		return NULL;
	node->unqualified = node;
	node->type.owner = types;
	node->type.kind = TYPE_FUNCTION;
	node->type.align = 1;
	node->type.target = result;
	node->type.is_variadic = is_variadic;
	node->type.is_prototyped = is_prototyped;
	node->parts = PARTS_READ;
	if (n) {
		node->params = types_alloc(types, n * sizeof(*params));
		if (!node->params)
			return NULL;
		memcpy(node->params, params, n * sizeof(*params));
		for (size_t i = 0; i < n; i++) {
			const char *name = params[i].name;

			if (name)
				node->params[i].name = types_strndup(types, name, strlen(name));
		}
	}
	node->nr_parts = n;
	return &node->type;
}

static struct dc_error *read_parts(const struct type *type, struct type_node **ret)
{
	struct type_node *node = type_node(type)->unqualified;
	struct dc_error *err = node->parts == PARTS_READ ? NULL : type_read_parts(node);

	// A qualified copy may have been made before the parts were known.
	if (!err && &node->type != type) {
		type_node(type)->type.align = node->type.align;
		type_node(type)->type.is_align_guessed = node->type.is_align_guessed;
		type_node(type)->type.padded_align = node->type.padded_align;
		type_node(type)->type.is_nontrivial = node->type.is_nontrivial;
		type_node(type)->type.is_doubtful = node->type.is_doubtful;
	}
	*ret = node;
	return err;
}

struct dc_error *type_members(const struct type *type, const struct type_member **ret, size_t *n)
{
	struct type_node *node;

	*ret = NULL;
	*n = 0;
	if (type->kind != TYPE_STRUCT && type->kind != TYPE_UNION)
		return NULL;

	struct dc_error *err = read_parts(type, &node);

	if (!err) {
		*ret = node->members;
		*n = node->nr_parts;
	}
	return err;
}

struct dc_error *type_params(const struct type *type, const struct type_param **ret, size_t *n)
{
	struct type_node *node;

	*ret = NULL;
	*n = 0;
	if (type->kind != TYPE_FUNCTION)
		return NULL;

	struct dc_error *err = read_parts(type, &node);

	if (!err) {
		*ret = node->params;
		*n = node->nr_parts;
	}
	return err;
}

struct dc_error *type_enumerators(const struct type *type, const struct type_enumerator **ret,
				  size_t *n)
{
	struct type_node *node;

	*ret = NULL;
	*n = 0;
	if (type->kind != TYPE_ENUM)
		return NULL;

	struct dc_error *err = read_parts(type, &node);

	if (!err) {
		*ret = node->enumerators;
		*n = node->nr_parts;
	}
	return err;
}

// The type that decides the alignment, with its members read.
static const struct type *aligned_by(const struct type *type)
{
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		if (type->kind == TYPE_TYPEDEF && type_node(type)->unqualified->declared_align)
			break;
		if (type->kind == TYPE_TYPEDEF || type->kind == TYPE_ARRAY) {
			type = type->target;
			continue;
		}
		if (type->kind == TYPE_STRUCT || type->kind == TYPE_UNION) {
			const struct type_member *members;
			size_t n;
			struct dc_error *err = type_members(type, &members, &n);

			dc_error_destroy(err);
		}
		break;
	}
	return type;
}

uint32_t type_align(const struct type *type)
{
	const struct type *by = aligned_by(type);
	uint32_t align = by->kind == TYPE_TYPEDEF ? type_node(by)->unqualified->declared_align
						  : by->align;

	return align ? align : 1;
}

uint32_t type_padded_align(const struct type *type)
{
	uint32_t align = type_align(type), padded = aligned_by(type)->padded_align;

	return padded > align ? padded : align;
}

bool type_align_is_guessed(const struct type *type)
{
	return aligned_by(type)->is_align_guessed;
}

const struct type *type_strip(const struct type *type)
{
	bool is_const = false, is_volatile = false;

	while (type->kind == TYPE_TYPEDEF) {
		is_const |= type->is_const;
		is_volatile |= type->is_volatile;
		type = type->target;
	}
	if (!is_const && !is_volatile)
		return type;

	const struct type *qualified = types_qualified(type->owner, type, is_const, is_volatile);

	return qualified ? qualified : type;
}

static bool same_name(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool equal(const struct type *a, const struct type *b, int *budget);

static bool equal_functions(const struct type *a, const struct type *b, int *budget)
{
	const struct type_param *params_a, *params_b;
	size_t n_a, n_b;

	if (!equal(a->target, b->target, budget))
		return false;
	// C: a type without a prototype is compatible with any list of parameters.
	if (!a->is_prototyped || !b->is_prototyped)
		return true;
	if (a->is_variadic != b->is_variadic)
		return false;

	struct dc_error *err = type_params(a, &params_a, &n_a);

	if (!err)
		err = type_params(b, &params_b, &n_b);
	if (err) {
		dc_error_destroy(err);
		return false;
	}
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++) {
		if (!equal(params_a[i].type, params_b[i].type, budget))
			return false;
	}
	return true;
}

static bool equal_unnamed(const struct type *a, const struct type *b, int *budget)
{
	const struct type_member *members_a, *members_b;
	size_t n_a, n_b;
	struct dc_error *err = type_members(a, &members_a, &n_a);

	if (!err)
		err = type_members(b, &members_b, &n_b);
	if (err) {
		dc_error_destroy(err);
		return false;
	}
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++) {
		if (!same_name(members_a[i].name, members_b[i].name) ||
		    members_a[i].offset != members_b[i].offset ||
		    members_a[i].bit_size != members_b[i].bit_size ||
		    members_a[i].bit_offset != members_b[i].bit_offset ||
		    !equal(members_a[i].type, members_b[i].type, budget))
			return false;
	}
	return true;
}

static bool equal(const struct type *a, const struct type *b, int *budget)
{
	while (a->kind == TYPE_TYPEDEF)
		a = a->target;
	while (b->kind == TYPE_TYPEDEF)
		b = b->target;
	if (type_node(a)->unqualified == type_node(b)->unqualified)
		return true;
	if (a->kind != b->kind || --*budget < 0)
		return false;

	switch (a->kind) {
	case TYPE_VOID: return true;
	case TYPE_BOOL: return a->size == b->size;
	case TYPE_INT:
		// char, signed char and unsigned char are three types; long and long long are two.
		return a->size == b->size && a->is_signed == b->is_signed &&
		       same_name(a->name, b->name);
	case TYPE_FLOAT:
	case TYPE_COMPLEX: return a->format == b->format && a->size == b->size;
	case TYPE_POINTER:
	case TYPE_REFERENCE: return equal(a->target, b->target, budget);
	case TYPE_MEMBER:
		return equal(a->class, b->class, budget) && equal(a->target, b->target, budget);
	case TYPE_ARRAY:
		return (a->count == b->count || a->count == UINT64_MAX || b->count == UINT64_MAX) &&
		       equal(a->target, b->target, budget);
	case TYPE_VECTOR: return a->count == b->count && equal(a->target, b->target, budget);
	case TYPE_FUNCTION: return equal_functions(a, b, budget);
	case TYPE_STRUCT:
	case TYPE_UNION:
		if (!same_name(a->name, b->name))
			return false;
		if (a->is_incomplete || b->is_incomplete)
			return a->name != NULL;
		return a->size == b->size && (a->name || equal_unnamed(a, b, budget));
	case TYPE_ENUM: return same_name(a->name, b->name) && a->name && a->size == b->size;
	case TYPE_OPAQUE: return a->name && same_name(a->name, b->name) && a->size == b->size;
	case TYPE_TYPEDEF: break;
	}
	return false;
}

bool type_equal(const struct type *a, const struct type *b)
{
	int budget = MAX_COMPARED;

	return equal(a, b, &budget);
}

bool type_is_integer(const struct type *type)
{
	type = type_strip(type);
	return type->kind == TYPE_BOOL || type->kind == TYPE_INT || type->kind == TYPE_ENUM;
}

bool type_is_real(const struct type *type)
{
	return type_is_integer(type) || type_strip(type)->kind == TYPE_FLOAT;
}

bool type_is_arithmetic(const struct type *type)
{
	return type_is_real(type) || type_strip(type)->kind == TYPE_COMPLEX;
}

bool type_is_scalar(const struct type *type)
{
	return type_is_arithmetic(type) || type_strip(type)->kind == TYPE_POINTER;
}

bool type_is_record(const struct type *type)
{
	type = type_strip(type);
	return type->kind == TYPE_STRUCT || type->kind == TYPE_UNION;
}

// An incomplete type has size 0 in its struct, which is not the same as being empty.
bool type_size(const struct type *type, uint64_t *ret)
{
	type = type_strip(type);
	if (type->is_incomplete || type->kind == TYPE_FUNCTION)
		return false;
	if (type->kind == TYPE_ARRAY && type->count == UINT64_MAX)
		return false;
	*ret = type->size;
	return true;
}
