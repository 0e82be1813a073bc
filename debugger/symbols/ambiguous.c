// SPDX-License-Identifier: MIT
// A name that several files of one module have, each for itself: which one is meant is not guessed.
#include "debugger/symbols/set.h"

#include <dwarf.h>
#include <string.h>

enum { MAX_FILES = 8 };

struct files {
	const char *list[MAX_FILES];
	size_t n;
};

static bool take_file(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	struct files *files = arg;
	Dwarf_Die unit;
	const char *file;

	(void)parent;
	if (die_is_declaration(die) ||
	    !dwarf_cu_die(die->cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) ||
	    !(file = dwarf_diename(&unit)))
		return true;
	for (size_t i = 0; i < files->n; i++) {
		if (!strcmp(files->list[i], file))
			return true;
	}
	files->list[files->n++] = file;
	return files->n < MAX_FILES;
}

struct dc_error *symbols_ambiguous(struct loaded *loaded, enum want want, const char *what,
				   const char *name)
{
	struct files files = { .n = 0 };
	struct units *info = module_dwarf(loaded, EFFORT_DEBUG_FILE);
	struct dc_error *err = error_make(
		DC_VALUE, "\"%s\" is ambiguous: %s has more than one %s of that name", name,
		loaded->module.name, what);

	if (info)
		dc_error_destroy(units_find(info, NULL, name, want, take_file, &files));
	if (files.n == 1)
		return error_note(err, "overloads in %s cannot be told apart yet", files.list[0]);
	for (size_t i = 0; i < files.n; i++)
		err = error_note(err, "one is in %s", files.list[i]);
	return error_note(err, "choose a frame in the file that is meant (--frame)");
}
