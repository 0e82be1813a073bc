// SPDX-License-Identifier: MIT
// Which units of a module mention a name, remembered: one name of an expression is looked for as a
// function, a variable, a type and more.
#ifndef DEBUGGER_SYMBOLS_MENTION_H
#define DEBUGGER_SYMBOLS_MENTION_H

#include "debugger/symbols/dwarf/units_inside.h"
#include "debugger/symbols/dwarf/unit_filter.h"

struct mention {
	char *name;
	struct unit_filter filter;
	uint32_t *units; // that mention it, as far as has been looked
	size_t n, room, nr_looked;
	unsigned users; // searches within searches
	uint64_t last; // use
	bool is_kept;
};

// NULL: out of memory. Each is given back.
struct mention *mention_take(struct units *info, const char *name);
void mention_release(struct mention *mention);
// The next unit from this one on, by its number; false: there is no more.
bool mention_next(struct units *info, struct mention *mention, size_t from, size_t *ret);
// When the module is done with.
void mention_forget_all(struct units *info);

static inline void cleanup_mention(struct mention **mention)
{
	if (*mention)
		mention_release(*mention);
}
#define _cleanup_mention_ __attribute__((cleanup(cleanup_mention)))

#endif
