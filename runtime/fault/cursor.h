// SPDX-License-Identifier: MIT
// Reads bytes, integers and LEB128 numbers without ever passing the end.
#ifndef RUNTIME_FAULT_CURSOR_H
#define RUNTIME_FAULT_CURSOR_H

#include "runtime/base/base.h"

struct cursor {
	const uint8_t *p, *end; // p is end after any read beyond it
};

static inline uint64_t take(struct cursor *c, unsigned n)
{
	uint64_t v = 0;

	if ((size_t)(c->end - c->p) < n) {
		c->p = c->end;
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)c->p[i] << (8 * i);
	c->p += n;
	return v;
}

static inline int64_t take_signed(struct cursor *c, unsigned n)
{
	unsigned shift = 64 - 8 * n;

	return (int64_t)(take(c, n) << shift) >> shift;
}

static inline uint64_t uleb(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; c->p < c->end; shift += 7) {
		uint8_t b = *c->p++;
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			break;
	}
	return v;
}

static inline int64_t sleb(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; c->p < c->end;) {
		uint8_t b = *c->p++;
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
		if (b & 0x80)
			continue;
		if (b & 0x40 && shift < 64)
			v |= ~0ull << shift;
		break;
	}
	return (int64_t)v;
}

#endif
