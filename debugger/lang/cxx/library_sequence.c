// SPDX-License-Identifier: MIT
// Library classes whose elements lie in arrays: strings, vectors, deques, bits.
#include "debugger/lang/cxx/library.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- text ----

static bool take_text(struct library *library, const struct type *character, uint64_t addr,
		      uint64_t length)
{
	struct container *container = library->container;

	if (!library_has_array(library, character, addr, length))
		return library_damaged(library);
	container->kind = CONTAINER_TEXT;
	container->character = character;
	container->text = addr;
	container->total = length;
	return true;
}

// Before C++11: the length stands before the characters, and the object is only their address.
static bool old_string(struct library *library, const struct type *character, uint64_t addr)
{
	struct {
		uint64_t length, capacity;
		int32_t references;
	} header;

	if (addr < sizeof(header) ||
	    !library_read(library, addr - sizeof(header), &header, sizeof(header)) ||
	    header.length > header.capacity || header.references < -1)
		return library_damaged(library);
	return take_text(library, character, addr, header.length);
}

// What holds the pointer holds nothing else, and clang leaves the description of it to others.
static bool text_pointer(struct library *library, const struct value *object, uint64_t *ret)
{
	_cleanup_value_ struct value holder = { 0 };

	return library_word(library, object, "_M_dataplus._M_p", ret) ||
	       (library_member(library, object, "_M_dataplus", &holder) &&
		type_strip(holder.type)->is_incomplete && holder.lvalue == LVALUE_MEMORY &&
		library_read(library, holder.addr, ret, sizeof(*ret)));
}

bool library_string(struct library *library, const struct value *object)
{
	const struct type *character = library_element(library->type, 0);
	_cleanup_value_ struct value local = { 0 };
	uint64_t addr, length, capacity;

	if (!character || !text_pointer(library, object, &addr))
		return false;
	if (!library_word(library, object, "_M_string_length", &length))
		return old_string(library, character, addr);
	if (!library_member(library, object, "_M_local_buf", &local) ||
	    !library_word(library, object, "_M_allocated_capacity", &capacity))
		return false;
	if (local.lvalue == LVALUE_MEMORY && addr == local.addr)
		capacity = type_strip(local.type)->count - 1;
	if (length > capacity || capacity > UINT64_C(1) << 62)
		return library_damaged(library);
	return take_text(library, character, addr, length);
}

bool library_string_view(struct library *library, const struct value *object)
{
	const struct type *character = library_element(library->type, 0);
	uint64_t addr, length;

	return character && library_word(library, object, "_M_str", &addr) &&
	       library_word(library, object, "_M_len", &length) &&
	       take_text(library, character, addr, length);
}

bool library_path(struct library *library, const struct value *object)
{
	_cleanup_value_ struct value name = { 0 };

	if (!library_member(library, object, "_M_pathname", &name))
		return false;
	library->type = symbols_complete(library->access.symbols, type_strip(name.type));
	if (!library_string(library, &name))
		return false;
	library_title(library, "filesystem::path ");
	return true;
}

// ---- arrays ----

// The wanted ones of the elements that lie one behind the other.
static void take_array(struct library *library, const struct type *type, uint64_t addr, uint64_t n)
{
	struct container *container = library->container;
	uint64_t size = symbols_complete(library->access.symbols, type_strip(type))->size;

	container->kind = CONTAINER_ARRAY;
	container->total = n;
	container->seen = container->start;
	for (uint64_t i = container->start; i < n && !library_is_full(library); i++) {
		struct value element = library_object(type, addr + i * size);

		library_add(library, NULL, NULL, &element);
	}
}

struct bit_place {
	uint64_t word; // address
	uint64_t bit;
};

static bool read_bit_place(struct library *library, const struct value *object, const char *word,
			   const char *bit, struct bit_place *ret)
{
	uint64_t offset;

	if (!library_word(library, object, word, &ret->word) ||
	    !library_word(library, object, bit, &offset))
		return false;
	ret->bit = offset & UINT32_MAX;
	return true;
}

