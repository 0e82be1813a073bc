// SPDX-License-Identifier: MIT
// Go's maps, walked in the target's memory: chains of buckets, and since Go 1.24 tables of groups.
// What the program inserts meanwhile may be missed; a walk ends all the same.
#include "debugger/lang/go/go.h"

#include <inttypes.h>
#include <string.h>

enum {
	SLOTS = 8,
	MIN_TOPHASH = 5, // below: empty, or moved
	EMPTY_ONE = 1,
	SAME_SIZE_GROW = 8,
	CHAIN_MAX = 1 << 20,
	DIRECTORY_MAX = 1 << 24,
};

struct swiss {
	const struct type *table, *group;
	uint64_t directory, nr_tables, at_table;
	uint64_t groups, nr_groups, at_group;
	uint64_t slots_at, slot_size;
};

static bool member(const struct type *type, const char *name, struct type_member *ret)
{
	const struct type_member *members;
	size_t n;
	struct dc_error *err = type_members(type_strip(type), &members, &n);

	dc_error_destroy(err);
	for (size_t i = 0; !err && i < n; i++) {
		if (strcmp(members[i].name ?: "", name))
			continue;
		*ret = members[i];
		return true;
	}
	return false;
}

static struct dc_error *unknown_layout(void)
{
	return error_make(DC_VALUE, "the layout of this program's maps is not one that is known");
}

static bool number_of(const struct operand *whole, const char *name, uint64_t *ret)
{
	struct type_member found;

	if (!member(whole->type, name, &found) || go_size(found.type) > sizeof(*ret) ||
	    found.offset + go_size(found.type) > go_size(whole->type))
		return false;
	*ret = 0;
	memcpy(ret, whole->bytes + found.offset, go_size(found.type));
	return true;
}

static const struct type *pointee(const struct type *type, const char *name)
{
	struct type_member found;

	if (!member(type, name, &found) || go_kind(found.type) != GO_POINTER)
		return NULL;
	return go_element(found.type);
}

// ---- before 1.24 ----------------------------------------------------------------------------------

static struct dc_error *begin_buckets(const struct operand *head, struct map_walk *ret)
{
	const struct type *bucket = pointee(head->type, "buckets");
	struct type_member keys, values, overflow;
	uint64_t power, flags;

	if (!bucket || !member(bucket, "keys", &keys) || !member(bucket, "values", &values) ||
	    !member(bucket, "overflow", &overflow) || !number_of(head, "B", &power) ||
	    !number_of(head, "flags", &flags) || !number_of(head, "buckets", &ret->buckets) ||
	    !number_of(head, "oldbuckets", &ret->old_buckets) || power > 40 ||
	    go_kind(keys.type) != GO_ARRAY || go_kind(values.type) != GO_ARRAY)
		return unknown_layout();
	ret->nr_buckets = (uint64_t)1 << power;
	ret->nr_old = !ret->old_buckets	       ? 0
		      : flags & SAME_SIZE_GROW ? ret->nr_buckets
					       : ret->nr_buckets / 2;
	ret->bucket_size = go_size(bucket);
	ret->keys_at = keys.offset;
	ret->elements_at = values.offset;
	ret->overflow_at = overflow.offset;
	// Large ones are kept elsewhere.
	ret->key_is_pointer = go_size(go_element(keys.type)) != go_size(ret->key);
	ret->element_is_pointer = go_size(go_element(values.type)) != go_size(ret->element);
	ret->in_old = ret->nr_old;
	if (!ret->buckets)
		ret->nr_buckets = 0;
	return NULL;
}

static bool is_moved(const struct map_walk *walk)
{
	return walk->in_old && walk->bytes[0] > EMPTY_ONE && walk->bytes[0] < MIN_TOPHASH;
}

// The next bucket of the chain, or of the array.
static struct dc_error *next_bucket(struct context *context, struct map_walk *walk, bool *more)
{
	uint64_t addr = 0;

