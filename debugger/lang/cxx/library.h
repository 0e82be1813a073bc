// SPDX-License-Identifier: MIT
// Objects of the C++ standard library (libstdc++) as what they hold, read from their layout.
#ifndef DEBUGGER_LANG_CXX_LIBRARY_H
#define DEBUGGER_LANG_CXX_LIBRARY_H

#include "debugger/lang/container.h"
#include "debugger/values/part.h"

// One object while it is read.
struct library {
	struct access access;
	struct types *types;
	const struct type *type; // its class, complete
	struct container *container;
	struct dc_error *err; // there is no memory
};

// How an object is read. false: its members are not what they should be; the container then says
// whether they are only damaged.
typedef bool library_reader(struct library *library, const struct value *object);
library_reader library_string, library_string_view, library_path, library_vector, library_deque,
	library_bitset, library_span, library_initializer_list;
library_reader library_list, library_forward_list, library_map, library_set, library_hash_map,
	library_hash_set;
library_reader library_tuple, library_pair, library_optional, library_variant, library_any,
	library_unique, library_shared, library_atomic, library_adaptor, library_iterator,
	library_node_iterator, library_tree_iterator;

// Which operators of the class are known here, by what they give.
enum library_access {
	ACCESS_NONE,
	ACCESS_INDEX, // object[number]
	ACCESS_KEY, // object[key]
	ACCESS_TARGET, // *object is the element
	ACCESS_POINTER, // *object is what the element points to
};
enum library_access library_access_of(const struct type *type);

// What readers are made of. Each is false where the target does not have it.
// A member by its path, "_M_impl._M_start", of the object's bases too.
bool library_member(struct library *library, const struct value *whole, const char *path,
		    struct value *ret);
// A member's value as a number.
bool library_word(struct library *library, const struct value *whole, const char *path,
		  uint64_t *ret);
bool library_read(struct library *library, uint64_t addr, void *to, size_t n);
// A whole array of so many elements: it lies as it should, and can be read at both ends.
bool library_has_array(struct library *library, const struct type *type, uint64_t addr, uint64_t n);
// The i-th type that the class's template was given.
const struct type *library_argument(const struct type *class, size_t i);
// What a container holds, or an iterator stands at. g++ leaves arguments of some classes out.
const struct type *library_element(const struct type *class, size_t i);
struct value library_object(const struct type *type, uint64_t addr);

// The object's members contradict one another.
bool library_damaged(struct library *library);
void library_title(struct library *library, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
// "std::vector": the class's name without its arguments.
int library_name_length(const struct library *library);
// No more elements are wanted.
bool library_is_full(const struct library *library);
// The next element. key NULL: none; name NULL: its number, where there are names at all. Takes value.
void library_add(struct library *library, const char *name, const struct value *key,
		 struct value *value);

#endif
