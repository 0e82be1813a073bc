// SPDX-License-Identifier: MIT
// A vector register lies in up to three pieces, each in a component of its own (SDM volume 1,
// 13.4).
#include "debugger/arch/x86_64/xstate.h"

#include "debugger/arch/x86_64/cpu.h"
#include "debugger/base/error.h"

#include <string.h>

enum { STEP = 16, XMM_BYTES = 16, YMM_BYTES = 32, ZMM_BYTES = 64 };

struct piece {
	unsigned component;
	size_t at; // of register 0
	size_t from, bytes; // of the register
};

// Pieces of the registers 0-15 that a width of vectors needs; 0 when this machine has none so wide.
static size_t pieces_for(unsigned width, size_t size, struct piece pieces[3])
{
	const struct cpu_features *cpu = cpu_features();
	size_t n = 0;

	pieces[n++] = (struct piece){ XSTATE_SSE, FXSAVE_XMM, 0, XMM_BYTES };
	if (width > XMM_BYTES)
		pieces[n++] = (struct piece){ XSTATE_AVX, cpu->xstate_start[XSTATE_AVX], XMM_BYTES,
					      XMM_BYTES };
	if (width > YMM_BYTES)
		pieces[n++] = (struct piece){ XSTATE_ZMM_HIGH, cpu->xstate_start[XSTATE_ZMM_HIGH],
					      YMM_BYTES, YMM_BYTES };
	for (size_t i = 1; i < n; i++) {
		uint32_t end = cpu->xstate_end[pieces[i].component];

		if (!end || end > size)
			return 0;
	}
	return n;
}

uint64_t xstate_present(const unsigned char *xstate, size_t size)
{
	uint64_t bits = 1 << XSTATE_X87 | 1 << XSTATE_SSE;

	if (size >= XSTATE_HEADER + sizeof(bits))
		memcpy(&bits, xstate + XSTATE_HEADER, sizeof(bits));
	return bits;
}

void xstate_announce(unsigned char *xstate, size_t size, int component)
{
	uint64_t bits = xstate_present(xstate, size) | UINT64_C(1) << component;

	if (size >= XSTATE_HEADER + sizeof(bits))
		memcpy(xstate + XSTATE_HEADER, &bits, sizeof(bits));
}

size_t xstate_in_use(const unsigned char *xstate, size_t size)
{
	const struct cpu_features *cpu = cpu_features();
	uint64_t bits = xstate_present(xstate, size);
	size_t end = XSTATE_EXTENDED;

	for (unsigned i = 2; i < CPU_COMPONENTS - 1; i++)
		if (bits >> i & 1 && cpu->xstate_end[i] > end)
			end = cpu->xstate_end[i];
	return end;
}

struct dc_error *xstate_put(unsigned char *xstate, size_t size, const struct abi_entry *entry)
{
	struct piece pieces[3];
	size_t n = pieces_for(entry->vector_width, size, pieces);

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
		xstate_announce(xstate, size, (int)piece->component);
	}
	return NULL;
}

void xstate_take(const unsigned char *xstate, size_t size, struct abi_exit *ret)
{
	struct piece pieces[3];
	uint64_t bits = xstate_present(xstate, size);
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
	for (size_t k = 0; k < 2 && (bits >> XSTATE_X87 & 1); k++)
		memcpy(ret->st[k], xstate + FXSAVE_ST + k * STEP, sizeof(ret->st[k]));
}
