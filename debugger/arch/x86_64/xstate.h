// SPDX-License-Identifier: MIT
// NT_X86_XSTATE, the extended state as ptrace and signal frames share it: the legacy area, a header
// and components in the standard format (SDM volume 1, 13.4). Pure.
#ifndef DEBUGGER_ARCH_X86_64_XSTATE_H
#define DEBUGGER_ARCH_X86_64_XSTATE_H

#include "debugger/arch/x86_64/abi.h"

// Its size is the kernel's to say, whatever the CPU has: a buffer has XSTATE_ROOM bytes. The header
// begins with the bits of the components that are not in their initial state.
enum { XSTATE_ROOM = 65536, XSTATE_HEADER = 512, XSTATE_EXTENDED = 576 };
// The bits: XSTATE_BV.
enum {
	XSTATE_X87 = 0,
	XSTATE_SSE = 1,
	XSTATE_AVX = 2,
	XSTATE_OPMASK = 5,
	XSTATE_ZMM_HIGH = 6,
	XSTATE_ZMM_MORE = 7,
	XSTATE_PKRU = 9,
};
// Offsets in the legacy area of FXSAVE (SDM volume 1, table 10-2).
enum {
	FXSAVE_FCW = 0,
	FXSAVE_FSW = 2,
	FXSAVE_FOP = 6,
	FXSAVE_FIP = 8,
	FXSAVE_FDP = 16,
	FXSAVE_MXCSR = 24,
	FXSAVE_ST = 32,
	FXSAVE_XMM = 160,
	FXSAVE_SOFTWARE = 464, // free for software; in signal frames struct _fpx_sw_bytes
};
enum { MXCSR_FLAGS = 0x3f }; // the exceptions that were seen

uint64_t xstate_present(const unsigned char *xstate, size_t size); // XSTATE_BV
// What is written to a component in its initial state counts only once that is said.
void xstate_announce(unsigned char *xstate, size_t size, int component);
// End of the last component in use.
size_t xstate_in_use(const unsigned char *xstate, size_t size);

// The vector arguments of a callee. REFUSED when this machine has no registers so wide.
struct dc_error *xstate_put(unsigned char *xstate, size_t size,
			    const struct abi_entry *entry) DC_CHECK;
// The vector and x87 registers that may hold a result.
void xstate_take(const unsigned char *xstate, size_t size, struct abi_exit *ret);

#endif
