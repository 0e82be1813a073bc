// SPDX-License-Identifier: MIT
// What is at an address, with the functions that the compiler put into one another there.
#include "debugger/symbols/mangled.h"
#include "debugger/symbols/elf/module.h"
#include "debugger/symbols/dwarf/block.h"
#include "debugger/symbols/set.h"

#include <dwarf.h>
#include <string.h>

static const char *text_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;

	return dwarf_attr_integrate(die, name, &attr) ? dwarf_formstring(&attr) : NULL;
}

static const char *function_name(struct symbols *symbols, Dwarf_Die *die)
{
	const char *linkage = text_of(die, DW_AT_linkage_name);

	return linkage ? shown_name(symbols, linkage) : dwarf_diename(die);
}

// Where an inlined function stands in the one around it.
static void call_place(Dwarf_Die *unit, Dwarf_Die *inlined, struct dc_frame *frame)
{
	Dwarf_Attribute attr;
	Dwarf_Word file, line;
	Dwarf_Files *files;
	size_t n;

	frame->file = NULL;
	frame->line = 0;
	if (!dwarf_attr(inlined, DW_AT_call_file, &attr) || dwarf_formudata(&attr, &file) ||
	    !dwarf_attr(inlined, DW_AT_call_line, &attr) || dwarf_formudata(&attr, &line) ||
	    dwarf_getsrcfiles(unit, &files, &n) || file >= n)
		return;
	frame->file = dwarf_filesrc(files, file, NULL, NULL);
	frame->line = (int)line;
}

size_t symbols_describe_inlined(struct symbols *symbols, uint64_t addr, struct dc_frame *ret,
				size_t max)
{
	struct loaded *loaded = symbols_at(symbols, addr);
	struct units *units = NULL;
	Dwarf_Die unit, blocks[BLOCKS_MAX];
	size_t n = 0;

	ret[0] = symbols_describe(symbols, addr);
	if (ret[0].file)
		units = module_dwarf(loaded, EFFORT_DEBUG_FILE);
	if (!units || !units_at(units, addr - loaded->module.bias, &unit))
		return 1;

	size_t depth = block_chain(&unit, addr - loaded->module.bias, blocks);

	for (size_t i = depth; i > 1 && n + 1 < max; i--) {
		Dwarf_Die *inlined = &blocks[i - 1];

		if (dwarf_tag(inlined) != DW_TAG_inlined_subroutine)
			continue;
		ret[n + 1] = ret[n];
		ret[n].function = function_name(symbols, inlined);
		ret[n].offset = 0;
		n++;
		call_place(&unit, inlined, &ret[n]);
	}
	return n + 1;
}
