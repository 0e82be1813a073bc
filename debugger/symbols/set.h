// SPDX-License-Identifier: MIT
// Inside symbols/: what one target's symbols are made of, shared by the rooms that look names up.
#ifndef DEBUGGER_SYMBOLS_SET_H
#define DEBUGGER_SYMBOLS_SET_H

#include "debugger/symbols/elf/module.h"
#include "debugger/symbols/types/type_table.h"

struct symbols {
	struct process *process;
	struct loaded *list; // in load order
	const struct module **modules; // the same, for the public
	size_t nr_modules;
	struct types *types;
	struct go_index *go_index; // of the types that the runtime describes; NULL: not yet made
};
// NULL is fine.
void go_index_destroy(struct go_index *index);

static inline struct loaded *loaded_of(const struct module *module)
{
	return (struct loaded *)module;
}

// The module that covers the address, NULL.
struct loaded *symbols_at(struct symbols *symbols, uint64_t addr);
// The frame's unit, within the effort; false without debug information there.
bool symbols_unit(struct symbols *symbols, const struct symbols_frame *frame, enum effort effort,
		  struct loaded **loaded, Dwarf_Die *unit);
// A symbol of one of the classes as the frame's code would find it: its module's when that has
// names of its own, then the program's, then by load order, exported before local. nr_locals: how
// many local ones of that name the module has.
bool symbols_find(struct symbols *symbols, const struct symbols_frame *frame, const char *name,
		  unsigned int classes, struct loaded **module, struct symbol *ret,
		  size_t *nr_locals);
// The program's own debug information settles what the name is, or may once there is a frame.
bool symbols_is_own(struct symbols *symbols, const struct symbols_frame *frame, const char *name);
// All but the type, and the type from a DIE.
struct dc_error *function_from_symbol(struct symbols *symbols, struct loaded *loaded,
				      const struct symbol *symbol, struct function *ret) DC_CHECK;
void function_add_type(struct symbols *symbols, Dwarf_Die *die, struct function *function);
// The error for a name that several of a module's files have to themselves, naming the files.
struct dc_error *symbols_ambiguous(struct loaded *loaded, enum want want, const char *what,
				   const char *name);
// The error for a name that nothing has. what: "function", "type" …
struct dc_error *symbols_no_name(const char *what, const char *name);
// A string that lives as long as the symbols; NULL: out of memory.
const char *symbols_text(struct symbols *symbols, const char *format, ...) DC_PRINTF(2, 3);
// Symbol names up to their version: "memcpy@@GLIBC_2.14" is memcpy. NULL: out of memory.
const char *symbols_plain_name(struct symbols *symbols, const char *name);

#endif
