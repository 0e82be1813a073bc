// SPDX-License-Identifier: MIT
// What this machine's processors have, which the target's threads share.
#ifndef DEBUGGER_ARCH_X86_64_CPU_H
#define DEBUGGER_ARCH_X86_64_CPU_H

#include <stdbool.h>
#include <stdint.h>

enum cpu_vectors { CPU_SSE, CPU_AVX, CPU_AVX512 };

enum { CPU_COMPONENTS = 64 };
struct cpu_features {
	enum cpu_vectors vectors;
	bool has_shadow_stacks;
	bool has_steady_ticks; // the time stamp counter runs on at one rate, whatever the processor does
	// Each component of the extended state in the standard format (SDM volume 1, 13.4.3) that
	// ptrace and signal frames share: where it begins and ends; 0, 0: this machine has it not.
	uint32_t xstate_start[CPU_COMPONENTS], xstate_end[CPU_COMPONENTS];
};
// Asked once, before a thread is stopped: in a virtual machine each cpuid costs tens of
// microseconds.
const struct cpu_features *cpu_features(void);

static inline uint64_t cpu_ticks(void)
{
	return __builtin_ia32_rdtsc();
}

#endif
