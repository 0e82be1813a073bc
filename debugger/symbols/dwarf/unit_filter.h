// SPDX-License-Identifier: MIT
// Which units of a module's DWARF mention a name at all. A unit that does not contain the name's
// bytes, nor a reference to them in .debug_str, cannot define it and need not be walked.
#ifndef DEBUGGER_SYMBOLS_UNIT_FILTER_H
#define DEBUGGER_SYMBOLS_UNIT_FILTER_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unit_filter {
	const char *name; // the caller's
	size_t length; // with its NUL
	uint32_t *references; // where it stands in the string sections
	size_t n;
	bool is_everywhere; // too many places to tell units apart
};

// false: out of memory. alt may be NULL.
bool unit_filter_init(struct unit_filter *mention, const char *name, Dwarf *dwarf, Dwarf *alt);
void unit_filter_deinit(struct unit_filter *mention);
// start to end: the unit's bytes. indexed: it refers to strings by number (DW_FORM_strx).
bool unit_filter_in(const struct unit_filter *mention, const unsigned char *start,
		    const unsigned char *end, bool indexed);

#endif
