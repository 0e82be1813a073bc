// SPDX-License-Identifier: MIT
// A vector register lies in up to three pieces, each in a component of its own (SDM volume 1,
// 13.4).
#include "debugger/inject/xstate.h"

#include "debugger/target/registers.h"

#include <string.h>

enum { X87 = 0, SSE = 1, AVX = 2, ZMM_HIGH = 6, ST = 32, XMM = 160, STEP = 16, XMM_BYTES = 16 };
enum { YMM_BYTES = 32, ZMM_BYTES = 64, NR_LOW = 16 };

struct piece {
	unsigned component;
	size_t at; // of register 0
	size_t from, bytes; // of the register
};

// Pieces of the registers 0-15 that a width of vectors needs; 0 when this machine has none so wide.
static size_t pieces_for(unsigned width, size_t size, struct piece pieces[3])
{
	const struct cpu_features *cpu = registers_cpu();
	size_t n = 0;

	pieces[n++] = (struct piece){ SSE, XMM, 0, XMM_BYTES };
	if (width > XMM_BYTES)
		pieces[n++] = (struct piece){ AVX, XSTATE_EXTENDED, XMM_BYTES, XMM_BYTES };
	if (width > YMM_BYTES)
		pieces[n++] = (struct piece){ ZMM_HIGH,
					      cpu->xstate_end[ZMM_HIGH] -
						      (size_t)NR_LOW * YMM_BYTES,
					      YMM_BYTES, YMM_BYTES };
	for (size_t i = 1; i < n; i++) {
		uint32_t end = cpu->xstate_end[pieces[i].component];

		if (!end || end > size)
			return 0;
	}
	return n;
}

static uint64_t present(const unsigned char *xstate, size_t size)
{
	uint64_t bits = 1 << X87 | 1 << SSE;

	if (size >= XSTATE_HEADER + sizeof(bits))
		memcpy(&bits, xstate + XSTATE_HEADER, sizeof(bits));
	return bits;
}

struct dc_error *xstate_put(unsigned char *xstate, size_t size, const struct abi_entry *entry)
{
	struct piece pieces[3];
	size_t n = pieces_for(entry->vector_width, size, pieces);
	uint64_t bits = present(xstate, size);

	if (!entry->vector_width)
		return NULL;
	if (!n)
		return error_make(DC_REFUSED, "this machine has no vector registers of %u bytes",
				  entry->vector_width);
	for (size_t i = 0; i < n; i++) {
		const struct piece *piece = &pieces[i];

		for (size_t k = 0; k < ABI_VECTOR; k++)
			memcpy(xstate + piece->at + k * piece->bytes,
			       entry->vector[k] + piece->from, piece->bytes);
		bits |= UINT64_C(1) << piece->component;
	}
	if (size >= XSTATE_HEADER + sizeof(bits))
		memcpy(xstate + XSTATE_HEADER, &bits, sizeof(bits));
	return NULL;
}

void xstate_take(const unsigned char *xstate, size_t size, struct abi_exit *ret)
{
	struct piece pieces[3];
	uint64_t bits = present(xstate, size);
	size_t n = 0;

	// As wide as this machine is: parts that the CPU has in their initial state are zero.
	for (unsigned width = ZMM_BYTES; !n; width /= 2)
		n = pieces_for(width, size, pieces);
	memset(ret->vector, 0, sizeof(ret->vector));
	memset(ret->st, 0, sizeof(ret->st));
	for (size_t i = 0; i < n; i++) {
		const struct piece *piece = &pieces[i];

		for (size_t k = 0; k < 2 && (bits >> piece->component & 1); k++)
			memcpy(ret->vector[k] + piece->from, xstate + piece->at + k * piece->bytes,
			       piece->bytes);
	}
	for (size_t k = 0; k < 2 && (bits >> X87 & 1); k++)
		memcpy(ret->st[k], xstate + ST + k * STEP, sizeof(ret->st[k]));
}
