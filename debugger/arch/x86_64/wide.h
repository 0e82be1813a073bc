// SPDX-License-Identifier: MIT
// Vectors of 32 and 64 bytes travel in registers only between functions that are compiled for AVX
// and AVX-512; compiled without, the same prototype means memory. Only the callee's code tells.
#ifndef DEBUGGER_ARCH_X86_64_WIDE_H
#define DEBUGGER_ARCH_X86_64_WIDE_H

#include "debugger/arch/x86_64/abi.h"

enum { ABI_WIDE_CODE = 4096 }; // bytes of the callee that are worth having

// code: n bytes of the callee from its first on. REFUSED when they do not show that it takes and
// gives vectors of entry->vector_width bytes in registers. name may be NULL.
struct dc_error *wide_check(const struct abi_entry *entry, const unsigned char *code, size_t n,
			    const char *name) DC_CHECK;

#endif
