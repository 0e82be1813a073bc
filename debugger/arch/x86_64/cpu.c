// SPDX-License-Identifier: MIT
// The one place that runs CPUID.
#include "debugger/arch/x86_64/cpu.h"

#include <cpuid.h>
#include <pthread.h>

static enum cpu_vectors find_vectors(void)
{
	enum { OSXSAVE = 1 << 27, XCR0_AVX = 0x6, XCR0_AVX512 = 0xe6 };
	unsigned a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE) || !(c & bit_AVX))
		return CPU_SSE;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if ((low & XCR0_AVX) != XCR0_AVX)
		return CPU_SSE;
	if ((low & XCR0_AVX512) == XCR0_AVX512 && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
	    (b & bit_AVX512F))
		return CPU_AVX512;
	return CPU_AVX;
}

static bool find_steady_ticks(void)
{
	enum { LEAF_POWER = 0x80000007, INVARIANT_TSC = 1 << 8 };
	unsigned a, b, c, d;

	return __get_cpuid(LEAF_POWER, &a, &b, &c, &d) && (d & INVARIANT_TSC);
}

static bool find_shadow_stacks(void)
{
	enum { SHADOW_STACKS = 1 << 7 };
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & SHADOW_STACKS);
}

static struct cpu_features features;

static void find_features(void)
{
	enum { LEAF_XSAVE = 0xd };
	unsigned low, high, size, offset, c, d;

	features.vectors = find_vectors();
	features.has_shadow_stacks = find_shadow_stacks();
	features.has_steady_ticks = find_steady_ticks();
	if (!__get_cpuid_count(LEAF_XSAVE, 0, &low, &c, &d, &high))
		return;

	uint64_t present = (uint64_t)high << 32 | low;

	// In a virtual machine each of these instructions leaves it, so only what is there is asked
	// for.
	for (unsigned i = 2; i < CPU_COMPONENTS - 1; i++) {
		if (!(present >> i & 1))
			continue;
		__cpuid_count(LEAF_XSAVE, i, size, offset, c, d);
		features.xstate_start[i] = size ? offset : 0;
		features.xstate_end[i] = size ? offset + size : 0;
	}
}

const struct cpu_features *cpu_features(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_features);
	return &features;
}
