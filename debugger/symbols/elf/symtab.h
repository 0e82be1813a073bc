// SPDX-License-Identifier: MIT
// The symbol tables of an ELF image: .symtab where the file has one, .dynsym always.
// Values are as in the file; the module's bias is the caller's to add.
#ifndef DEBUGGER_SYMBOLS_SYMTAB_H
#define DEBUGGER_SYMBOLS_SYMTAB_H

#include "debugger/symbols/elf/image.h"

struct symtab {
	const unsigned char *symbols; // Elf64_Sym, maybe unaligned
	size_t n;
	const char *strings; // ends in NUL
	size_t nr_strings;
	const unsigned char *versions; // .gnu.version, of .dynsym only
	const uint32_t *gnu_hash; // of .dynsym only
	size_t nr_gnu_hash; // words
	bool is_dynamic;
	bool is_made; // of what Go's runtime has, which knows functions alone
};

enum symbol_class {
	SYMBOL_CODE = 1, // STT_FUNC, STT_GNU_IFUNC, and untyped ones in code
	SYMBOL_DATA = 2, // STT_OBJECT, STT_COMMON, and untyped ones elsewhere
	SYMBOL_TLS = 4,
};

struct symbol {
	const char *name; // up to '@' it is the name
	uint64_t value, size;
	unsigned int class; // one of symbol_class
	bool is_global, is_ifunc, is_hidden; // hidden: not for other modules
	bool is_old_version; // foo@VER, not the default foo@@VER
	size_t index;
};

// false: there is no such table, or it is damaged.
bool symtab_load(const struct image *image, bool dynamic, struct symtab *ret);
// A defined symbol with a name; false for the others.
bool symtab_get(const struct symtab *symtab, const struct image *image, size_t i,
		struct symbol *ret);
// The best defined symbol of that name and of one of the classes: global before local, the default
// version before others. nr_locals counts the local ones of different addresses.
bool symtab_find(const struct symtab *symtab, const struct image *image, const char *name,
		 unsigned int classes, struct symbol *ret, size_t *nr_locals);
// The symbol that covers the value, or, unsized, the nearest below it. Linear.
bool symtab_at(const struct symtab *symtab, const struct image *image, uint64_t value,
	       unsigned int classes, struct symbol *ret);

#endif
