// SPDX-License-Identifier: MIT
// What the rooms of the printer share.
#ifndef DEBUGGER_LANG_C_PRINTER_H
#define DEBUGGER_LANG_C_PRINTER_H

#include "debugger/lang/c/basic.h"
#include "debugger/lang/expression.h"
#include "debugger/values/print_number.h"

#include <stdio.h>

enum { PRINT_ELEMENTS = 200, PRINT_REPEATS = 10, PRINT_DEPTH = 100 };

struct dialect;
// The object whose base classes are printed: a virtual one is shown once.
struct printed_whole {
	const unsigned char *bytes;
	uint64_t size;
	const struct type *shown[16];
	size_t nr_shown;
};

struct printer {
	const struct dialect *dialect;
	FILE *out;
	struct symbols *symbols;
	const struct caller *caller;
	char format; // 0: as the type says
	bool is_raw; // objects are shown by their members
	struct printed_whole whole;
	bool is_base; // what is printed next is a part of it
	uint64_t statics[16]; // where those are that have been printed: one may hold itself
	size_t nr_statics;
	unsigned depth; // of nested structs and arrays: a damaged type could contain itself
};

// addr: where the value lies in the target, 0 when it does not.
void print_value(struct printer *printer, const struct type *type, const unsigned char *bytes,
		 uint64_t addr);
// How a character type is written; NULL: it is not one. "" for char, "L", "u", "U".
const char *print_character_prefix(const struct type *type);
// 'c', with its prefix, escaped.
void print_character(struct printer *printer, const struct type *type, uint32_t c);
// "abc", 'x' <repeats 12 times>; n characters of the type. truncated: there was more.
void print_text(struct printer *printer, const struct type *type, const unsigned char *bytes,
		uint64_t n, bool truncated);
// The string that a pointer to characters points to.
void print_string_at(struct printer *printer, const struct type *type, uint64_t addr);
// "0x4010 <main+4>"
void print_address(struct printer *printer, uint64_t addr);
// gdb's format letters: x d u o t z a c f s, and r for members instead of what they mean.
bool print_format_known(char letter);
// Numbers in the printer's format.
bool print_format_applies(const struct printer *printer, const struct type *type);
void print_formatted(struct printer *printer, const struct type *type, const unsigned char *bytes);

#endif
