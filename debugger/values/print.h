// SPDX-License-Identifier: MIT
// Values as gdb prints them.
#ifndef DEBUGGER_VALUES_PRINT_H
#define DEBUGGER_VALUES_PRINT_H

#include "debugger/values/eval.h"

// gdb's format letters: x d u o t z a c f s.
bool print_format_known(char letter);
// format: one of them, or 0. *ret: one line, malloc'd; NULL for void. Strings behind char pointers
// are read through target (200 characters, then "..."; repeats of more than 10 as <repeats N
// times>).
struct dc_error *value_print(const struct value *value, char format, struct symbols *symbols,
			     const struct eval_target *target, char **ret) DC_CHECK;

#endif
