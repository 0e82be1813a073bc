// SPDX-License-Identifier: MIT
// Go's types as the runtime describes them in the program's memory, and those that somebody writes
// out. Parts are read when they are asked for, so that a type does not draw in all that it refers to.
#include "debugger/symbols/types/type_table.h"

#include "debugger/target/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// internal/abi.Type, and what follows it by kind.
enum {
	D_SIZE = 0,
	D_FLAGS = 20,
	D_ALIGN = 21,
	D_KIND = 23,
	D_NAME = 40,
	D_BYTES = 48,
	D_ELEMENT = 48, // or a map's key
	D_SECOND = 56, // a map's element
	D_COUNT = 64, // of an array
	D_TAKEN = 48, // of a function
	D_GIVEN = 50,
	D_PARTS = 56, // of a struct: an array of three words each
	D_NR_PARTS = 64,
	D_MAX = 120,
	FLAG_UNCOMMON = 1,
	FLAG_STAR = 2,
	FLAG_NAMED = 4,
	KIND_MASK = 31,
	VARIADIC = 0x8000,
	DERIVE_SIGNATURE = 0x200,
	DEPTH_MAX = 32,
	NAME_MAX_BYTES = 4096,
	PARTS_MAX = 1 << 14,
};

struct description {
	uint64_t addr;
	unsigned char bytes[D_MAX];
};

static uint64_t word(const struct description *d, size_t at)
{
	uint64_t value;

	memcpy(&value, d->bytes + at, sizeof(value));
	return value;
}

static unsigned half(const struct description *d, size_t at)
{
	return d->bytes[at] | (unsigned)d->bytes[at + 1] << 8;
}

static bool is_within(const struct types *types, uint64_t addr)
{
	return addr >= types->described && addr < types->described_end;
}

static bool read_description(const struct types *types, uint64_t addr, struct description *ret)
{
	*ret = (struct description){ .addr = addr };
	return is_within(types, addr) &&
	       memory_read_some(types->process, addr, ret->bytes, sizeof(ret->bytes)) >= D_BYTES;
}

// ---- names ----------------------------------------------------------------------------------------

// A byte of flags, the length in sevens of bits, the text; malloc'd.
static char *read_name(const struct types *types, uint64_t addr, unsigned char *flags)
{
	unsigned char head[4];
	size_t length = 0, at = 1;
	char *text;

	if (memory_read_some(types->process, addr, head, sizeof(head)) != sizeof(head))
		return NULL;
	*flags = head[0];
	for (unsigned shift = 0; at < sizeof(head); shift += 7) {
		length |= (size_t)(head[at] & 0x7f) << shift;
		if (!(head[at++] & 0x80))
			break;
	}
	text = length < NAME_MAX_BYTES ? calloc(1, length + 1) : NULL;
	if (text && memory_read_some(types->process, addr + at, text, length) != length) {
		free(text);
		return NULL;
	}
	return text;
}

static char *text_of(const struct types *types, const struct description *d)
{
	unsigned char flags;
	int32_t offset;
	char *text;

	memcpy(&offset, d->bytes + D_NAME, sizeof(offset));
	text = offset > 0 ? read_name(types, types->described + (uint64_t)offset, &flags) : NULL;
	if (text && *text == '*' && d->bytes[D_FLAGS] & FLAG_STAR)
		memmove(text, text + 1, strlen(text));
	return text;
}

// Behind what its kind has of its own.
static size_t uncommon_at(enum go_kind kind, int go_minor)
{
	switch (kind) {
	case GO_POINTER:
	case GO_SLICE:
	case GO_FUNC: return 56;
	case GO_CHAN: return 64;
	case GO_ARRAY: return 72;
	case GO_INTERFACE:
	case GO_STRUCT: return 80;
	case GO_MAP: return go_minor >= 24 ? 112 : 88;
	default: return D_BYTES;
	}
}

// "http.Server" with the path of its package, "net/http.Server"; malloc'd.
static char *full_name(const struct types *types, const struct description *d)
{
	char *text = text_of(types, d), *path = NULL, *dot, *full = NULL;
	size_t at = uncommon_at(d->bytes[D_KIND] & KIND_MASK, types->go_minor);
	unsigned char flags;
	int32_t offset = 0;

	if (!text || !(d->bytes[D_FLAGS] & FLAG_UNCOMMON) || !(d->bytes[D_FLAGS] & FLAG_NAMED))
		return text;
	memory_read_some(types->process, d->addr + at, &offset, sizeof(offset));
	if (offset > 0)
		path = read_name(types, types->described + (uint64_t)offset, &flags);
	dot = strchr(text, '.');
	if (path && *path && dot && asprintf(&full, "%s%s", path, dot) < 0)
		full = NULL;
	free(path);
	if (!full)
		return text;
	free(text);
	return full;
}

char *types_go_described_name(struct types *types, uint64_t addr)
{
	struct description d;

	return read_description(types, addr, &d) ? full_name(types, &d) : NULL;
}