	if (walk->bytes && !is_moved(walk))
		memcpy(&addr, walk->bytes + walk->overflow_at, sizeof(addr));
	if (!addr) {
		if (walk->bucket == (walk->in_old ? walk->nr_old : walk->nr_buckets)) {
			*more = walk->in_old;
			if (!*more)
				return NULL;
			walk->in_old = false;
			walk->bucket = 0;
		}
		if (!walk->nr_buckets) {
			*more = false;
			return NULL;
		}
		addr = (walk->in_old ? walk->old_buckets : walk->buckets) +
		       walk->bucket++ * walk->bucket_size;
	}
	if (++walk->seen > CHAIN_MAX)
		return error_make(DC_VALUE, "the map is damaged, or too large to be walked");
	walk->at_bucket = addr;
	walk->at_slot = 0;
	*more = true;
	return go_read_memory(context, addr, walk->bucket_size, &walk->bytes);
}

static struct operand in_bucket(const struct map_walk *walk, const struct type *type, uint64_t base,
				bool is_pointer)
{
	uint64_t stride = is_pointer ? sizeof(uint64_t) : go_size(type);
	uint64_t offset = base + walk->at_slot * stride, addr;
	struct operand slot;

	if (is_pointer) {
		memcpy(&addr, walk->bytes + offset, sizeof(addr));
		return go_object(type, addr);
	}
	slot = go_object(type, walk->at_bucket + offset);
	slot.bytes = walk->bytes + offset;
	return slot;
}

static struct dc_error *next_in_buckets(struct context *context, struct map_walk *walk,
					struct operand *key, struct operand *element, bool *more)
{
	for (;;) {
		while (walk->bytes && walk->at_slot < SLOTS && !is_moved(walk)) {
			if (walk->bytes[walk->at_slot] < MIN_TOPHASH) {
				walk->at_slot++;
				continue;
			}
			*key = in_bucket(walk, walk->key, walk->keys_at, walk->key_is_pointer);
			*element = in_bucket(walk, walk->element, walk->elements_at,
					     walk->element_is_pointer);
			// An element that a map holds has no address in Go.
			walk->at_slot++;
			*more = true;
			return NULL;
		}
		struct dc_error *err = next_bucket(context, walk, more);

		if (err || !*more)
			return err;
	}
}

// ---- since 1.24 -----------------------------------------------------------------------------------

static struct dc_error *begin_swiss(struct context *context, const struct operand *head,
				    struct map_walk *ret)
{
	struct swiss *swiss = go_alloc(context, sizeof(*swiss));
	const struct type *table, *reference;
	struct type_member groups, slots;
	uint64_t length;

	if (!swiss)
		return &dc_out_of_memory;
	table = pointee(head->type, "dirPtr");
	table = table && go_kind(table) == GO_POINTER ? go_element(table) : NULL;
	if (!table || !member(table, "groups", &groups))
		return unknown_layout();
	reference = groups.type;
	swiss->table = table;
	swiss->group = pointee(reference, "data");
	if (!swiss->group || !member(swiss->group, "slots", &slots) ||
	    go_kind(slots.type) != GO_ARRAY || !number_of(head, "dirPtr", &swiss->directory) ||
	    !number_of(head, "dirLen", &length) || length > DIRECTORY_MAX)
		return unknown_layout();

	struct type_member key, element;
	const struct type *slot = go_element(slots.type);

	if (!member(slot, "key", &key) || !member(slot, "elem", &element))
		return unknown_layout();
	swiss->slots_at = slots.offset;
	swiss->slot_size = go_size(slot);
	swiss->nr_tables = length;
	ret->keys_at = key.offset;
	ret->elements_at = element.offset;
	ret->key_is_pointer = go_size(key.type) != go_size(ret->key);
	ret->element_is_pointer = go_size(element.type) != go_size(ret->element);
	ret->is_swiss = true;
	ret->swiss = swiss;
	ret->bucket_size = go_size(swiss->group);
	// A small map is one group.
	if (!length && swiss->directory) {
		swiss->groups = swiss->directory;
		swiss->nr_groups = 1;
	}
	return NULL;
}

// The next table of the directory; one that is in there several times counts where it says.
static struct dc_error *next_table(struct context *context, struct map_walk *walk, bool *more)
{
	struct swiss *swiss = walk->swiss;

