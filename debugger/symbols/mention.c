// SPDX-License-Identifier: MIT
// Searching units for a name without reading their DIEs: at memory speed, and exact in one direction:
// a unit that is passed over does not have the name.
#include "debugger/symbols/mention.h"

#include <emmintrin.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

// A short name ends many longer ones, and linkers let strings share their tails.
enum { MAX_REFERENCES = 64 };

static bool string_section(Dwarf *dwarf, const char **ret, size_t *size)
{
	Elf *elf = dwarf_getelf(dwarf);
	size_t first, names;

	// The section as libdw holds it, decompressed.
	*ret = dwarf_getstring(dwarf, 0, &first);
	if (!*ret || elf_getshdrstrndx(elf, &names))
		return false;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr header;
		const char *name;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS ||
		    !(name = elf_strptr(elf, names, header.sh_name)) ||
		    (strcmp(name, ".debug_str") && strcmp(name, ".zdebug_str")) ||
		    !(data = elf_rawdata(scn, NULL)))
			continue;
		*size = data->d_size;
		// Another buffer than libdw's: its length says nothing about libdw's.
		return data->d_buf == *ret;
	}
	return false;
}

static bool add_references(struct mention *mention, Dwarf *dwarf)
{
	const char *strings, *at;
	size_t size;

	if (!string_section(dwarf, &strings, &size)) {
		mention->is_everywhere = true;
		return true;
	}
	for (at = strings;
	     (at = memmem(at, size - (size_t)(at - strings), mention->name, mention->length));
	     at++) {
		if (mention->n == MAX_REFERENCES) {
			mention->is_everywhere = true;
			return true;
		}
		if (!mention->references) {
			mention->references = malloc(MAX_REFERENCES * sizeof(uint32_t));
			if (!mention->references)
				return false;
		}
		mention->references[mention->n++] = (uint32_t)(at - strings);
	}
	return true;
}

bool mention_init(struct mention *mention, const char *name, Dwarf *dwarf, Dwarf *alt)
{
	*mention = (struct mention){ .name = name, .length = strlen(name) + 1 };
	return add_references(mention, dwarf) && (!alt || add_references(mention, alt));
}

void mention_deinit(struct mention *mention)
{
	free(mention->references);
}

// The four bytes at any alignment: four overlapping comparisons cover sixteen places.
static bool has_word(const unsigned char *start, const unsigned char *end, uint32_t word)
{
	__m128i wanted = _mm_set1_epi32((int)word);

	for (; end - start >= 32; start += 16) {
		__m128i hits = _mm_setzero_si128();

		for (int i = 0; i < 4; i++) {
			__m128i bytes = _mm_loadu_si128((const __m128i *)(start + i));

			hits = _mm_or_si128(hits, _mm_cmpeq_epi32(bytes, wanted));
		}
		if (_mm_movemask_epi8(hits))
			return true;
	}
	return end - start >= 4 && memmem(start, (size_t)(end - start), &word, sizeof(word));
}

bool mention_in(const struct mention *mention, const unsigned char *start, const unsigned char *end,
		bool indexed)
{
	if (mention->is_everywhere || (indexed && mention->n))
		return true;
	// Compilers write short names into the DIE itself.
	if (memmem(start, (size_t)(end - start), mention->name, mention->length))
		return true;
	for (size_t i = 0; i < mention->n; i++) {
		if (has_word(start, end, mention->references[i]))
			return true;
	}
	return false;
}
