// SPDX-License-Identifier: MIT
// Library classes whose elements lie in nodes that point to one another: lists, trees, hash tables.
#include "debugger/lang/cxx/library.h"

#include <inttypes.h>
#include <string.h>

// Where the element begins in a node whose links take so many bytes.
static uint64_t behind(uint64_t links, const struct type *type)
{
	uint64_t align = type_align(type);

	return (links + align - 1) / align * align;
}

static bool has_size(struct library *library, const struct type *type)
{
	uint64_t size;

	return type &&
	       type_size(symbols_complete(library->access.symbols, type_strip(type)), &size);
}

static void count_title(struct library *library, uint64_t n)
{
	library_title(library, "%.*s with %" PRIu64 " element%s", library_name_length(library),
		      library->type->name, n, n == 1 ? "" : "s");
}

// ---- lists ----

static void list_title(struct library *library, bool is_empty)
{
	library_title(library, "%s%.*s", is_empty ? "empty " : "", library_name_length(library),
		      library->type->name);
}

// A ring through the object itself.
bool library_list(struct library *library, const struct value *object)
{
	const struct type *type = library_element(library->type, 0);
	struct container *container = library->container;
	_cleanup_value_ struct value head = { 0 };
	uint64_t node, before, count = 0, n = 0;
	bool has_count;

	if (!has_size(library, type) ||
	    !library_member(library, object, "_M_impl._M_node", &head) ||
	    head.lvalue != LVALUE_MEMORY || !library_word(library, &head, "_M_next", &node))
		return false;
	// The standard before C++11 has no count.
	has_count = library_word(library, &head, "_M_storage", &count) ||
		    library_word(library, &head, "_M_size", &count);
	list_title(library, node == head.addr);
	container->kind = CONTAINER_NAMED;
	before = head.addr;
	while (node != head.addr) {
		uint64_t links[2];
		struct value element = library_object(type, node + behind(16, type));

		// A count that is right leaves the rest unread.
		if (has_count && library_is_full(library))
			break;
		if (!library_read(library, node, links, sizeof(links)) || links[1] != before ||
		    (has_count && n >= count) || n > UINT32_MAX)
			return library_damaged(library);
		library_add(library, NULL, NULL, &element);
		n++;
		before = node;
		node = links[0];
	}
	if (has_count && node == head.addr && n != count)
		return library_damaged(library);
	container->total = has_count ? count : n;
	return true;
}

// Cycles are found by a second walk at half the pace.
bool library_forward_list(struct library *library, const struct value *object)
{
	const struct type *type = library_element(library->type, 0);
	struct container *container = library->container;
	uint64_t node, slow, n = 0;

	if (!has_size(library, type) ||
	    !library_word(library, object, "_M_impl._M_head._M_next", &node))
		return false;
	list_title(library, !node);
	container->kind = CONTAINER_NAMED;
	for (slow = node; node; n++) {
		struct value element = library_object(type, node + behind(8, type));

		library_add(library, NULL, NULL, &element);
		if (!library_read(library, node, &node, sizeof(node)) ||
		    (n % 2 && !library_read(library, slow, &slow, sizeof(slow))) ||
		    (node && node == slow) || n > UINT32_MAX)
			return library_damaged(library);
	}
	container->total = n;
	return true;
}

// ---- trees ----

struct tree_node {
	uint32_t color;
	uint64_t parent, left, right;
};

enum { TREE_DEPTH_MAX = 128 };

static bool read_node(struct library *library, uint64_t addr, struct tree_node *ret)
{
	return addr % 8 == 0 && library_read(library, addr, ret, sizeof(*ret)) && ret->color <= 1;
}

// In order. The header's parent is the root, its left the first.
static bool next_node(struct library *library, uint64_t header, uint64_t *at)
{
	struct tree_node node, other;
	uint64_t from = *at;
	int depth = 0;

	if (!read_node(library, from, &node))
		return false;
	if (node.right) {
		for (from = node.right;; from = other.left) {
			if (++depth > TREE_DEPTH_MAX || !read_node(library, from, &other))
				return false;
			if (!other.left)
				break;
		}
		*at = from;
		return true;
	}
	for (;;) {
		uint64_t parent = node.parent;

		if (++depth > TREE_DEPTH_MAX || parent == header ||
		    !read_node(library, parent, &other)) {
			*at = header;
			return parent == header;
		}
		if (other.left == from) {
			*at = parent;
			return true;
		}
		if (other.right != from)
			return false;
		from = parent;
		node = other;
	}
}

static bool add_pair(struct library *library, const struct type *type, uint64_t addr)
{
	const struct value pair = library_object(type, addr);
	_cleanup_value_ struct value key = { 0 };
	struct value value = { 0 };

	if (!library_member(library, &pair, "first", &key) ||
	    !library_member(library, &pair, "second", &value))
		return false;
	library_add(library, NULL, &key, &value);
	return true;
}

