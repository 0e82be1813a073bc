// SPDX-License-Identifier: MIT
// The names that $name means a register by, as gdb has them.
#ifndef DEBUGGER_VALUES_REGISTERS_H
#define DEBUGGER_VALUES_REGISTERS_H

#include <stdbool.h>

bool register_known(const char *name);

#endif
