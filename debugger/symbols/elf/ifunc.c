// SPDX-License-Identifier: MIT
// What an IFUNC resolved to, read from a GOT slot that the dynamic linker has bound already.
#include "debugger/symbols/set.h"
#include "debugger/target/memory.h"

#include <string.h>

struct slots {
	struct symbols *symbols;
	struct loaded *loaded; // whose relocations
	const struct function *function;
	struct loaded *owner; // of the function
	uint64_t target;
};

// An unbound slot leads back to the module's own PLT.
static bool in_plt(const struct loaded *loaded, uint64_t addr)
{
	uint64_t value = addr - loaded->module.bias;
	size_t strings;

	if (elf_getshdrstrndx(loaded->image->elf, &strings))
		return true;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(loaded->image->elf, scn));) {
		GElf_Shdr header;
		const char *name;

		if (gelf_getshdr(scn, &header) && value >= header.sh_addr &&
		    value - header.sh_addr < header.sh_size && header.sh_flags & SHF_ALLOC &&
		    (name = elf_strptr(loaded->image->elf, strings, header.sh_name)))
			return !strncmp(name, ".plt", 4) || !strncmp(name, ".iplt", 5);
	}
	return false;
}

static bool names_function(const struct slots *slots, const GElf_Rela *rela)
{
	const struct symtab *table = &slots->loaded->dynsym;
	size_t i = GELF_R_SYM(rela->r_info);
	Elf64_Sym sym;

	switch (GELF_R_TYPE(rela->r_info)) {
	case R_X86_64_IRELATIVE:
		return slots->loaded == slots->owner &&
		       (uint64_t)rela->r_addend + slots->owner->module.bias ==
			       slots->function->addr;
	case R_X86_64_JUMP_SLOT:
	case R_X86_64_GLOB_DAT:
		if (i >= table->n)
			return false;
		memcpy(&sym, table->symbols + i * sizeof(sym), sizeof(sym));
		return sym.st_name < table->nr_strings &&
		       !strcmp(table->strings + sym.st_name, slots->function->name);
	default: return false;
	}
}

static bool try_slot(struct slots *slots, uint64_t slot)
{
	uint64_t value;
	struct dc_error *err = memory_read(slots->symbols->process, slot, &value, sizeof(value));

	if (err) {
		dc_error_destroy(err);
		return false;
	}
	// Elsewhere it is another library's function of that name, or not yet anything.
	if (!module_contains(slots->owner, value) || value == slots->function->addr ||
	    in_plt(slots->owner, value))
		return false;
	slots->target = value;
	return true;
}

static bool search_module(struct slots *slots)
{
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(slots->loaded->image->elf, scn));) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &header) || header.sh_type != SHT_RELA ||
		    !(header.sh_flags & SHF_ALLOC) || !(data = elf_getdata(scn, NULL)))
			continue;

		int n = (int)(data->d_size / sizeof(Elf64_Rela));

		for (int i = 0; i < n; i++) {
			GElf_Rela rela;

			if (gelf_getrela(data, i, &rela) && names_function(slots, &rela) &&
			    try_slot(slots, slots->loaded->module.bias + rela.r_offset))
				return true;
		}
	}
	return false;
}

uint64_t symbols_bound_ifunc(struct symbols *symbols, const struct function *function)
{
	struct slots slots = { .symbols = symbols,
			       .function = function,
			       .owner = loaded_of(function->module) };

	for (struct loaded *loaded = symbols->list; loaded; loaded = loaded->next) {
		if (!loaded->seen || !loaded->image)
			continue;
		module_need_tables(loaded);
		slots.loaded = loaded;
		if (search_module(&slots))
			return slots.target;
	}
	return 0;
}