	while (swiss->at_table < swiss->nr_tables) {
		uint64_t addr, index, mask;
		struct operand table;
		struct type_member groups;
		struct dc_error *err = go_read_word(
			context, swiss->directory + swiss->at_table * sizeof(addr), &addr);

		if (err)
			return err;
		table = go_object(swiss->table, addr);
		err = go_load(context, &table);
		if (err)
			return err;
		if (!number_of(&table, "index", &index) || !member(swiss->table, "groups", &groups))
			return unknown_layout();
		if (index != swiss->at_table++)
			continue;

		struct operand reference = go_part(&table, groups.type, groups.offset);

		if (!number_of(&reference, "data", &swiss->groups) ||
		    !number_of(&reference, "lengthMask", &mask) || mask > CHAIN_MAX)
			return unknown_layout();
		swiss->nr_groups = mask + 1;
		swiss->at_group = 0;
		*more = true;
		return NULL;
	}
	*more = false;
	return NULL;
}

static struct operand in_slot(const struct map_walk *walk, const struct type *type, uint64_t offset,
			      bool is_pointer)
{
	uint64_t at = walk->swiss->slots_at + walk->at_slot * walk->swiss->slot_size + offset;
	struct operand slot = go_object(type, walk->at_bucket + at);
	uint64_t addr;

	if (is_pointer) {
		memcpy(&addr, walk->bytes + at, sizeof(addr));
		return go_object(type, addr);
	}
	slot.bytes = walk->bytes + at;
	return slot;
}

static struct dc_error *next_in_groups(struct context *context, struct map_walk *walk,
				       struct operand *key, struct operand *element, bool *more)
{
	struct swiss *swiss = walk->swiss;
	struct dc_error *err;

	for (;;) {
		for (; walk->bytes && walk->at_slot < SLOTS; walk->at_slot++) {
			// The control bytes are the first ones of a group.
			if (walk->bytes[walk->at_slot] & 0x80)
				continue;
			*key = in_slot(walk, walk->key, walk->keys_at, walk->key_is_pointer);
			*element = in_slot(walk, walk->element, walk->elements_at,
					   walk->element_is_pointer);
			walk->at_slot++;
			*more = true;
			return NULL;
		}
		if (swiss->at_group == swiss->nr_groups) {
			err = next_table(context, walk, more);
			if (err || !*more)
				return err;
		}
		walk->at_bucket = swiss->groups + swiss->at_group++ * walk->bucket_size;
		walk->at_slot = 0;
		if (++walk->seen > CHAIN_MAX)
			return error_make(DC_VALUE,
					  "the map is damaged, or too large to be walked");
		err = go_read_memory(context, walk->at_bucket, walk->bucket_size, &walk->bytes);
		if (err)
			return err;
	}
}

// ---- both -----------------------------------------------------------------------------------------

struct dc_error *go_map_begin(struct context *context, struct operand *map, struct map_walk *ret)
{
	const struct type *type = type_strip(map->type), *head_type;
	struct operand head;
	struct dc_error *err = go_load(context, map);

	*ret = (struct map_walk){ .key = type_go_key(type), .element = type_go_element(type) };
	if (err || !map->bytes || !go_word(map, 0))
		return err;
	head_type = type->target && go_kind(type->target) == GO_POINTER ? go_element(type->target)
									: NULL;
	if (!ret->key || !ret->element || !head_type)
		return unknown_layout();
	head = go_object(head_type, go_word(map, 0));
	err = go_load(context, &head);
	if (err)
		return err;
	if (number_of(&head, "used", &ret->count))
		return begin_swiss(context, &head, ret);
	return number_of(&head, "count", &ret->count) ? begin_buckets(&head, ret)
						      : unknown_layout();
}

struct dc_error *go_map_next(struct context *context, struct map_walk *walk, struct operand *key,
			     struct operand *element, bool *more)
{
	*more = false;
	if (!walk->buckets && !walk->is_swiss)
		return NULL;
	return walk->is_swiss ? next_in_groups(context, walk, key, element, more)
			      : next_in_buckets(context, walk, key, element, more);
}

struct dc_error *go_map_find(struct context *context, struct operand *map, struct operand *key,
			     struct operand *ret, bool *found)
{
	struct map_walk walk;
	struct operand other;
	bool known, more;
	struct dc_error *err = go_map_begin(context, map, &walk);

	*found = false;
	while (!err && !*found) {
		err = go_map_next(context, &walk, &other, ret, &more);
		if (err || !more)
			break;
		err = go_equal(context, &other, key, &known, found);
	}
	if (!err && *found) {
		// Go's maps give values, no objects.
		err = go_load(context, ret);
		ret->is_object = false;
	}
	return err;
}
