// SPDX-License-Identifier: MIT
// Go's table of functions, which its linker leaves in every program, stripped or not: their names,
// and files and lines of their code. Everything is bounded by the table's size.
#ifndef DEBUGGER_SYMBOLS_PCLNTAB_H
#define DEBUGGER_SYMBOLS_PCLNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pclntab {
	const unsigned char *bytes; // not ours
	size_t size;
	bool is_120; // as since Go 1.20; else as in 1.18 and 1.19
	uint64_t text; // that its addresses count from; 0: not said, and the reader's to set
	uint64_t n; // functions
	uint64_t names, units, files, values, functions; // where its parts begin
};
enum { PCLNTAB_TEXT = 24 }; // where text stands in it

// NULL: it can be read. Else why not, with *ret empty.
const char *pclntab_open(const void *bytes, size_t size, struct pclntab *ret);
// Whether one may begin with these bytes, of whatever version.
bool pclntab_begins(const void *bytes, size_t size);

struct pclntab_function {
	uint64_t start, end; // text added
	const char *name;
	uint32_t name_at; // from names on
	uint64_t at; // its description
	uint32_t
		frame; // bytes that its caller has for arguments, results, and registers to be spilled
};
bool pclntab_get(const struct pclntab *table, uint64_t i, struct pclntab_function *ret);
// The one that covers the address.
bool pclntab_at(const struct pclntab *table, uint64_t addr, struct pclntab_function *ret);
// NULL: not known.
const char *pclntab_file(const struct pclntab *table, const struct pclntab_function *function,
			 uint64_t addr);
int pclntab_line(const struct pclntab *table, const struct pclntab_function *function,
		 uint64_t addr); // 0: not known
// Bytes on the stack between its pointer and the return address; -1: not known.
int32_t pclntab_depth(const struct pclntab *table, const struct pclntab_function *function,
		      uint64_t addr);

#endif
