// SPDX-License-Identifier: MIT
// The search for gadgets in a target's mapped text.
#ifndef DEBUGGER_TARGET_GADGETS_H
#define DEBUGGER_TARGET_GADGETS_H

#include "debugger/arch/x86_64/gadgets.h"
#include "debugger/target/maps.h"

// REFUSED when the target's text has not what is needed. What was found is kept with the process, and
// found again for as long as its bytes are where they were.
struct dc_error *gadgets_find(struct process *process, const struct maps *maps,
			      struct gadgets *ret) DC_CHECK;

// A process that was made as a copy of another has them where that one has.
void gadgets_inherit(struct process *process, const struct process *parent);

#endif
