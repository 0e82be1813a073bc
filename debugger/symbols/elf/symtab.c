// SPDX-License-Identifier: MIT
// Symbol tables: found by .gnu.hash where there is one, by a scan where there is none.
#include "debugger/symbols/elf/symtab.h"

#include <string.h>

static bool load_strings(const struct image *image, size_t section, struct symtab *ret)
{
	Elf_Scn *scn = elf_getscn(image->elf, section);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;

	// Without a NUL at the end a name could run out of the section.
	if (!data || !data->d_buf || !data->d_size ||
	    ((const char *)data->d_buf)[data->d_size - 1] != '\0')
		return false;
	ret->strings = data->d_buf;
	ret->nr_strings = data->d_size;
	return true;
}

bool symtab_load(const struct image *image, bool dynamic, struct symtab *ret)
{
	GElf_Shdr header;
	uint32_t want = dynamic ? SHT_DYNSYM : SHT_SYMTAB;

	memset(ret, 0, sizeof(*ret));
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(image->elf, scn));) {
		if (!gelf_getshdr(scn, &header) || header.sh_type != want)
			continue;

		Elf_Data *data = elf_getdata(scn, NULL);

		if (!data || !data->d_buf || !load_strings(image, header.sh_link, ret))
			return false;
		ret->symbols = data->d_buf;
		ret->n = data->d_size / sizeof(Elf64_Sym);
		ret->is_dynamic = dynamic;
		break;
	}
	if (!ret->symbols)
		return false;
	if (!dynamic)
		return true;

	Elf_Data *versions = image_section_data(image, ".gnu.version");
	Elf_Data *hash = image_section_data(image, ".gnu.hash");

	if (versions && versions->d_size / sizeof(Elf64_Half) >= ret->n)
		ret->versions = versions->d_buf;
	if (hash && !((uintptr_t)hash->d_buf & 3)) {
		ret->gnu_hash = hash->d_buf;
		ret->nr_gnu_hash = hash->d_size / 4;
	}
	return true;
}