static bool add_bit(struct library *library, bool bit)
{
	struct value value = { .type = types_basic(library->types, "bool") };

	if (!value.type || value_set(&value, &bit, sizeof(bit))) {
		library->err = &dc_out_of_memory;
		return false;
	}
	library_add(library, NULL, NULL, &value);
	return true;
}

static bool vector_of_bits(struct library *library, const struct value *object)
{
	struct container *container = library->container;
	struct bit_place start, finish;
	uint64_t end;

	if (!read_bit_place(library, object, "_M_impl._M_start._M_p", "_M_impl._M_start._M_offset",
			    &start) ||
	    !read_bit_place(library, object, "_M_impl._M_finish._M_p",
			    "_M_impl._M_finish._M_offset", &finish) ||
	    !library_word(library, object, "_M_impl._M_end_of_storage", &end))
		return false;

	uint64_t n = (finish.word - start.word) * 8 + finish.bit - start.bit;
	uint64_t room = (end - start.word) * 8;
	const struct type *word = types_basic(library->types, "unsigned long");

	if (finish.word < start.word || end < finish.word || finish.bit > 63 || start.bit > 63 ||
	    n > room || !word || !library_has_array(library, word, start.word, (n + 63) / 64))
		return library_damaged(library);
	library_title(library, "%.*s<bool> of length %" PRIu64 ", capacity %" PRIu64,
		      library_name_length(library), library->type->name, n, room);
	container->kind = CONTAINER_ARRAY;
	container->total = n;
	container->seen = container->start;
	for (uint64_t i = container->start; i < n && !library_is_full(library); i++) {
		uint64_t at = i + start.bit;
		unsigned char byte;

		if (!library_read(library, start.word + at / 8, &byte, 1))
			return library_damaged(library);
		if (!add_bit(library, byte >> at % 8 & 1))
			return true;
	}
	return true;
}

bool library_vector(struct library *library, const struct value *object)
{
	const struct type *type = library_element(library->type, 0);
	uint64_t start, finish, end, size;

	if (!type)
		return false;
	if (type_strip(type)->kind == TYPE_BOOL)
		return vector_of_bits(library, object);
	if (!library_word(library, object, "_M_impl._M_start", &start) ||
	    !library_word(library, object, "_M_impl._M_finish", &finish) ||
	    !library_word(library, object, "_M_impl._M_end_of_storage", &end) ||
	    !type_size(symbols_complete(library->access.symbols, type_strip(type)), &size) || !size)
		return false;
	if (finish < start || end < finish || (finish - start) % size || (end - start) % size ||
	    (start && start == end) ||
	    !library_has_array(library, type, start, (end - start) / size))
		return library_damaged(library);
	library_title(library, "%.*s of length %" PRIu64 ", capacity %" PRIu64,
		      library_name_length(library), library->type->name, (finish - start) / size,
		      (end - start) / size);
	take_array(library, type, start, (finish - start) / size);
	return true;
}

