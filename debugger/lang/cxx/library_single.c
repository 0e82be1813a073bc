// SPDX-License-Identifier: MIT
// Library classes that hold a few things, or one, or perhaps none: tuples, optionals, pointers that
// own.
#include "debugger/lang/cxx/library.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool take_named(struct library *library, const char *name, struct value *value)
{
	library->container->kind = CONTAINER_NAMED;
	library->container->total++;
	library_add(library, name, NULL, value);
	return true;
}

// What gdb calls it, too.
static const char *known_name(const char *spelled)
{
	static const char string[] = "std::__cxx11::basic_string<char, std::char_traits<char>, "
				     "std::allocator<char> >";

	return strcmp(spelled, string) ? spelled : "std::string";
}

// "std::optional<int>": the class with some of its arguments, and what follows.
static bool title_with(struct library *library, size_t n, const char *rest)
{
	_cleanup_free_ char *arguments = NULL;
	size_t size;
	FILE *out = open_memstream(&arguments, &size);

	if (!out) {
		library->err = &dc_out_of_memory;
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const struct type *type = library_argument(library->type, i);
		_cleanup_free_ char *spelled = type ? type_spell(type, NULL) : NULL;

		fprintf(out, "%s%s", i ? ", " : "", spelled ? known_name(spelled) : "?");
	}
	if (fclose(out)) {
		library->err = &dc_out_of_memory;
		return false;
	}
	library_title(library, "%.*s<%s>%s", library_name_length(library), library->type->name,
		      arguments, rest);
	return true;
}

// ---- tuples ----

// Each level of a tuple has the next one and one element as its bases.
static bool level_of(struct library *library, const struct value *whole, const char *name,
		     struct value *ret)
{
	const struct type *type = symbols_complete(library->access.symbols,
						   type_strip(whole->type));
	const struct type_member *members;
	size_t n;
	_cleanup_error_ struct dc_error *err = type_members(type, &members, &n);

	for (size_t i = 0; !err && i < n; i++) {
		const struct type *base = type_strip(members[i].type);

		if (members[i].is_base && base->name && !strncmp(base->name, name, strlen(name))) {
			_cleanup_error_ struct dc_error *unread = part_member(
				&library->access, whole, 0, &members[i], ret);

			return !unread;
		}
	}
	return false;
}

// The element of one level. One without members is a base itself.
static bool level_element(struct library *library, const struct value *level, struct value *ret)
{
	_cleanup_value_ struct value head = { 0 };

	if (!level_of(library, level, "std::_Head_base<", &head))
		return false;
	if (library_member(library, &head, "_M_head_impl", ret))
		return true;

	const struct type *type = library_argument(
		symbols_complete(library->access.symbols, type_strip(head.type)), 1);
	_cleanup_error_ struct dc_error *err = type ? part_at(&head, type, 0, ret)
						    : error_make(DC_TYPE, "no tuple of ours");

	return !err;
}

static bool first_element(struct library *library, const struct value *tuple, struct value *ret)
{
	_cleanup_value_ struct value level = { 0 };

	return level_of(library, tuple, "std::_Tuple_impl<", &level) &&
	       level_element(library, &level, ret);
}

bool library_tuple(struct library *library, const struct value *object)
{
	struct container *container = library->container;
	_cleanup_value_ struct value level = { 0 };
	bool more = level_of(library, object, "std::_Tuple_impl<", &level);

	container->kind = CONTAINER_NAMED;
	library_title(library, more ? "%.*s containing" : "empty %.*s",
		      library_name_length(library), library->type->name);
	while (more) {
		struct value value = { 0 }, next = { 0 };
		char name[32];

		if (!level_element(library, &level, &value))
			return false;
		// gdb counts from one.
		snprintf(name, sizeof(name), "[%ju]", (uintmax_t)++container->total);
		library_add(library, name, NULL, &value);
		more = level_of(library, &level, "std::_Tuple_impl<", &next);
		value_deinit(&level);
		level = next;
	}
	return true;
}

