// SPDX-License-Identifier: MIT
// Searching units for a name without reading their DIEs: at memory speed, and exact in one
// direction: a unit that is passed over does not have the name.
#include "debugger/symbols/dwarf/unit_filter.h"

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

static bool add_references(struct unit_filter *mention, Dwarf *dwarf)
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

bool unit_filter_init(struct unit_filter *mention, const char *name, Dwarf *dwarf, Dwarf *alt)
{
	*mention = (struct unit_filter){ .name = name, .length = strlen(name) + 1 };
	return add_references(mention, dwarf) && (!alt || add_references(mention, alt));
}

void unit_filter_deinit(struct unit_filter *mention)
{
	free(mention->references);
}

static uint32_t word_at(const void *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

// Whether any of the words may stand at one of the sixteen places from at on. Four overlapping
// comparisons cover them all; memory is read once, whatever the number of words.
static bool block_has(const unsigned char *at, const __m128i *words, size_t n)
{
	__m128i hits = _mm_setzero_si128();

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(at + i));

		for (size_t w = 0; w < n; w++)
			hits = _mm_or_si128(hits, _mm_cmpeq_epi32(bytes, words[w]));
	}
	return _mm_movemask_epi8(hits);
}

static bool stands_at(const struct unit_filter *mention, const unsigned char *at,
		      const unsigned char *end)
{
	uint32_t word = word_at(at);

	for (size_t i = 0; i < mention->n; i++) {
		if (word == mention->references[i])
			return true;
	}
	// Compilers write short names into the DIE itself.
	return (size_t)(end - at) >= mention->length && !memcmp(at, mention->name, mention->length);
}

bool unit_filter_in(const struct unit_filter *mention, const unsigned char *start,
		    const unsigned char *end, bool indexed)
{
	enum { BLOCK = 16, SLACK = 3 };
	__m128i words[MAX_REFERENCES + 1];
	size_t n = mention->n;

	if (mention->is_everywhere || (indexed && mention->n))
		return true;
	for (size_t i = 0; i < n; i++)
		words[i] = _mm_set1_epi32((int)mention->references[i]);
	// Names of one or two letters have no four bytes of their own to compare.
	if (mention->length >= sizeof(uint32_t))
		words[n++] = _mm_set1_epi32((int)word_at(mention->name));
	else if (memmem(start, (size_t)(end - start), mention->name, mention->length))
		return true;
	for (; end - start >= BLOCK + SLACK; start += BLOCK) {
		if (!block_has(start, words, n))
			continue;
		for (int i = 0; i < BLOCK; i++) {
			if (stands_at(mention, start + i, end))
				return true;
		}
	}
	for (; end - start >= (ptrdiff_t)sizeof(uint32_t); start++) {
		if (stands_at(mention, start, end))
			return true;
	}
	return false;
}
