// SPDX-License-Identifier: MIT
// Finding DIEs in a module's units through libdw, lazily.
#include "debugger/symbols/dwarf.h"
#include "debugger/symbols/mention.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

// Namespaces and imported units nest; deeper than this is a damaged file.
enum { MAX_LEVEL = 32 };

// Assigned after DWARF 5 was published.
enum { LANG_CXX17 = 0x2a, LANG_CXX20 = 0x2b, LANG_C17 = 0x2c };

struct unit {
	Dwarf_Die die; // the split unit's where there is one
	const unsigned char *start, *end; // its bytes; NULL when they are in another file
	bool is_indexed; // refers to strings by number
};

struct unit_range {
	uint64_t start, end;
	size_t unit;
};

struct dwarf_info {
	Dwarf *dwarf, *alt;
	struct unit *units; // of both, in order; filled when a name is first looked for
	size_t nr_units;
	bool have_units;
	struct unit_range *ranges; // sorted; filled when .debug_aranges does not settle an address
	size_t nr_ranges;
	bool have_ranges;
	bool damaged;
};

bool dwarf_walk_first(struct dwarf_walk *walk, Dwarf_Die *parent, Dwarf_Die *ret)
{
	int status = dwarf_child(parent, ret);

	walk->damaged = status < 0;
	if (status)
		return false;
	walk->last = ret->addr;
	return true;
}

bool dwarf_walk_next(struct dwarf_walk *walk, Dwarf_Die *die)
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

int dwarf_language(Dwarf_Die *die)
{
	Dwarf_Die unit;
	Dwarf_Attribute attr;
	Dwarf_Word language;

	if (!dwarf_cu_die(die->cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) ||
	    !dwarf_attr_integrate(&unit, DW_AT_language, &attr) ||
	    dwarf_formudata(&attr, &language))
		return 0;
	return (int)language;
}

enum type_compiler dwarf_compiler(Dwarf_Die *die)
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

bool dwarf_language_is_cxx(int language)
{
	switch (language) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_ObjC_plus_plus:
	case LANG_CXX17:
	case LANG_CXX20: return true;
	default: return false;
	}
}

bool dwarf_language_is_c(int language)
{
	switch (language) {
	case 0: // dwz's partial units do not say; what they share is mostly C
	case DW_LANG_C:
	case DW_LANG_C89:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_ObjC:
	case LANG_C17:
	case DW_LANG_Mips_Assembler: return true;
	default: return dwarf_language_is_cxx(language);
	}
}

bool dwarf_enumerator_value(Dwarf_Die *die, const struct type *type, int64_t *ret)
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

bool dwarf_is_declaration(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	bool value;

	// Not integrated: a definition refers to its own declaration.
	return dwarf_attr(die, DW_AT_declaration, &attr) && !dwarf_formflag(&attr, &value) && value;
}

bool dwarf_entry(Dwarf_Die *die, uint64_t *ret)
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

bool dwarf_strings_end(Dwarf *dwarf)
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

struct dc_error *dwarf_info_create(Dwarf *dwarf, Dwarf *alt, struct dwarf_info **ret)
{
	struct dwarf_info *info = calloc(1, sizeof(*info));

	if (!info)
		return &dc_out_of_memory;
	info->dwarf = dwarf;
	info->alt = alt;
	*ret = info;
	return NULL;
}

