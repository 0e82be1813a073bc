// SPDX-License-Identifier: MIT
// A module's units through libdw, read lazily, and DIEs by address.
#include "debugger/symbols/dwarf/mention.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

// Assigned after DWARF 5 was published.

bool die_walk_first(struct die_walk *walk, Dwarf_Die *parent, Dwarf_Die *ret)
{
	int status = dwarf_child(parent, ret);

	walk->damaged = status < 0;
	if (status)
		return false;
	walk->last = ret->addr;
	return true;
}

bool die_walk_next(struct die_walk *walk, Dwarf_Die *die)
{
	Dwarf_Die next;
	int status = dwarf_siblingof(die, &next);

	if (status) {
		walk->damaged = status < 0;
		return false;
	}
	// Only ever forward, so that a loop of siblings cannot hold us.
	if ((uintptr_t)next.addr <= (uintptr_t)walk->last) {
		walk->damaged = true;
		return false;
	}
	walk->last = next.addr;
	*die = next;
	return true;
}

bool die_number(Dwarf_Die *die, unsigned int name, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr_integrate(die, name, &attr) || dwarf_formudata(&attr, &value))
		return false;
	*ret = value;
	return true;
}

bool die_flag(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	bool value;

	return dwarf_attr_integrate(die, name, &attr) && !dwarf_formflag(&attr, &value) && value;
}

enum type_compiler die_compiler(Dwarf_Die *die)
{
	Dwarf_Die unit;
	Dwarf_Attribute attr;
	const char *producer;

	if (!dwarf_cu_die(die->cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) ||
	    !dwarf_attr_integrate(&unit, DW_AT_producer, &attr) ||
	    !(producer = dwarf_formstring(&attr)))
		return COMPILER_UNKNOWN;
	if (!strncmp(producer, "GNU ", 4))
		return COMPILER_GCC;
	return strstr(producer, "clang version") ? COMPILER_CLANG : COMPILER_UNKNOWN;
}

bool die_enumerator_value(Dwarf_Die *die, const struct type *type, int64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;
	Dwarf_Sword signed_value;

	if (!dwarf_attr(die, DW_AT_const_value, &attr))
		return false;
	if (dwarf_whatform(&attr) == DW_FORM_sdata ||
	    dwarf_whatform(&attr) == DW_FORM_implicit_const) {
		if (dwarf_formsdata(&attr, &signed_value))
			return false;
		value = (Dwarf_Word)signed_value;
	} else if (dwarf_formudata(&attr, &value)) {
		return false;
	}

	unsigned int bits = type->size * 8;

	if (bits && bits < 64) {
		value &= (UINT64_C(1) << bits) - 1;
		if (type->is_signed && value >> (bits - 1))
			value |= ~UINT64_C(0) << bits;
	}
	*ret = (int64_t)value;
	return true;
}

bool die_is_declaration(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	bool value;

	// Not integrated: a definition refers to its own declaration.
	return dwarf_attr(die, DW_AT_declaration, &attr) && !dwarf_formflag(&attr, &value) && value;
}

bool die_entry(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Addr base, start, end;

	if (!dwarf_lowpc(die, ret) || !dwarf_entrypc(die, ret))
		return true;
	// Split into hot and cold parts: the first range holds the entry.
	if (dwarf_hasattr(die, DW_AT_ranges) && dwarf_ranges(die, 0, &base, &start, &end) > 0) {
		*ret = start;
		return true;
	}
	return false;
}

bool debug_strings_end(Dwarf *dwarf)
{
	Elf *elf = dwarf_getelf(dwarf);
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr header;
		const char *name;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS ||
		    !(name = elf_strptr(elf, names, header.sh_name)) ||
		    (!strstr(name, "debug_str") && !strstr(name, "debug_line_str")) ||
		    strstr(name, "offsets") || !(data = elf_rawdata(scn, NULL)) || !data->d_size)
			continue;
		if (!data->d_buf || ((const char *)data->d_buf)[data->d_size - 1])
			return false;
	}
	return true;
}

