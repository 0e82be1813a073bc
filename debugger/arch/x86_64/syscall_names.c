// SPDX-License-Identifier: MIT
// The table is made from the headers when this is built.
#include "debugger/arch/x86_64/syscall_names.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#include "debugger/arch/x86_64/syscall_names.inc"
};
enum { NAMES = sizeof(names) / sizeof(*names) };

const char *syscall_name(long nr)
{
	return nr >= 0 && nr < NAMES ? names[nr] : NULL;
}

long syscall_number(const char *name)
{
	char *end;
	long nr = strtol(name, &end, 10);

	if (isdigit((unsigned char)*name))
		return *end ? -1 : nr;
	for (nr = 0; nr < NAMES; nr++) {
		if (names[nr] && !strcmp(names[nr], name))
			return nr;
	}
	return -1;
}