void dwarf_info_destroy(struct dwarf_info *info)
{
	if (!info)
		return;
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

// A name written into a DIE at the very end could run out of the section, unless that ends in a NUL as
// every unit with children does. A unit of nothing but itself has no name to offer.
static bool may_overrun(const unsigned char *end, const struct bytes *section)
{
	return end == section->end && end > section->start && end[-1];
}

static bool is_split(uint8_t kind, Dwarf_Die *split)
{
	return kind == DW_UT_skeleton && split->addr && dwarf_tag(split) != DW_TAG_invalid &&
	       dwarf_strings_end(dwarf_cu_getdwarf(split->cu));
}

static struct dc_error *add_units(struct dwarf_info *info, Dwarf *dwarf)
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

static struct dc_error *need_units(struct dwarf_info *info)
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

static struct dc_error *need_ranges(struct dwarf_info *info)
{
	struct dc_error *err = info->have_ranges ? NULL : need_units(info);

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

static bool unit_by_ranges(struct dwarf_info *info, uint64_t addr, Dwarf_Die *ret)
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

bool dwarf_unit_at(struct dwarf_info *info, uint64_t addr, Dwarf_Die *ret)
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
	struct dwarf_walk walk = { 0 };
	Dwarf_Die child;
	uint64_t entry;

	for (bool more = dwarf_walk_first(&walk, parent, &child); more;
	     more = dwarf_walk_next(&walk, &child)) {
		switch (dwarf_tag(&child)) {
		case DW_TAG_subprogram:
			if (dwarf_entry(&child, &entry) && entry == addr) {
				*ret = child;
				return true;
			}
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
			if (level < MAX_LEVEL && dwarf_haschildren(&child) == 1 &&
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

bool dwarf_function_at(struct dwarf_info *info, uint64_t addr, Dwarf_Die *ret)
{
	Dwarf_Die unit;

	return dwarf_unit_at(info, addr, &unit) && function_below(&unit, addr, 0, ret);
}

// ---- names -----------------------------------------------------------------------------------

struct search {
	struct dwarf_info *info;
	const char *name; // NULL: all
	const char *scopes; // what stands before the name, "ns::C::"
	size_t nr_scopes; // its length
	const char *path[MAX_LEVEL + 2]; // the scopes around the DIE that is looked at
	size_t nr_path;
	unsigned int want;
	dwarf_visit *visit;
	void *arg;
	bool all_units; // partial units come by themselves: imports are not followed
	bool stopped;
};

static unsigned int kind_of(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram: return DWARF_FUNCTION;
	case DW_TAG_variable: return DWARF_VARIABLE;
	// A static member, as DWARF 4 describes it.
	case DW_TAG_member: return dwarf_hasattr(die, DW_AT_external) ? DWARF_VARIABLE : 0;
	case DW_TAG_base_type:
	case DW_TAG_typedef:
	case DW_TAG_unspecified_type: return DWARF_TYPEDEF;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		return DWARF_STRUCT |
		       (dwarf_language_is_cxx(dwarf_language(die)) ? DWARF_TYPEDEF : 0);
	case DW_TAG_union_type:
		return DWARF_UNION |
		       (dwarf_language_is_cxx(dwarf_language(die)) ? DWARF_TYPEDEF : 0);
	case DW_TAG_enumeration_type:
		return DWARF_ENUM |
		       (dwarf_language_is_cxx(dwarf_language(die)) ? DWARF_TYPEDEF : 0);
	default: return 0;
	}
}

const char *dwarf_simple_name(const char *name)
{
	int depth = 0;

	for (const char *at = name + strlen(name); at > name + 1; at--) {
		if (strchr(")>", at[-1]))
			depth++;
		else if (strchr("(<", at[-1]))
			depth--;
		else if (!depth && at[-1] == ':' && at[-2] == ':')
			return at;
	}
	return name;
}

static bool is_named(Dwarf_Die *die, const char *name)
{
	const char *its = dwarf_diename(die);

	return its && (!name || !strcmp(its, name));
}

// From the innermost scope outwards, as far as the user has named them.
static bool in_scope(const struct search *search, const char *innermost)
{
	size_t left = search->nr_scopes, at = search->nr_path;

	while (left) {
		const char *name = innermost ? innermost : at ? search->path[--at] : NULL;
		size_t length = name ? strlen(name) : 0;

		innermost = NULL;
		left -= 2; // "::"
		if (!name || length > left ||
		    strncmp(search->scopes + left - length, name, length) ||
		    (left > length && search->scopes[left - length - 1] != ':'))
			return false;
		left -= length;
	}
	return true;
}

// Unnamed and inline namespaces are written by nobody.
static bool is_silent(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	bool value;

	return !dwarf_diename(die) || (dwarf_attr(die, DW_AT_export_symbols, &attr) &&
				       !dwarf_formflag(&attr, &value) && value);
}

static void search_below(struct search *search, Dwarf_Die *parent, int level);

static void search_scope(struct search *search, Dwarf_Die *die, int level)
{
	size_t nr_path = search->nr_path;

	if (level >= MAX_LEVEL)
		return;
	if (!is_silent(die))
		search->path[search->nr_path++] = dwarf_diename(die);
	search_below(search, die, level + 1);
	search->nr_path = nr_path;
}

static void search_enum(struct search *search, Dwarf_Die *parent)
{
	struct dwarf_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = dwarf_walk_first(&walk, parent, &child); more && !search->stopped;
	     more = dwarf_walk_next(&walk, &child)) {
		if (dwarf_tag(&child) == DW_TAG_enumerator && is_named(&child, search->name) &&
		    (in_scope(search, NULL) || in_scope(search, dwarf_diename(parent))))
			search->stopped = !search->visit(&child, parent, search->arg);
	}
}

static void search_die(struct search *search, Dwarf_Die *die, Dwarf_Die *parent, int level)
{
	Dwarf_Attribute attr;
	Dwarf_Die imported;
	int tag = dwarf_tag(die);

	if (search->want & DWARF_ENUMERATOR && tag == DW_TAG_enumeration_type)
		search_enum(search, die);
	if (search->stopped)
		return;
	if (tag == DW_TAG_namespace) {
		search_scope(search, die, level);
	} else if (tag == DW_TAG_imported_unit) {
		if (level < MAX_LEVEL && !search->all_units &&
		    dwarf_attr(die, DW_AT_import, &attr) && dwarf_formref_die(&attr, &imported))
			search_below(search, &imported, level + 1);
	} else if (kind_of(die) & search->want && is_named(die, search->name) &&
		   in_scope(search, NULL)) {
		search->stopped = !search->visit(die, parent, search->arg);
	}
	if (search->nr_scopes && !search->stopped &&
	    (tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type))
		search_scope(search, die, level);
}

static void search_below(struct search *search, Dwarf_Die *parent, int level)
{
	struct dwarf_walk walk = { 0 };
	Dwarf_Die child;

	for (bool more = dwarf_walk_first(&walk, parent, &child); more && !search->stopped;
	     more = dwarf_walk_next(&walk, &child))
		search_die(search, &child, parent, level);
	search->info->damaged |= walk.damaged;
}

// "dir/file.c" is "/src/dir/file.c", and "file.c" is both.
static bool is_from_file(Dwarf_Die *unit, const char *file)
{
	const char *its = dwarf_diename(unit);
	size_t n = its ? strlen(its) : 0, m = strlen(file);

	return m && n >= m && !strcmp(its + n - m, file) && (n == m || its[n - m - 1] == '/');
}

bool dwarf_has_file(struct dwarf_info *info, const char *file)
{
	struct dc_error *err = need_units(info);

	dc_error_destroy(err);
	for (size_t i = 0; i < info->nr_units; i++)
		if (is_from_file(&info->units[i].die, file))
			return true;
	return false;
}

static struct dc_error *find_in_units(struct search *search, const char *file)
{
	struct dwarf_info *info = search->info;
	struct dc_error *err = need_units(info);
	struct mention mention = { .is_everywhere = true };

	if (!err && search->name && !mention_init(&mention, search->name, info->dwarf, info->alt))
		err = &dc_out_of_memory;
	for (size_t i = 0; !err && i < info->nr_units && !search->stopped; i++) {
		struct unit *its = &info->units[i];

		if (file && !is_from_file(&its->die, file))
			continue;
		if (!its->start || mention_in(&mention, its->start, its->end, its->is_indexed))
			search_below(search, &its->die, 0);
	}
	mention_deinit(&mention);
	return err;
}

static struct search make_search(struct dwarf_info *info, const char *name, unsigned int want,
				 dwarf_visit *visit, void *arg)
{
	const char *simple = name ? dwarf_simple_name(name) : NULL;

	return (struct search){ .info = info,
				.name = simple,
				.scopes = name,
				.nr_scopes = name ? (size_t)(simple - name) : 0,
				.want = want,
				.visit = visit,
				.arg = arg };
}

struct dc_error *dwarf_find(struct dwarf_info *info, Dwarf_Die *unit, const char *name,
			    unsigned int want, dwarf_visit *visit, void *arg)
{
	struct search search = make_search(info, name, want, visit, arg);

	search.all_units = !unit;
	if (!unit)
		return find_in_units(&search, NULL);
	search_below(&search, unit, 0);
	return NULL;
}

struct dc_error *dwarf_find_in_file(struct dwarf_info *info, const char *file, const char *name,
				    unsigned int want, dwarf_visit *visit, void *arg)
{
	struct search search = make_search(info, name, want, visit, arg);

	return find_in_units(&search, file);
}

bool dwarf_is_damaged(const struct dwarf_info *info)
{
	return info->damaged;
}

bool dwarf_mentions(struct dwarf_info *info, const char *name)
{
	struct mention mention;
	bool found = true;

	name = dwarf_simple_name(name);
	// Compilers keep names this short out of the string section.
	if (strlen(name) < 4)
		return true;
	// Out of memory counts as a mention: that only costs a look.
	if (mention_init(&mention, name, info->dwarf, info->alt))
		found = mention.is_everywhere || mention.n > 0;
	mention_deinit(&mention);
	return found;
}

struct dc_error *dwarf_each(struct dwarf_info *info, unsigned int want, dwarf_visit *visit,
			    void *arg)
{
	return dwarf_find(info, NULL, NULL, want, visit, arg);
}
