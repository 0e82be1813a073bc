// SPDX-License-Identifier: MIT
// One module of the target: a mapped ELF file with its symbol tables and debug information, each
// read when first needed.
#ifndef DEBUGGER_SYMBOLS_MODULE_H
#define DEBUGGER_SYMBOLS_MODULE_H

#include "debugger/symbols/dwarf/units.h"
#include "debugger/symbols/symbols.h"
#include "debugger/symbols/elf/go_module.h"
#include "debugger/symbols/elf/symtab.h"
#include "debugger/target/maps.h"

struct loaded {
	struct module module; // the public part
	struct loaded *next; // in load order: program, its libraries as linked, the rest
	struct process *process;
	struct image *image; // NULL: unreadable, module.problem says why
	uint64_t inode; // of the mapping
	uint32_t dev_major, dev_minor;
	uint64_t link_map; // its struct link_map in the target, 0 unknown
	bool is_program, is_vdso;
	bool has_cxx, cxx_sought; // names of C++
	bool seen; // at the last refresh

	bool tables_read;
	struct go_module *go; // NULL: it holds no Go code
	struct symtab symtab, dynsym; // n is 0 without

	// Of the separate debug file, sought once.
	bool debug_sought;
	struct image *debug_image;
	struct symtab debug_symtab;

	bool dwarf_tried, dwarf_is_separate;
	Dwarf *dwarf, *alt;
	struct image *alt_image;
	struct units *info;
};

// Adds the modules of the maps that are not in the list yet, drops none that is still mapped, and
// puts them in load order. Modules live until modules_destroy(), because types and names point into
// them.
struct dc_error *modules_update(struct process *process, const struct maps *maps,
				struct loaded **list) DC_CHECK;
void modules_destroy(struct loaded *list);

// The file's own tables. Without any both are empty.
void module_need_tables(struct loaded *loaded);
// How far a look-up goes: a separate debug file is opened only when nothing else settles a name.
enum effort { EFFORT_OWN_FILE, EFFORT_DEBUG_FILE };
// NULL: there is none within the effort; damage is said in module.problem.
struct units *module_dwarf(struct loaded *loaded, enum effort effort);
// The same for a look-up by name: a debug file that has no such string is not opened for it.
struct units *module_dwarf_naming(struct loaded *loaded, enum effort effort, const char *name);
// Its .symtab, where the debug file has one that says more than the file's own. NULL: none.
const struct symtab *module_debug_symtab(struct loaded *loaded);

bool module_contains(const struct loaded *loaded, uint64_t addr);
// Remembers the first problem. Takes err.
void module_problem(struct loaded *loaded, struct dc_error *err);

// Finds the debug file of a module by build id or link, in the target's root, then in ours.
// NULL: there is none.
struct image *debugfile_find(const struct loaded *loaded);
// The dwz file that several debug files share; image is the one that refers to it.
struct image *debugfile_find_alt(const struct loaded *loaded, const struct image *image,
				 const char *image_path);

#endif