struct dc_error *units_create(Dwarf *dwarf, Dwarf *alt, struct units **ret)
{
	struct units *info = calloc(1, sizeof(*info));

	if (!info)
		return &dc_out_of_memory;
	info->dwarf = dwarf;
	info->alt = alt;
	*ret = info;
	return NULL;
}

void units_destroy(struct units *info)
{
	if (!info)
		return;
	mention_forget_all(info);
	free(info->units);
	free(info->ranges);
	free(info);
}

// ---- units -----------------------------------------------------------------------------------

struct bytes {
	const unsigned char *start, *end;
};

// The section that the address lies in, as libdw holds it, decompressed.
static void find_section(Dwarf *dwarf, const unsigned char *at, struct bytes *ret)
{
	Elf *elf = dwarf_getelf(dwarf);
	size_t names;

	*ret = (struct bytes){ at, at };
	if (elf_getshdrstrndx(elf, &names))
		return;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr header;
		const char *name;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS ||
		    !(name = elf_strptr(elf, names, header.sh_name)) ||
		    (!strstr(name, "debug_info") && !strstr(name, "debug_types")) ||
		    !(data = elf_rawdata(scn, NULL)) || !data->d_buf)
			continue;

		const unsigned char *start = data->d_buf;

		if (at >= start && at < start + data->d_size) {
			*ret = (struct bytes){ start, start + data->d_size };
			return;
		}
	}
}

// A unit's head says how long it is; a damaged one may say more than there is.
static const unsigned char *unit_end(Dwarf_Die *die, struct bytes *section)
{
	const unsigned char *at = die->addr, *start = at - dwarf_cuoffset(die);
	uint32_t length;
	uint64_t long_length;

	if (at < section->start || at >= section->end)
		find_section(dwarf_cu_getdwarf(die->cu), at, section);
	if (start < section->start || at >= section->end)
		return at;
	memcpy(&length, start, sizeof(length));
	memcpy(&long_length, start + sizeof(length), sizeof(long_length));

	uint64_t room = (uint64_t)(section->end - start);
	uint64_t size = length == UINT32_MAX ? 12 + long_length : 4 + (uint64_t)length;

	return size > room || size < (uint64_t)(at - start) ? section->end : start + size;
}

// A name written into a DIE at the very end could run out of the section, unless that ends in a NUL
// as every unit with children does. A unit of nothing but itself has no name to offer.
static bool may_overrun(const unsigned char *end, const struct bytes *section)
{
	return end == section->end && end > section->start && end[-1];
}

static bool is_split(uint8_t kind, Dwarf_Die *split)
{
	return kind == DW_UT_skeleton && split->addr && dwarf_tag(split) != DW_TAG_invalid &&
	       debug_strings_end(dwarf_cu_getdwarf(split->cu));
}

static struct dc_error *add_units(struct units *info, Dwarf *dwarf)
{
	struct bytes section = { NULL, NULL };
	Dwarf_CU *cu = NULL;
	Dwarf_Die die, split;
	uint8_t kind;

	int status;

	while (!(status = dwarf_get_units(dwarf, cu, &cu, NULL, &kind, &die, &split))) {
		if (!(info->nr_units & (info->nr_units - 1))) {
			size_t room = info->nr_units ? info->nr_units * 2 : 16;
			struct unit *units = realloc(info->units, room * sizeof(*units));

			if (!units)
				return &dc_out_of_memory;
			info->units = units;
		}
		// A unit that cannot be read is left out; the others still count.
		if (!die.addr || dwarf_tag(&die) == DW_TAG_invalid) {
			info->damaged = true;
			continue;
		}

		struct unit *unit = &info->units[info->nr_units++];

		*unit = (struct unit){
			.die = die, .is_indexed = dwarf_hasattr(&die, DW_AT_str_offsets_base) == 1
		};
		if (is_split(kind, &split)) {
			unit->die = split;
			continue;
		}

		unit->start = die.addr;
		unit->end = unit_end(&die, &section);
		if (may_overrun(unit->end, &section))
			info->nr_units--;
	}
	info->damaged |= status < 0;
	return NULL;
}