bool library_pair(struct library *library, const struct value *object)
{
	static const char *const names[] = { "first", "second" };

	for (size_t i = 0; i < 2; i++) {
		struct value value = { 0 };

		if (!library_member(library, object, names[i], &value))
			return false;
		take_named(library, names[i], &value);
	}
	return true;
}

// ---- one thing, or none ----

static const char *const CONTAINED = "[contained value]", *const NOTHING = " [no contained value]";

static bool take_nothing(struct library *library, size_t nr_arguments)
{
	library->container->kind = CONTAINER_WORDS;
	return title_with(library, nr_arguments, NOTHING);
}

bool library_optional(struct library *library, const struct value *object)
{
	struct value value = { 0 };
	uint64_t engaged;

	if (!library_word(library, object, "_M_payload._M_engaged", &engaged))
		return false;
	if (engaged > 1)
		return library_damaged(library);
	if (!engaged)
		return take_nothing(library, 1);
	return library_member(library, object, "_M_payload._M_payload._M_value", &value) &&
	       title_with(library, 1, "") && take_named(library, CONTAINED, &value);
}

bool library_variant(struct library *library, const struct value *object)
{
	_cleanup_value_ struct value storage = { 0 }, number = { 0 };
	struct value value = { 0 };
	char index[64];
	size_t n = 0;
	uint64_t at;

	while (library_argument(library->type, n))
		n++;
	if (!n || !library_member(library, object, "_M_u", &storage) ||
	    !library_member(library, object, "_M_index", &number) ||
	    !library_word(library, object, "_M_index", &at))
		return false;

	uint64_t size = type_strip(number.type)->size;

	if (size < 8 && at == (UINT64_C(1) << size * 8) - 1)
		return take_nothing(library, n);
	if (at >= n)
		return library_damaged(library);

	_cleanup_error_ struct dc_error *err = part_at(
		&storage, library_argument(library->type, (size_t)at), 0, &value);

	if (err)
		return false;
	snprintf(index, sizeof(index), " [index %" PRIu64 "]", at);
	if (!title_with(library, n, index)) {
		value_deinit(&value);
		return false;
	}
	library->container->kind = CONTAINER_ARRAY;
	library->container->total = 1;
	library_add(library, NULL, NULL, &value);
	return true;
}

// What manages the thing is a function of a class that has the thing's type as its argument: it is
// known by that one's name, and looked up only where a name can be no template's.
bool library_any(struct library *library, const struct value *object)
{
	static const char *const managers[] = { "_Manager_internal<", "_Manager_external<" };
	_cleanup_value_ struct value storage = { 0 };
	_cleanup_free_ char *spelled = NULL;
	uint64_t manager, offset, addr;
	const struct type *type = NULL;
	const char *name, *at = NULL;
	bool is_external = false;

	if (!library_word(library, object, "_M_manager", &manager) ||
	    !library_member(library, object, "_M_storage", &storage))
		return false;
	if (!manager) {
		library->container->kind = CONTAINER_WORDS;
		library_title(library, "%s%s", library->type->name, NOTHING);
		return true;
	}
	if (!symbols_name_of(library->access.symbols, manager, &name, &offset) || offset)
		return library_damaged(library);
	for (size_t i = 0; i < 2 && !at; i++) {
		at = strstr(name, managers[i]);
		is_external = i;
		at = at ? at + strlen(managers[i]) : NULL;
	}

	const char *end = at ? strstr(at, ">::_S_manage") : NULL;

	if (!end || end == at)
		return library_damaged(library);
	spelled = strndup(at, (size_t)(end - at));
	if (!spelled) {
		library->err = &dc_out_of_memory;
		return false;
	}

	size_t length = strlen(spelled);

	// "X<int> >::_S_manage"
	if (length && spelled[length - 1] == ' ')
		spelled[length - 1] = '\0';

	const char *known = known_name(spelled);

	library_title(library, "%s containing %s", library->type->name, known);
	library->container->kind = CONTAINER_WORDS;
	if (strpbrk(known, "<*&("))
		return true;
	type = types_basic(library->types, known);
	if (!type) {
		_cleanup_error_ struct dc_error *unknown = symbols_lookup_type(
			library->access.symbols, NULL, NULL, known, &type);

		if (unknown)
			return true;
	}
	if (storage.lvalue != LVALUE_MEMORY ||
	    (is_external && !library_word(library, &storage, "_M_ptr", &addr)))
		return true;

	struct value value = library_object(type, is_external ? addr : storage.addr);

	return take_named(library, CONTAINED, &value);
}