static unsigned int class_of(const struct image *image, const Elf64_Sym *sym)
{
	switch (ELF64_ST_TYPE(sym->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC: return SYMBOL_CODE;
	case STT_OBJECT:
	case STT_COMMON: return SYMBOL_DATA;
	case STT_TLS: return SYMBOL_TLS;
	case STT_NOTYPE: {
		// Assembler labels: the section they lie in tells.
		GElf_Shdr header;
		Elf_Scn *scn = sym->st_shndx < SHN_LORESERVE ? elf_getscn(image->elf, sym->st_shndx)
							     : NULL;

		if (!scn || !gelf_getshdr(scn, &header))
			return SYMBOL_DATA;
		return header.sh_flags & SHF_EXECINSTR ? SYMBOL_CODE : SYMBOL_DATA;
	}
	default: return 0;
	}
}

bool symtab_get(const struct symtab *symtab, const struct image *image, size_t i,
		struct symbol *ret)
{
	Elf64_Sym sym;

	if (i >= symtab->n)
		return false;
	memcpy(&sym, symtab->symbols + i * sizeof(sym), sizeof(sym));
	if (sym.st_shndx == SHN_UNDEF || !sym.st_name || sym.st_name >= symtab->nr_strings)
		return false;
	ret->class = class_of(image, &sym);
	if (!ret->class || (sym.st_shndx == SHN_ABS && ret->class == SYMBOL_CODE))
		return false;
	ret->name = symtab->strings + sym.st_name;
	ret->value = sym.st_value;
	ret->size = sym.st_size;
	ret->is_global = ELF64_ST_BIND(sym.st_info) != STB_LOCAL;
	ret->is_ifunc = ELF64_ST_TYPE(sym.st_info) == STT_GNU_IFUNC;
	ret->is_hidden = ELF64_ST_VISIBILITY(sym.st_other) == STV_HIDDEN ||
			 ELF64_ST_VISIBILITY(sym.st_other) == STV_INTERNAL;
	ret->is_old_version = false;
	ret->index = i;
	if (symtab->versions) {
		Elf64_Half version;

		memcpy(&version, symtab->versions + i * sizeof(version), sizeof(version));
		ret->is_old_version = version & 0x8000;
	} else {
		// The linker writes foo@VER and foo@@VER into .symtab.
		const char *at = strchr(ret->name, '@');

		ret->is_old_version = at && at[1] != '@';
	}
	return true;
}

static bool name_matches(const char *symbol, const char *name, size_t length)
{
	return !strncmp(symbol, name, length) && (!symbol[length] || symbol[length] == '@');
}

struct best {
	struct symbol symbol;
	int rank; // 0: none yet
	size_t nr_locals;
};

static void consider(struct best *best, const struct symbol *symbol)
{
	int rank = symbol->is_global ? (symbol->is_old_version ? 2 : 3) : 1;

	// Two locals at one address are one function under two names of one unit.
	if (rank == 1 && !(best->rank == 1 && best->symbol.value == symbol->value))
		best->nr_locals++;
	if (rank > best->rank) {
		best->symbol = *symbol;
		best->rank = rank;
	}
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

// .gnu.hash: | nbuckets | symoffset | bloom_size | shift | bloom, 8 bytes each | buckets | chain |
// false: the table is damaged and a scan has to do.
static bool find_hashed(const struct symtab *symtab, const struct image *image, const char *name,
			unsigned int classes, struct best *best)
{
	const uint32_t *words = symtab->gnu_hash;
	uint64_t nr = symtab->nr_gnu_hash;

	if (nr < 4 || !words[0])
		return false;

	uint64_t buckets = 4 + (uint64_t)words[2] * 2, chain = buckets + words[0];
	uint32_t hash = gnu_hash(name), offset = words[1];

	if (chain > nr)
		return false;

	size_t length = strlen(name);

	for (uint64_t i = words[buckets + hash % words[0]]; i >= offset && i < symtab->n; i++) {
		struct symbol symbol;

		if (chain + i - offset >= nr)
			return false;

		uint32_t its = words[chain + i - offset];

		if ((its | 1) == (hash | 1) && symtab_get(symtab, image, i, &symbol) &&
		    symbol.class & classes && name_matches(symbol.name, name, length))
			consider(best, &symbol);
		if (its & 1)
			break;
	}
	return true;
}

bool symtab_find(const struct symtab *symtab, const struct image *image, const char *name,
		 unsigned int classes, struct symbol *ret, size_t *nr_locals)
{
	struct best best = { .rank = 0 };
	size_t length = strlen(name);

	if (!symtab->gnu_hash || !find_hashed(symtab, image, name, classes, &best)) {
		for (size_t i = 1; i < symtab->n; i++) {
			struct symbol symbol;
			Elf64_Word name_at;

			memcpy(&name_at, symtab->symbols + i * sizeof(Elf64_Sym), sizeof(name_at));
			if (name_at >= symtab->nr_strings || symtab->strings[name_at] != name[0] ||
			    !name_matches(symtab->strings + name_at, name, length))
				continue;
			if (symtab_get(symtab, image, i, &symbol) && symbol.class & classes)
				consider(&best, &symbol);
		}
	}
	if (!best.rank)
		return false;
	*ret = best.symbol;
	*nr_locals = best.nr_locals;
	return true;
}

// Of two names for one place: the exported one, then the one that was made for users (getpid, not
// __getpid).
static bool says_more(const struct symbol *a, const struct symbol *b)
{
	if (a->is_global != b->is_global)
		return a->is_global;
	return strspn(a->name, "_") < strspn(b->name, "_");
}

bool symtab_at(const struct symtab *symtab, const struct image *image, uint64_t value,
	       unsigned int classes, struct symbol *ret)
{
	struct symbol sized = { 0 }, label = { 0 };
	uint64_t last = 0; // where the last sized symbol below the value starts

	for (size_t i = 1; i < symtab->n; i++) {
		Elf64_Sym sym;
		struct symbol symbol;

		memcpy(&sym, symtab->symbols + i * sizeof(sym), sizeof(sym));
		if (sym.st_value > value || sym.st_shndx == SHN_UNDEF)
			continue;
		if (sym.st_size && sym.st_value > last)
			last = sym.st_value;

		struct symbol *best = sym.st_size ? &sized : &label;

		if ((sym.st_size && value - sym.st_value >= sym.st_size) ||
		    (best->name && sym.st_value < best->value) ||
		    !symtab_get(symtab, image, i, &symbol) || !(symbol.class & classes))
			continue;
		if (!best->name || symbol.value > best->value || says_more(&symbol, best))
			*best = symbol;
	}
	// A label tells nothing about what lies behind the next function.
	if (!sized.name && label.name && label.value >= last)
		sized = label;
	if (sized.name)
		*ret = sized;
	return sized.name != NULL;
}
