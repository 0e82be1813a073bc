// SPDX-License-Identifier: MIT
// Which class of the standard library is read how, and what all of that is made of.
#include "debugger/lang/cxx/library.h"
#include "debugger/lang/cxx/rules.h"
#include "debugger/values/keepsake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

static const struct {
	const char *name; // without "std::", and without the namespaces of versions in it
	library_reader *read;
	enum library_access access;
} classes[] = {
	{ "basic_string", library_string, ACCESS_INDEX },
	{ "basic_string_view", library_string_view, ACCESS_INDEX },
	{ "filesystem::path", library_path, ACCESS_NONE },
	{ "vector", library_vector, ACCESS_INDEX },
	{ "deque", library_deque, ACCESS_INDEX },
	{ "list", library_list, ACCESS_NONE },
	{ "forward_list", library_forward_list, ACCESS_NONE },
	{ "map", library_map, ACCESS_KEY },
	{ "multimap", library_map, ACCESS_NONE },
	{ "set", library_set, ACCESS_NONE },
	{ "multiset", library_set, ACCESS_NONE },
	{ "unordered_map", library_hash_map, ACCESS_KEY },
	{ "unordered_multimap", library_hash_map, ACCESS_NONE },
	{ "unordered_set", library_hash_set, ACCESS_NONE },
	{ "unordered_multiset", library_hash_set, ACCESS_NONE },
	{ "bitset", library_bitset, ACCESS_NONE },
	{ "span", library_span, ACCESS_INDEX },
	{ "initializer_list", library_initializer_list, ACCESS_NONE },
	{ "tuple", library_tuple, ACCESS_NONE },
	{ "pair", library_pair, ACCESS_NONE },
	{ "optional", library_optional, ACCESS_TARGET },
	{ "variant", library_variant, ACCESS_NONE },
	{ "any", library_any, ACCESS_NONE },
	{ "unique_ptr", library_unique, ACCESS_POINTER },
	{ "shared_ptr", library_shared, ACCESS_POINTER },
	{ "weak_ptr", library_shared, ACCESS_NONE },
	{ "atomic", library_atomic, ACCESS_NONE },
	{ "stack", library_adaptor, ACCESS_NONE },
	{ "queue", library_adaptor, ACCESS_NONE },
	{ "priority_queue", library_adaptor, ACCESS_NONE },
	{ "__normal_iterator", library_iterator, ACCESS_TARGET },
	{ "_List_iterator", library_node_iterator, ACCESS_TARGET },
	{ "_List_const_iterator", library_node_iterator, ACCESS_TARGET },
	{ "_Fwd_list_iterator", library_node_iterator, ACCESS_TARGET },
	{ "_Fwd_list_const_iterator", library_node_iterator, ACCESS_TARGET },
	{ "_Rb_tree_iterator", library_tree_iterator, ACCESS_TARGET },
	{ "_Rb_tree_const_iterator", library_tree_iterator, ACCESS_TARGET },
	{ "_Deque_iterator", library_iterator, ACCESS_TARGET },
	{ "_Deque_const_iterator", library_iterator, ACCESS_TARGET },
};

// ---- members ----

static bool part(struct library *library, const struct value *whole,
		 const struct type_member *member, struct value *ret)
{
	_cleanup_error_ struct dc_error *err = part_member(&library->access, whole, 0, member, ret);

	return !err;
}

static bool find(struct library *library, const struct value *whole, const char *name,
		 size_t length, unsigned depth, struct value *ret)
{
	const struct type *type = symbols_complete(library->access.symbols,
						   type_strip(whole->type));
	const struct type_member *members;
	size_t n;
	_cleanup_error_ struct dc_error *err = type_members(type, &members, &n);

	if (err || type->is_incomplete || depth > DEPTH_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (members[i].name && !members[i].is_base && strlen(members[i].name) == length &&
		    !memcmp(members[i].name, name, length))
			return part(library, whole, &members[i], ret);
	}
	for (size_t i = 0; i < n; i++) {
		_cleanup_value_ struct value inner = { 0 };

		if ((members[i].is_base || !members[i].name) && type_is_record(members[i].type) &&
		    part(library, whole, &members[i], &inner) &&
		    find(library, &inner, name, length, depth + 1, ret))
			return true;
	}
	return false;
}

bool library_member(struct library *library, const struct value *whole, const char *path,
		    struct value *ret)
{
	_cleanup_value_ struct value at = { 0 };
	const struct value *from = whole;

	for (;;) {
		size_t length = strcspn(path, ".");
		struct value next = { 0 };

		if (!find(library, from, path, length, 0, &next)) {
			value_deinit(&next);
			return false;
		}
		if (!path[length]) {
			*ret = next;
			return true;
		}
		value_deinit(&at);
		at = next;
		from = &at;
		path += length + 1;
	}
}

bool library_word(struct library *library, const struct value *whole, const char *path,
		  uint64_t *ret)
{
	_cleanup_value_ struct value value = { 0 };

	*ret = 0;
	if (!library_member(library, whole, path, &value))
		return false;

	_cleanup_error_ struct dc_error *err = value.bytes ? NULL
							   : lvalue_load(&library->access, &value);
	uint64_t size = type_strip(value.type)->size;

	if (err || !size || size > sizeof(*ret) || !value.bytes)
		return false;
	memcpy(ret, value.bytes, size);
	return true;
}

bool library_read(struct library *library, uint64_t addr, void *to, size_t n)
{
	const struct caller *caller = library->access.caller;
	_cleanup_error_ struct dc_error *err = caller->read(caller->arg, addr, to, n);

	return !err;
}