// ---- pointers that own ----

bool library_unique(struct library *library, const struct value *object)
{
	_cleanup_value_ struct value tuple = { 0 };
	struct value value = { 0 };

	if (!library_member(library, object, "_M_t._M_t", &tuple) ||
	    !first_element(library, &tuple, &value))
		return false;
	return title_with(library, 1, "") && take_named(library, "get()", &value);
}

bool library_shared(struct library *library, const struct value *object)
{
	_cleanup_value_ struct value counts = { 0 };
	struct value pointer = { 0 };
	uint64_t owner, used, weak;
	char state[96] = " (empty)";

	if (!library_word(library, object, "_M_refcount._M_pi", &owner) ||
	    !library_member(library, object, "_M_refcount._M_pi", &counts) ||
	    !library_member(library, object, "_M_ptr", &pointer))
		return false;
	if (owner) {
		const struct value base = library_object(type_strip(counts.type)->target, owner);

		if (owner % 8 || !library_word(library, &base, "_M_use_count", &used) ||
		    !library_word(library, &base, "_M_weak_count", &weak)) {
			value_deinit(&pointer);
			return library_damaged(library);
		}

		int32_t uses = (int32_t)used, weaks = (int32_t)weak;

		if (uses < 0 || weaks < (uses > 0)) {
			value_deinit(&pointer);
			return library_damaged(library);
		}
		if (uses)
			snprintf(state, sizeof(state), " (use count %d, weak count %d)", uses,
				 weaks - 1);
		else
			snprintf(state, sizeof(state), " (expired, weak count %d)", weaks);
	}
	return title_with(library, 1, state) && take_named(library, "get()", &pointer);
}

// ---- wrappers ----

bool library_atomic(struct library *library, const struct value *object)
{
	static const char *const paths[] = { "_M_i", "_M_base._M_i", "_M_b._M_p", "_M_fp" };
	struct value value = { 0 };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		if (library_member(library, object, paths[i], &value)) {
			library->container->kind = CONTAINER_WORDS;
			library->container->total = 1;
			title_with(library, 1, " = { ");
			library_add(library, "[value]", NULL, &value);
			return true;
		}
	}
	return false;
}

// A stack or queue is what it wraps.
bool library_adaptor(struct library *library, const struct value *object)
{
	const struct type *own = library->type;
	struct container *container = library->container;
	_cleanup_value_ struct value inner = { 0 };
	char *title;

	if (!library_member(library, object, "c", &inner))
		return false;

	const struct type *type = symbols_complete(library->access.symbols, type_strip(inner.type));
	const char *name = type->name ? type->name : "";

	library->type = type;
	if (!(strstr(name, "vector<")  ? library_vector(library, &inner)
	      : strstr(name, "deque<") ? library_deque(library, &inner)
	      : strstr(name, "list<")  ? library_list(library, &inner)
				       : false))
		return false;
	title = container->title;
	container->title = NULL;
	library->type = own;
	library_title(library, "%.*s wrapping: %s", library_name_length(library), own->name,
		      title ? title : "");
	free(title);
	return true;
}
