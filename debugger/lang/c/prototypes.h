// SPDX-License-Identifier: MIT
// Prototypes of the C library's functions, for libraries without debug information.
#ifndef DEBUGGER_LANG_C_PROTOTYPES_H
#define DEBUGGER_LANG_C_PROTOTYPES_H

#include "debugger/lang/c/parser.h"

// The type of a function that has no debug information, lies in a C library and is known by name;
// NULL: none.
const struct type *prototype_find(struct parser *parser, const struct function *function);
// The same of libc's data, where nothing else tells its type.
const struct type *prototype_of_data(struct parser *parser, const struct variable *variable);

#endif
