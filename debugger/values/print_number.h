// SPDX-License-Identifier: MIT
// Numbers as text: all the digits that a format needs to be read back, NaNs with their payload.
#ifndef DEBUGGER_VALUES_PRINT_NUMBER_H
#define DEBUGGER_VALUES_PRINT_NUMBER_H

#include "debugger/symbols/type.h"

#include <stdio.h>

void print_float(FILE *out, enum type_float format, const unsigned char *bytes);
void print_integer(FILE *out, const struct type *type, const unsigned char *bytes);

#endif