char *types_go_described_text(struct types *types, uint64_t addr)
{
	struct description d;

	return read_description(types, addr, &d) ? text_of(types, &d) : NULL;
}

// ---- one type -------------------------------------------------------------------------------------

static const struct type *make(struct types *types, uint64_t addr, int depth);

// What tells interfaces without methods from the others.
static const struct type *interface_of(struct types *types, bool is_empty)
{
	static const char *const names[] = { "runtime.iface", "runtime.eface" };
	bool made;
	struct type_node *node = types_intern(types, names[is_empty], 0, &made);

	if (node && made) {
		type_go_record(node, GO_STRUCT, 16, NULL);
		node->type.name = names[is_empty];
		node->parts = PARTS_READ;
	}
	return node ? &node->type : NULL;
}

static const struct type *under_name(struct type_node *node, const struct type *target)
{
	struct type *type = &node->type;

	if (!target)
		return NULL;
	type->kind = TYPE_TYPEDEF;
	type->target = target;
	type->go_kind = target->go_kind;
	type->is_signed = target->is_signed;
	node->parts = PARTS_READ;
	return type;
}

static const struct type *basic(struct types *types, struct type_node *node, enum go_kind kind)
{
	static const char *const names[] = {
		[GO_BOOL] = "bool",	      [GO_INT] = "int",
		[GO_INT8] = "int8",	      [GO_INT16] = "int16",
		[GO_INT32] = "int32",	      [GO_INT64] = "int64",
		[GO_UINT] = "uint",	      [GO_UINT8] = "uint8",
		[GO_UINT16] = "uint16",	      [GO_UINT32] = "uint32",
		[GO_UINT64] = "uint64",	      [GO_UINTPTR] = "uintptr",
		[GO_FLOAT32] = "float32",     [GO_FLOAT64] = "float64",
		[GO_COMPLEX64] = "complex64", [GO_COMPLEX128] = "complex128",
		[GO_STRING] = "string",	      [GO_UNSAFE_POINTER] = "unsafe.Pointer",
	};
	const char *name = kind < sizeof(names) / sizeof(*names) ? names[kind] : NULL;
	const struct type *type = name ? types_go_basic(types, name) : NULL;

	return type && node->type.name && strcmp(node->type.name, name) ? under_name(node, type)
									: type;
}

static const struct type *record(struct types *types, struct type_node *node, enum go_kind kind,
				 const struct description *d, int depth)
{
	type_go_record(node, kind, node->type.size, NULL);
	node->description = d->addr;
	node->parts = kind == GO_STRUCT ? PARTS_UNREAD : PARTS_READ;
	if (kind == GO_INTERFACE)
		node->type.target = interface_of(types, !word(d, D_NR_PARTS));
	if (kind == GO_MAP)
		node->go_key = make(types, word(d, D_ELEMENT), depth + 1);
	if (kind == GO_MAP || kind == GO_CHAN)
		node->element = make(types, word(d, kind == GO_MAP ? D_SECOND : D_ELEMENT),
				     depth + 1);
	return &node->type;
}

static const struct type *sequence(struct types *types, struct type_node *node, enum go_kind kind,
				   const struct description *d, int depth)
{
	const struct type *element = make(types, word(d, D_ELEMENT), depth + 1), *type;

	if (!element)
		return NULL;
	type = kind == GO_POINTER ? types_pointer(types, element)
	       : kind == GO_SLICE ? types_go_slice(types, element)
				  : types_array(types, element, word(d, D_COUNT));
	return d->bytes[D_FLAGS] & FLAG_NAMED ? under_name(node, type) : type;
}

static const struct type *make(struct types *types, uint64_t addr, int depth)
{
	static const char key;
	struct description d;
	enum go_kind kind;
	struct type_node *node;
	const struct type *type;
	bool made;
	char *name;

	if (depth > DEPTH_MAX || !read_description(types, addr, &d))
		return NULL;
	node = types_intern(types, &key, addr, &made);
	if (!node || !made)
		return node ? node->is : NULL;
	kind = d.bytes[D_KIND] & KIND_MASK;
	name = full_name(types, &d);
	node->type.name = name ? types_strndup(types, name, strlen(name)) : NULL;
	free(name);
	node->type.size = word(&d, D_SIZE);
	node->type.align = d.bytes[D_ALIGN];
	node->type.go_kind = kind;
	node->type.go_runtime = addr - types->described;
	// It may be met again below itself.
	node->is = &node->type;
	switch (kind) {
	case GO_POINTER:
	case GO_SLICE:
	case GO_ARRAY: type = sequence(types, node, kind, &d, depth); break;
	case GO_CHAN:
	case GO_FUNC:
	case GO_INTERFACE:
	case GO_MAP:
	case GO_STRUCT: type = record(types, node, kind, &d, depth); break;
	default: type = basic(types, node, kind); break;
	}
	node->is = type;
	if (type && !type->go_runtime)
		type_node(type)->type.go_runtime = addr - types->described;
	return type;
}

