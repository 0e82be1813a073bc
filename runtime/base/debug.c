// SPDX-License-Identifier: MIT
// Reads GORTDEBUG.
#include "runtime/base/debug.h"

#include <stdlib.h>
#include <string.h>

struct gort__debug gort__debug = {
#define X(name, value) .name = value,
	GORT__DEBUG_VARS(X)
#undef X
};

static const struct {
	const char *name;
	int *value;
} vars[] = {
#define X(name, value) { #name, &gort__debug.name },
	GORT__DEBUG_VARS(X)
#undef X
};

void gort__debug_parse(void)
{
	const char *s = getenv("GORTDEBUG");

	while (s && *s) {
		size_t len = strcspn(s, ",");
		const char *eq = memchr(s, '=', len);
		size_t name = eq ? (size_t)(eq - s) : len;

		// Unknown names are ignored, as in GODEBUG: they may be of another version.
		for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++)
			if (strlen(vars[i].name) == name && !strncmp(vars[i].name, s, name))
				*vars[i].value = eq ? atoi(eq + 1) : 1;
		s += len;
		s += *s == ',';
	}
}