bool library_has_array(struct library *library, const struct type *type, uint64_t addr, uint64_t n)
{
	uint64_t size, whole;
	char byte;

	if (!n)
		return true;
	return type_size(symbols_complete(library->access.symbols, type_strip(type)), &size) &&
	       size && !__builtin_mul_overflow(n, size, &whole) && whole < UINT64_C(1) << 47 &&
	       addr && addr % type_align(type) == 0 && addr + whole > addr &&
	       library_read(library, addr, &byte, 1) &&
	       library_read(library, addr + whole - 1, &byte, 1);
}

const struct type *library_argument(const struct type *class, size_t i)
{
	struct type_argument argument;

	return type_argument(class, i, &argument) && !argument.is_value ? argument.type : NULL;
}

const struct type *library_element(const struct type *class, size_t i)
{
	const struct type *type = library_argument(class, i), *node;

	if (!type)
		type = type_nested(class, "value_type");
	if (type)
		return type;
	node = type_nested(class, "_Node");
	return node ? library_argument(type_strip(node), 0) : NULL;
}

struct value library_object(const struct type *type, uint64_t addr)
{
	return (struct value){ .type = type, .lvalue = LVALUE_MEMORY, .addr = addr };
}

// ---- what is found ----

bool library_damaged(struct library *library)
{
	library->container->kind = CONTAINER_DAMAGED;
	return false;
}

void library_title(struct library *library, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vasprintf(&library->container->title, format, args) < 0) {
		library->container->title = NULL;
		library->err = &dc_out_of_memory;
	}
	va_end(args);
}

int library_name_length(const struct library *library)
{
	return (int)strcspn(library->type->name, "<");
}

bool library_is_full(const struct library *library)
{
	return library->container->n == library->container->room || library->err;
}

void library_add(struct library *library, const char *name, const struct value *key,
		 struct value *value)
{
	struct container *container = library->container;
	struct element *element;
	uint64_t number = container->seen++;

	if (number < container->start || library_is_full(library)) {
		value_deinit(value);
		return;
	}
	element = reallocarray(container->list, container->n + 1, sizeof(*element));
	if (!element) {
		value_deinit(value);
		library->err = &dc_out_of_memory;
		return;
	}
	container->list = element;
	element += container->n++;
	*element = (struct element){ .value = value_take(value) };
	if (key && value_copy(key, &element->key))
		library->err = &dc_out_of_memory;
	if (name)
		element->name = strdup(name);
	else if (container->kind != CONTAINER_ARRAY && container->kind != CONTAINER_MAP &&
		 asprintf(&element->name, "[%ju]", (uintmax_t)number) < 0)
		element->name = NULL;
	if (container->kind != CONTAINER_ARRAY && container->kind != CONTAINER_MAP &&
	    !element->name)
		library->err = &dc_out_of_memory;
}

// ---- which class ----

// The class's name behind "std::" and the namespaces that only tell versions apart.
static const char *library_name(const char *name)
{
	static const char *const inner[] = { "__cxx11::", "__debug::", "__cxx1998::", "__8::" };
	bool more = true;

	if (!strncmp(name, "__gnu_cxx::", 11))
		return name + 11;
	if (strncmp(name, "std::", 5))
		return NULL;
	name += 5;
	while (more) {
		more = false;
		for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++) {
			size_t length = strlen(inner[i]);

			if (!strncmp(name, inner[i], length)) {
				name += length;
				more = true;
			}
		}
	}
	return name;
}

// The class's row in the table; -1: it is none of the library's.
static int row_of(const struct type *type)
{
	const char *name = type->name ? library_name(type->name) : NULL;
	char plain[64];
	size_t length = name ? strcspn(name, "<") : sizeof(plain);

	if (!type_is_record(type) || type->tag || length >= sizeof(plain))
		return -1;
	memcpy(plain, name, length);
	plain[length] = '\0';
	if (!strcmp(plain, "filesystem::__cxx11::path"))
		strcpy(plain, "filesystem::path");
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (!strcmp(plain, classes[i].name))
			return (int)i;
	}
	return -1;
}

enum library_access library_access_of(const struct type *type)
{
	int row = row_of(type);

	return row < 0 ? ACCESS_NONE : classes[row].access;
}

struct dc_error *library_container(const struct environment *environment, const struct value *value,
				   struct container *ret)
{
	const struct type *type = symbols_complete(environment->symbols, type_strip(value->type));
	int row = row_of(type);
	struct library library = {
		.access = { .symbols = environment->symbols, .caller = environment->caller },
		.types = symbols_types(environment->symbols),
		.type = type,
		.container = ret,
	};
	struct caller past = keepsake_caller(value->keepsake);
	struct value object = *value;

	if (value->keepsake)
		library.access.caller = &past;
	if (row < 0 || type->is_incomplete)
		return NULL;
	object.type = type;
	if (!classes[row].read(&library, &object)) {
		bool is_damaged = ret->kind == CONTAINER_DAMAGED;

		container_deinit(ret);
		ret->kind = is_damaged ? CONTAINER_DAMAGED : CONTAINER_NONE;
	}
	for (size_t i = 0; i < ret->n && value->is_temporary; i++) {
		ret->list[i].key.keepsake = ret->list[i].value.keepsake = value->keepsake;
		ret->list[i].key.is_temporary = ret->list[i].value.is_temporary = true;
	}
	return library.err;
}
