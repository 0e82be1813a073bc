// SPDX-License-Identifier: MIT
// What a function was passed, as the call that it was entered by tells: callers keep what they put
// into registers for longer than callees do.
#ifndef DEBUGGER_SYMBOLS_CALL_SITE_H
#define DEBUGGER_SYMBOLS_CALL_SITE_H

#include "debugger/symbols/dwarf/location.h"

// The register's value when the frame's function was entered. NULL: *ret has it; else why not.
const char *call_site_value(const struct location_frame *where, uint64_t reg, uint64_t *ret);

#endif
