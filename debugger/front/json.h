// SPDX-License-Identifier: MIT
// Texts of a target as JSON.
#ifndef DEBUGGER_FRONT_JSON_H
#define DEBUGGER_FRONT_JSON_H

#include <jansson.h>

// A target's bytes need not be UTF-8: those that are not become \xNN. NULL: out of memory.
json_t *json_text(const char *text);

#endif