const struct type *types_go_described(struct types *types, uint64_t addr)
{
	return make(types, addr, 0);
}

// ---- parts ----------------------------------------------------------------------------------------

struct dc_error *type_go_read_described(struct type_node *node)
{
	enum { EMBEDDED = 8 };
	struct types *types = node->type.owner;
	struct description d;
	size_t n;

	if (!read_description(types, node->description, &d))
		return error_make(DC_VALUE, "the program's description of %s cannot be read",
				  node->type.name ?: "a type");
	n = word(&d, D_NR_PARTS) < PARTS_MAX ? word(&d, D_NR_PARTS) : PARTS_MAX;
	node->members = types_alloc(types, (n ?: 1) * sizeof(*node->members));
	if (!node->members)
		return &dc_out_of_memory;
	for (size_t i = 0; i < n; i++) {
		uint64_t field[3];
		unsigned char flags = 0;
		char *name;

		if (memory_read_some(types->process, word(&d, D_PARTS) + i * sizeof(field), field,
				     sizeof(field)) != sizeof(field))
			return error_make(DC_VALUE, "the fields of %s cannot be read",
					  node->type.name ?: "a type");
		name = read_name(types, field[0], &flags);
		node->members[i] = (struct type_member){
			.name = name ? types_strndup(types, name, strlen(name)) : NULL,
			.type = make(types, field[1], 0),
			.offset = field[2],
			.is_embedded = flags & EMBEDDED,
		};
		free(name);
		if (!node->members[i].type || field[2] > node->type.size)
			return error_make(DC_VALUE, "the program's description of %s is damaged",
					  node->type.name ?: "a type");
		node->nr_parts = i + 1;
	}
	return NULL;
}

const struct type *type_go_described_signature(struct type_node *from)
{
	struct types *types = from->type.owner;
	struct description d;
	struct type_node *node;
	size_t nr_taken, nr_given;
	uint64_t at;
	bool made;

	if (from->element)
		return from->element;
	node = types_intern(types, from, DERIVE_SIGNATURE, &made);
	if (!node || !made)
		return node && node->parts == PARTS_READ ? &node->type : NULL;
	if (!read_description(types, from->description, &d))
		return NULL;
	nr_taken = half(&d, D_TAKEN);
	nr_given = half(&d, D_GIVEN) & ~(unsigned)VARIADIC;
	at = d.addr + D_PARTS + (d.bytes[D_FLAGS] & FLAG_UNCOMMON ? 16 : 0);
	node->params = types_alloc(types, (nr_taken + nr_given + 1) * sizeof(*node->params));
	if (!node->params)
		return NULL;
	type_go_function(node);
	node->type.name = from->type.name;
	node->type.is_variadic = half(&d, D_GIVEN) & VARIADIC;
	for (size_t i = 0; i < nr_taken + nr_given; i++) {
		uint64_t addr = 0;

		memory_read_some(types->process, at + i * sizeof(addr), &addr, sizeof(addr));
		node->params[i] = (struct type_param){ .type = make(types, addr, 0),
						       .is_result = i >= nr_taken };
		if (!node->params[i].type)
			return NULL;
		node->nr_parts = i + 1;
	}
	node->parts = PARTS_READ;
	return &node->type;
}

// ---- written out ----------------------------------------------------------------------------------

const struct type *types_go_func(struct types *types, const char *name,
				 const struct type_param *params, size_t n, bool is_variadic)
{
	struct type_node *node = types_alloc(types, sizeof(*node));
	struct type_node *signature = types_alloc(types, sizeof(*signature));

	if (!node || !signature)
		return NULL;
	node->type.owner = signature->type.owner = types;
	node->unqualified = node;
	signature->unqualified = signature;
	node->type.name = signature->type.name = types_strndup(types, name, strlen(name));
	type_go_function(signature);
	signature->type.is_variadic = is_variadic;
	signature->params = types_alloc(types, (n ?: 1) * sizeof(*params));
	if (!signature->params || !node->type.name)
		return NULL;
	if (n)
		memcpy(signature->params, params, n * sizeof(*params));
	signature->nr_parts = n;
	signature->parts = PARTS_READ;
	type_go_record(node, GO_FUNC, 8, NULL);
	node->element = &signature->type;
	node->parts = PARTS_READ;
	return &node->type;
}

const struct type *types_go_interface(struct types *types, const char *name, bool is_empty)
{
	struct type_node *node = types_alloc(types, sizeof(*node));

	if (!node)
		return NULL;
	node->type.owner = types;
	node->unqualified = node;
	node->type.name = types_strndup(types, name, strlen(name));
	type_go_record(node, GO_INTERFACE, 16, interface_of(types, is_empty));
	node->parts = PARTS_READ;
	return node->type.name && node->type.target ? &node->type : NULL;
}