// A table of pointers to blocks; the first and the last one may be used in part only.
bool library_deque(struct library *library, const struct value *object)
{
	static const char *const paths[] = {
		"_M_impl._M_start._M_cur",
		"_M_impl._M_start._M_first",
		"_M_impl._M_start._M_node",
		"_M_impl._M_finish._M_cur",
		"_M_impl._M_finish._M_first",
		"_M_impl._M_finish._M_node",
		"_M_impl._M_map",
		"_M_impl._M_map_size",
	};
	enum { CUR, FIRST, NODE, END_CUR, END_FIRST, END_NODE, MAP, MAP_SIZE, N };
	const struct type *type = library_element(library->type, 0);
	struct container *container = library->container;
	uint64_t at[N], size;

	if (!type ||
	    !type_size(symbols_complete(library->access.symbols, type_strip(type)), &size) || !size)
		return false;
	for (size_t i = 0; i < N; i++) {
		if (!library_word(library, object, paths[i], &at[i]))
			return false;
	}

	uint64_t block = size < 512 ? 512 / size : 1, blocks = (at[END_NODE] - at[NODE]) / 8;
	uint64_t first = (at[CUR] - at[FIRST]) / size;
	uint64_t last = (at[END_CUR] - at[END_FIRST]) / size, n = blocks * block + last - first;

	if (at[NODE] < at[MAP] || at[END_NODE] < at[NODE] || at[MAP_SIZE] > UINT64_C(1) << 44 ||
	    at[END_NODE] >= at[MAP] + at[MAP_SIZE] * 8 || (at[END_NODE] - at[NODE]) % 8 ||
	    at[CUR] < at[FIRST] || first >= block || at[END_CUR] < at[END_FIRST] || last >= block ||
	    (!blocks && last < first))
		return library_damaged(library);
	library_title(library, "%.*s with %" PRIu64 " element%s", library_name_length(library),
		      library->type->name, n, n == 1 ? "" : "s");
	container->kind = CONTAINER_ARRAY;
	container->total = n;
	container->seen = container->start;
	for (uint64_t i = container->start; i < n && !library_is_full(library); i++) {
		uint64_t number = first + i, base;
		struct value element;

		if (!library_read(library, at[NODE] + number / block * 8, &base, 8) ||
		    !library_has_array(library, type, base, block))
			return library_damaged(library);
		element = library_object(type, base + number % block * size);
		library_add(library, NULL, NULL, &element);
	}
	return true;
}

// gdb shows the bits that are set, by their numbers.
bool library_bitset(struct library *library, const struct value *object)
{
	struct container *container = library->container;
	_cleanup_value_ struct value words = { 0 };
	struct type_argument count;

	if (!type_argument(library->type, 0, &count) || !count.is_value || count.value < 0 ||
	    !library_member(library, object, "_M_w", &words))
		return false;

	_cleanup_error_ struct dc_error *err = words.bytes ? NULL
							   : lvalue_load(&library->access, &words);
	uint64_t n = (uint64_t)count.value;

	if (err || !words.bytes || type_strip(words.type)->size * 8 < n)
		return false;
	library_title(library, "%.*s", library_name_length(library), library->type->name);
	container->kind = CONTAINER_NAMED;
	for (uint64_t i = 0; i < n; i++) {
		char name[32];
		struct value one = { .type = types_basic(library->types, "int") };
		const int set = 1;

		if (!(words.bytes[i / 8] >> i % 8 & 1))
			continue;
		container->total++;
		snprintf(name, sizeof(name), "[%" PRIu64 "]", i);
		if (!one.type || value_set(&one, &set, sizeof(set))) {
			library->err = &dc_out_of_memory;
			return true;
		}
		library_add(library, name, NULL, &one);
	}
	return true;
}

// Those that the object only points at.
static bool take_elements(struct library *library, const struct type *type, uint64_t addr,
			  uint64_t n)
{
	if (!library_has_array(library, type, addr, n))
		return library_damaged(library);
	library_title(library, "%.*s of length %" PRIu64, library_name_length(library),
		      library->type->name, n);
	take_array(library, type, addr, n);
	return true;
}

bool library_span(struct library *library, const struct value *object)
{
	const struct type *type = library_element(library->type, 0);
	struct type_argument extent;
	uint64_t addr, n;

	if (!type || !type_argument(library->type, 1, &extent) || !extent.is_value ||
	    !library_word(library, object, "_M_ptr", &addr))
		return false;
	n = (uint64_t)extent.value;
	if (extent.value == -1 && !library_word(library, object, "_M_extent._M_extent_value", &n))
		return false;
	return take_elements(library, type, addr, n);
}

bool library_initializer_list(struct library *library, const struct value *object)
{
	const struct type *type = library_element(library->type, 0);
	uint64_t addr, n;

	if (!type || !library_word(library, object, "_M_array", &addr) ||
	    !library_word(library, object, "_M_len", &n))
		return false;
	return take_elements(library, type, addr, n);
}