static bool read_tree(struct library *library, const struct value *object, bool has_keys)
{
	struct container *container = library->container;
	_cleanup_value_ struct value tree = { 0 }, header = { 0 };
	uint64_t count, at, root;
	struct tree_node top;

	if (!library_member(library, object, "_M_t", &tree))
		return false;

	const struct type *type = library_element(
		symbols_complete(library->access.symbols, type_strip(tree.type)), 1);

	if (!has_size(library, type) ||
	    !library_member(library, &tree, "_M_impl._M_header", &header) ||
	    header.lvalue != LVALUE_MEMORY ||
	    !library_word(library, &tree, "_M_impl._M_node_count", &count) ||
	    !library_word(library, &header, "_M_parent", &root) ||
	    !library_word(library, &header, "_M_left", &at))
		return false;
	if (count ? !root || !read_node(library, root, &top) || top.parent != header.addr
		  : root || at != header.addr)
		return library_damaged(library);
	count_title(library, count);
	container->kind = has_keys ? CONTAINER_MAP : CONTAINER_NAMED;
	container->total = count;
	for (uint64_t i = 0; i < count && !library_is_full(library); i++) {
		uint64_t data = at + behind(sizeof(struct tree_node), type);
		struct value element = library_object(type, data);

		if (at == header.addr)
			return library_damaged(library);
		if (has_keys && !add_pair(library, type, data))
			return false;
		if (!has_keys)
			library_add(library, NULL, NULL, &element);
		if (!next_node(library, header.addr, &at) || (i + 1 == count && at != header.addr))
			return library_damaged(library);
	}
	return true;
}

bool library_map(struct library *library, const struct value *object)
{
	return read_tree(library, object, true);
}

bool library_set(struct library *library, const struct value *object)
{
	return read_tree(library, object, false);
}

// ---- hash tables ----

static bool read_table(struct library *library, const struct value *object, bool has_keys)
{
	struct container *container = library->container;
	_cleanup_value_ struct value table = { 0 };
	uint64_t count, node, buckets;

	if (!library_member(library, object, "_M_h", &table))
		return false;

	const struct type *type = library_element(
		symbols_complete(library->access.symbols, type_strip(table.type)), 1);

	if (!has_size(library, type) ||
	    !library_word(library, &table, "_M_element_count", &count) ||
	    !library_word(library, &table, "_M_bucket_count", &buckets) ||
	    !library_word(library, &table, "_M_before_begin._M_nxt", &node))
		return false;
	if (!buckets || count > UINT64_C(1) << 44 || !count != !node)
		return library_damaged(library);
	count_title(library, count);
	container->kind = has_keys ? CONTAINER_MAP : CONTAINER_NAMED;
	container->total = count;
	for (uint64_t i = 0; i < count && !library_is_full(library); i++) {
		uint64_t data = node + behind(8, type);
		struct value element = library_object(type, data);

		if (!node || node % 8 || !library_read(library, node, &node, sizeof(node)) ||
		    (i + 1 == count && node))
			return library_damaged(library);
		if (has_keys && !add_pair(library, type, data))
			return false;
		if (!has_keys)
			library_add(library, NULL, NULL, &element);
	}
	return true;
}

bool library_hash_map(struct library *library, const struct value *object)
{
	return read_table(library, object, true);
}

bool library_hash_set(struct library *library, const struct value *object)
{
	return read_table(library, object, false);
}

// ---- iterators ----

// What they stand at, shown as the object itself.
static bool show_target(struct library *library, const struct type *type, uint64_t addr)
{
	struct value element = library_object(type, addr);

	if (!addr || !library_has_array(library, type, addr, 1))
		return false;
	library->container->kind = CONTAINER_WORDS;
	library->container->total = 0;
	library->container->room = 1;
	library_add(library, "*", NULL, &element);
	return true;
}

bool library_iterator(struct library *library, const struct value *object)
{
	const struct type *type = library_element(library->type, 0);
	uint64_t addr;

	if (!type)
		return false;
	if (library_word(library, object, "_M_cur", &addr))
		return show_target(library, type, addr);
	type = type_strip(type);
	return type->kind == TYPE_POINTER && library_word(library, object, "_M_current", &addr) &&
	       show_target(library, type->target, addr);
}

bool library_node_iterator(struct library *library, const struct value *object)
{
	const struct type *type = library_element(library->type, 0);
	bool is_forward = strstr(library->type->name, "_Fwd_");
	uint64_t addr;

	return type && library_word(library, object, "_M_node", &addr) && addr &&
	       show_target(library, type, addr + behind(is_forward ? 8 : 16, type));
}

bool library_tree_iterator(struct library *library, const struct value *object)
{
	const struct type *type = library_element(library->type, 0);
	uint64_t addr;

	return type && library_word(library, object, "_M_node", &addr) && addr &&
	       show_target(library, type, addr + behind(sizeof(struct tree_node), type));
}
