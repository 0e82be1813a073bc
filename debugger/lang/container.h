// SPDX-License-Identifier: MIT
// Objects that hold others in a way that their members do not show: strings, vectors, maps, pointers
// that own. Read from their layout, calling nothing.
#ifndef DEBUGGER_LANG_CONTAINER_H
#define DEBUGGER_LANG_CONTAINER_H

#include "debugger/lang/expression.h"

struct element {
	char *name; // "[0]", "get()"; NULL: by its place alone
	struct value key; // of a map; no type: there is none
	struct value value; // not read yet where it lies in memory
};

struct container {
	enum {
		CONTAINER_NONE, // the object is none
		CONTAINER_DAMAGED, // what its members say cannot be
		CONTAINER_WORDS, // the title says it all
		CONTAINER_TEXT, // characters: one value, title in front
		CONTAINER_NAMED, // elements with names
		CONTAINER_ARRAY, // elements without
		CONTAINER_MAP, // with keys
	} kind;
	char *title; // "std::vector of length 3, capacity 4"; NULL: none
	uint64_t total; // elements
	uint64_t start; // in: the first that is wanted
	size_t room; // in: how many are wanted
	struct element *list; // those of them that there are
	size_t n;
	uint64_t seen; // while it is read: the next one's number
	const struct type *character; // TEXT: of the type
	uint64_t text; // where they are
	unsigned char *bytes; // or what they are; malloc'd
};
void container_deinit(struct container *container);

// value is an object; start and room are set. Code of memory only: what cannot be read is DAMAGED.
struct dc_error *container_read(const struct language *language,
				const struct environment *environment, const struct value *value,
				struct container *ret) DC_CHECK;

#endif
