// SPDX-License-Identifier: MIT
// A second process of ours that holds descriptors too, traces nobody, and outlives us: what the
// kernel takes long to close, as it does uprobes, then holds up no thread that we had stopped.
#ifndef DEBUGGER_TARGET_KEEPER_H
#define DEBUGGER_TARGET_KEEPER_H

#include "debugger/base/error.h"

struct keeper;
// shared: memory of a MAP_SHARED mapping, that it zeroes first of all once we are gone. It holds
// nothing else of what is open here, and ends as soon as it has closed all.
struct dc_error *keeper_create(void *shared, size_t size, struct keeper **ret) DC_CHECK;
// As if we had died. NULL is fine.
void keeper_destroy(struct keeper *keeper);
// number: below KEPT_MAX.
enum { KEPT_MAX = 1 << 16 };
struct dc_error *keeper_hold(struct keeper *keeper, unsigned number, int fd) DC_CHECK;
// Closed there, in its own time.
void keeper_drop(struct keeper *keeper, unsigned number);

#endif
