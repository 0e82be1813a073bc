// SPDX-License-Identifier: MIT
// Macros of system headers by name: O_CREAT, SIGTERM, EINVAL, RTLD_NOW.
#ifndef DEBUGGER_LANG_C_CONSTANTS_H
#define DEBUGGER_LANG_C_CONSTANTS_H

#include <stdbool.h>
#include <stdint.h>

// false: it is none of them.
bool constant_find(const char *name, int64_t *ret);

#endif