struct dc_error *units_read(struct units *info)
{
	struct dc_error *err = NULL;

	if (info->have_units)
		return NULL;
	err = add_units(info, info->dwarf);
	if (!err && info->alt)
		err = add_units(info, info->alt);
	info->have_units = !err;
	return err;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static struct dc_error *need_ranges(struct units *info)
{
	struct dc_error *err = info->have_ranges ? NULL : units_read(info);

	if (err || info->have_ranges)
		return err;
	for (size_t i = 0; i < info->nr_units; i++) {
		Dwarf_Addr base, start, end;
		ptrdiff_t at = 0;

		while ((at = dwarf_ranges(&info->units[i].die, at, &base, &start, &end)) > 0) {
			if (start >= end)
				continue;
			if (!(info->nr_ranges & (info->nr_ranges - 1))) {
				size_t room = info->nr_ranges ? info->nr_ranges * 2 : 64;
				struct unit_range *ranges = realloc(info->ranges,
								    room * sizeof(*ranges));

				if (!ranges)
					return &dc_out_of_memory;
				info->ranges = ranges;
			}
			info->ranges[info->nr_ranges++] = (struct unit_range){ start, end, i };
		}
	}
	if (info->nr_ranges)
		qsort(info->ranges, info->nr_ranges, sizeof(*info->ranges), compare_ranges);
	info->have_ranges = true;
	return NULL;
}

static bool unit_by_ranges(struct units *info, uint64_t addr, Dwarf_Die *ret)
{
	struct dc_error *err = need_ranges(info);

	if (err) {
		dc_error_destroy(err);
		return false;
	}

	size_t low = 0, high = info->nr_ranges;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (info->ranges[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || info->ranges[low - 1].end <= addr)
		return false;
	*ret = info->units[info->ranges[low - 1].unit].die;
	return true;
}

bool units_at(struct units *info, uint64_t addr, Dwarf_Die *ret)
{
	Dwarf_Aranges *aranges;
	size_t n;

	if (!info->have_ranges && !dwarf_getaranges(info->dwarf, &aranges, &n) && n) {
		Dwarf_Arange *arange = dwarf_getarange_addr(aranges, addr);
		Dwarf_Off offset;
		struct bytes section = { NULL, NULL };
		Dwarf_Die split;
		uint8_t kind;

		if (arange && !dwarf_getarangeinfo(arange, NULL, NULL, &offset) &&
		    dwarf_offdie(info->dwarf, offset, ret) && dwarf_haspc(ret, addr) == 1) {
			if (may_overrun(unit_end(ret, &section), &section))
				return false;
			if (!dwarf_cu_info(ret->cu, NULL, &kind, NULL, &split, NULL, NULL, NULL) &&
			    is_split(kind, &split))
				*ret = split;
			return true;
		}
	}
	// Not every compiler writes .debug_aranges, and not for every unit.
	return unit_by_ranges(info, addr, ret);
}

static bool function_below(Dwarf_Die *parent, uint64_t addr, int level, Dwarf_Die *ret)
{
	struct die_walk walk = { 0 };
	Dwarf_Die child;
	uint64_t entry;

	for (bool more = die_walk_first(&walk, parent, &child); more;
	     more = die_walk_next(&walk, &child)) {
		switch (dwarf_tag(&child)) {
		case DW_TAG_subprogram:
			if (die_entry(&child, &entry) && entry == addr) {
				*ret = child;
				return true;
			}
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
			if (level < DWARF_LEVEL_MAX && dwarf_haschildren(&child) == 1 &&
			    (dwarf_tag(&child) == DW_TAG_namespace ||
			     dwarf_tag(&child) == DW_TAG_module) &&
			    function_below(&child, addr, level + 1, ret))
				return true;
			break;
		default: break;
		}
	}
	return false;
}

bool units_function_at(struct units *info, uint64_t addr, Dwarf_Die *ret)
{
	Dwarf_Die unit;

	return units_at(info, addr, &unit) && function_below(&unit, addr, 0, ret);
}

bool units_are_damaged(const struct units *info)
{
	return info->damaged;
}
