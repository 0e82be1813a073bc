// SPDX-License-Identifier: MIT
// What a stack of tests/targets/movers must look like: its last function follows from all the
// others, so that frames of two moments do not go together.
#ifndef TESTS_TARGETS_MOVERS_H
#define TESTS_TARGETS_MOVERS_H

#include <stdint.h>

enum { MOVERS_WAYS = 8, MOVERS_LEAVES = 16, MOVERS_DEPTH = 12 };

static inline unsigned movers_leaf(const unsigned char *chain, unsigned n)
{
	uint32_t hash = 2166136261u;

	for (unsigned i = 0; i < n; i++)
		hash = (hash ^ chain[i]) * 16777619u;
	return (hash ^ hash >> 15) % MOVERS_LEAVES;
}

#endif
