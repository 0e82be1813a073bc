// SPDX-License-Identifier: MIT
// Memory of the target as it was read with a value whose object is gone: what the value pointed to
// is looked up here from then on, never in whatever lies there now.
#ifndef DEBUGGER_VALUES_KEEPSAKE_H
#define DEBUGGER_VALUES_KEEPSAKE_H

#include "debugger/base/error.h"

struct caller;

struct keepsake;
struct keepsake *keepsake_create(void); // NULL: out of memory
void keepsake_destroy(struct keepsake *keepsake); // NULL is fine
struct dc_error *keepsake_record(struct keepsake *keepsake, uint64_t addr, const void *bytes,
				 size_t n) DC_CHECK;
// Code VALUE: not all of it was read then.
struct dc_error *keepsake_read(const struct keepsake *keepsake, uint64_t addr, void *buf,
			       size_t n) DC_CHECK;
// A caller that reads it, and can do nothing else.
struct caller keepsake_caller(const struct keepsake *keepsake);

#endif
