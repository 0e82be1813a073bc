// SPDX-License-Identifier: MIT
// What the generated functions and the test that calls them share.
#ifndef TESTS_UNIT_ABI_CASES_H
#define TESTS_UNIT_ABI_CASES_H

#include "debugger/inject/classify.h"

enum { ABI_BYTES = 16384, ABI_ARGS = 24 };

// Each function stores its arguments here and returns what lies in abi_give.
extern unsigned char abi_got[ABI_ARGS][ABI_BYTES] __attribute__((aligned(64)));
extern unsigned char abi_give[ABI_BYTES] __attribute__((aligned(64)));

struct members {
	struct type_member *member;
	size_t n;
};
struct params {
	struct type_param *param;
	size_t n;
};

struct abi_case {
	const char *text;
	void *function;
	const struct type *type;
	size_t nr_args;
	const struct type **args;
	unsigned char **arg_masks; // the bits that carry the value
	unsigned char *result_mask;
};
struct abi_suite {
	const struct abi_case *cases;
	size_t n;
	void (*prepare)(void); // fills in the masks, and where bit-fields lie
};

static inline void or_bytes(unsigned char *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] |= ((const unsigned char *)from)[i];
}

// Finds a bit-field by the bits that are set in an object where it alone is all ones.
static inline void bit_field(const void *object, size_t size, struct type_member *ret)
{
	const unsigned char *bytes = object;

	for (size_t i = 0; i < size * 8; i++) {
		if (!(bytes[i / 8] >> i % 8 & 1))
			continue;
		if (!ret->bit_size) {
			ret->offset = i / 8;
			ret->bit_offset = i % 8;
		}
		ret->bit_size++;
	}
}

#endif
