// SPDX-License-Identifier: MIT
// Macros, which compilers tell with -g3: by the unit of the frame, or else by all that the program is
// made of.
#include "debugger/symbols/set.h"

#include "debugger/base/cleanup.h"

#include <ctype.h>
#include <dwarf.h>
#include <string.h>

// DWARF 5's opcodes; those of older versions are the same as far as they go.
enum { DEFINE = 0x01, DEFINE_STRP = 0x05, IMPORT = 0x07, DEFINE_STRX = 0x0b };

struct hunt {
	Dwarf *dwarf;
	const char *name;
	size_t length;
	const char *found; // the last definition
	bool differ;
	unsigned depth; // of units that others take in
};

static bool is_of(const struct hunt *hunt, const char *text)
{
	char end;

	if (strncmp(text, hunt->name, hunt->length) != 0)
		return false;
	end = text[hunt->length];
	return end != '_' && !isalnum((unsigned char)end);
}

static int visit(Dwarf_Macro *macro, void *arg)
{
	enum { DEPTH_MAX = 64 };
	struct hunt *hunt = arg;
	unsigned int opcode;
	const char *text = NULL;
	Dwarf_Attribute attr;
	Dwarf_Word offset;

	if (dwarf_macro_opcode(macro, &opcode))
		return DWARF_CB_OK;
	if (opcode == IMPORT && hunt->depth < DEPTH_MAX && !dwarf_macro_param(macro, 0, &attr) &&
	    !dwarf_formudata(&attr, &offset)) {
		hunt->depth++;
		dwarf_getmacros_off(hunt->dwarf, offset, visit, hunt, DWARF_GETMACROS_START);
		hunt->depth--;
		return DWARF_CB_OK;
	}
	if ((opcode != DEFINE && opcode != DEFINE_STRP && opcode != DEFINE_STRX) ||
	    dwarf_macro_param(macro, 1, &attr) || !(text = dwarf_formstring(&attr)) ||
	    !is_of(hunt, text))
		return DWARF_CB_OK;
	hunt->differ |= hunt->found && strcmp(hunt->found, text) != 0;
	hunt->found = text;
	return DWARF_CB_OK;
}

static bool has_macros(Dwarf_Die *unit)
{
	return dwarf_hasattr(unit, DW_AT_macros) || dwarf_hasattr(unit, DW_AT_GNU_macros) ||
	       dwarf_hasattr(unit, DW_AT_macro_info);
}

static void search(struct hunt *hunt, Dwarf_Die *unit)
{
	if (has_macros(unit))
		dwarf_getmacros(unit, visit, hunt, DWARF_GETMACROS_START);
}

static void search_program(struct symbols *symbols, struct hunt *hunt)
{
	enum { UNITS_MAX = 500 };
	struct loaded *program = symbols->list;
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	size_t n = 0;

	if (!program || !module_dwarf(program, EFFORT_DEBUG_FILE) || !program->dwarf)
		return;
	hunt->dwarf = program->dwarf;
	while (n++ < UNITS_MAX &&
	       !dwarf_get_units(program->dwarf, unit, &unit, NULL, NULL, &die, NULL))
		search(hunt, &die);
}

struct dc_error *symbols_macro(struct symbols *symbols, const struct symbols_frame *frame,
			       const char *name, const char **ret)
{
	struct hunt hunt = { .name = name, .length = strlen(name) };
	struct loaded *loaded;
	Dwarf_Die unit;

	*ret = NULL;
	if (symbols_unit(symbols, frame, EFFORT_OWN_FILE, &loaded, &unit)) {
		hunt.dwarf = loaded->dwarf;
		search(&hunt, &unit);
	}
	if (!hunt.found)
		search_program(symbols, &hunt);
	if (hunt.differ)
		return error_make(
			DC_VALUE,
			"the macro '%s' is defined in more than one way: choose a frame "
			"in the file that is meant (--frame), or write what it stands for",
			name);
	*ret = hunt.found ? hunt.found + hunt.length : NULL;
	return NULL;
}
