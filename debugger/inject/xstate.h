// SPDX-License-Identifier: MIT
// Vector and x87 registers in an NT_X86_XSTATE image, for a host whose callee is entered directly.
// Pure but for the layout, which the CPU tells.
#ifndef DEBUGGER_INJECT_XSTATE_H
#define DEBUGGER_INJECT_XSTATE_H

#include "debugger/inject/abi.h"

// Argument registers as the entry wants them. REFUSED when this machine has no registers that wide.
struct dc_error *xstate_put(unsigned char *xstate, size_t size,
			    const struct abi_entry *entry) DC_CHECK;
// The vector and x87 parts of what a callee left.
void xstate_take(const unsigned char *xstate, size_t size, struct abi_exit *ret);

#endif
