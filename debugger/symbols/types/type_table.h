// SPDX-License-Identifier: MIT
// Inside symbols/: the table that owns types, and what a type keeps besides its public face.
// Every struct type is the first part of a struct type_node.
#ifndef DEBUGGER_SYMBOLS_TYPE_TABLE_H
#define DEBUGGER_SYMBOLS_TYPE_TABLE_H

#include "debugger/base/arena.h"
#include "debugger/symbols/type.h"

#include <elfutils/libdw.h>
#include <stdio.h>

enum parts { PARTS_UNREAD, PARTS_READING, PARTS_READ };

struct type_node {
	struct type type;
	// A qualified copy has no parts of its own; they are read once, here.
	struct type_node *unqualified;
	struct type_node *next; // in its hash bucket
	const void *key; // the DIE, or the type it derives from
	uint64_t key2; // what is derived: kind, count, qualifiers
	Dwarf_Die die; // origin, when the type comes from DWARF
	const struct type *is; // a DIE's type when it is another node; NULL while it is being made
	const struct type *completed; // what a declared-only type is elsewhere; itself when nowhere
	enum parts parts;
	uint32_t declared_align; // DW_AT_alignment, 0 without
	uint32_t member_align; // the largest that a member has, and may have there
	struct type_member *members;
	struct type_param *params;
	struct type_enumerator *enumerators;
	const struct type
		*element; // of a slice that was made here; what a function takes and gives
	const struct type *go_key; // of a map that the runtime describes
	uint64_t description; // the runtime's, in the target; 0: there is none
	size_t nr_parts;
	const struct static_member *statics; // NULL: not yet read
	size_t nr_statics;
};

static inline struct type_node *type_node(const struct type *type)
{
	return (struct type_node *)type;
}

struct types {
	struct arena arena;
	struct type_node **buckets;
	size_t nr_buckets, nr_nodes;
	struct scope_table *scopes; // of the C++ units that types were made from
	// What Go's runtime describes, where no debug information does; 0: nothing.
	struct process *process;
	uint64_t described, described_end;
	int go_minor;
};

// What a function that a C++ class declares is to it.
enum type_special {
	SPECIAL_NONE,
	SPECIAL_DOUBTFUL, // a constructor that may copy, if the rest of its parameters may be left out
	SPECIAL_COPY, // constructors
	SPECIAL_MOVE,
	SPECIAL_DESTROY,
	SPECIAL_MOVE_ASSIGN,
	SPECIAL_COPY_ASSIGN,
};
enum type_special type_special_of(Dwarf_Die *class, Dwarf_Die *function);

// Zeroed memory, 16-aligned, that lives as long as the types. NULL: out of memory.
void *types_alloc(struct types *types, size_t size);
char *types_strndup(struct types *types, const char *text, size_t n);
// A node known by its keys; made, with type.kind still VOID, when there is none (*made is then
// true).
struct type_node *types_intern(struct types *types, const void *key, uint64_t key2, bool *made);

// Basic types by their canonical spelling, with size and encoding of the DWARF when it has them.
const char *types_canonical(const char *spelling); // NULL: not a basic C type
// From a DIE; equal DIEs give the same type. Never fails but for memory: what C cannot hold or the
// file got wrong becomes OPAQUE. die NULL is void.
const struct type *type_from_die(struct types *types, Dwarf_Die *die);
// The type of a DIE's DW_AT_type, void without.
const struct type *type_of_die(struct types *types, Dwarf_Die *die);
// One that a type can have.
static inline bool type_is_alignment(uint64_t align)
{
	return align && align <= 1u << 28 && !(align & (align - 1));
}
// A DIE's type, that deep in others; its DW_AT_type, NULL when that is damaged.
const struct type *type_target(struct types *types, Dwarf_Die *die, int depth);
// type_go.c: of a unit written in Go.
const struct type *type_go_make(struct types *types, struct type_node *node, int depth);
void type_go_spell(FILE *out, const struct type *type, const char *name);
const struct type *type_go_record(struct type_node *node, enum go_kind kind, uint64_t size,
				  const struct type *target);
const struct type *type_go_function(struct type_node *node);
// type_described.c: of one that the runtime describes.
struct dc_error *type_go_read_described(struct type_node *node) DC_CHECK;
const struct type *type_go_described_signature(struct type_node *from);
// By the address of its description; NULL: it is none. The names are malloc'd: in full, and as the
// runtime has it, in whose order its list is.
const struct type *types_go_described(struct types *types, uint64_t addr);
char *types_go_described_name(struct types *types, uint64_t addr);
char *types_go_described_text(struct types *types, uint64_t addr);
struct dc_error *type_read_parts(struct type_node *node) DC_CHECK;

#endif
