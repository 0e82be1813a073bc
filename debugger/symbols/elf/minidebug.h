// SPDX-License-Identifier: MIT
// "Mini debug information": some distributions leave a compressed .symtab in stripped files.
#ifndef DEBUGGER_SYMBOLS_MINIDEBUG_H
#define DEBUGGER_SYMBOLS_MINIDEBUG_H

#include "debugger/symbols/elf/image.h"

// The file inside .gnu_debugdata; NULL: there is none, or it is damaged.
struct image *minidebug_open(const struct image *image);

#endif
