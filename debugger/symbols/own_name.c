// SPDX-License-Identifier: MIT
// Is a name the program's own affair? Then separate debug files of its libraries, which cost more
// to open than everything else together, need not be asked.
#include "debugger/symbols/set.h"

#include <string.h>

static bool take_any(Dwarf_Die *die, Dwarf_Die *parent, void *arg)
{
	(void)parent;
	*(bool *)arg = !die_is_declaration(die);
	return !*(bool *)arg;
}

bool symbols_is_own(struct symbols *symbols, const struct symbols_frame *frame, const char *name)
{
	static const char *const words[] = { "NULL", "true", "false", "nullptr" };
	bool found = false;

	// Headers define them, and so no debug information does.
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i], name))
			return true;
	}
	for (struct loaded *loaded = symbols->list; loaded && !found; loaded = loaded->next) {
		struct units *info = loaded->seen ? module_dwarf(loaded, EFFORT_OWN_FILE) : NULL;

		if (!info)
			continue;
		// Without a frame a name that the program mentions may be a local of the one to
		// come.
		if ((!frame || !frame->pc) && units_mention(info, name))
			return true;

		struct dc_error *err = units_find(info, NULL, name,
						  WANT_FUNCTION | WANT_VARIABLE | WANT_TYPEDEF |
							  WANT_ENUMERATOR,
						  take_any, &found);

		dc_error_destroy(err);
	}
	return found;
}
