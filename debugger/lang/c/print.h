// SPDX-License-Identifier: MIT
// Values as gdb prints them.
#ifndef DEBUGGER_LANG_C_PRINT_H
#define DEBUGGER_LANG_C_PRINT_H

#include "debugger/lang/expression.h"

// gdb's format letters: x d u o t z a c f s.
bool print_format_known(char letter);
// What value_print() promises.
struct dc_error *c_print(const struct environment *environment, const struct value *value,
			 char format, char **ret) DC_CHECK;

#endif
