// SPDX-License-Identifier: MIT
// The one table of registers.
#include "debugger/arch/x86_64/registers.h"

#include "debugger/arch/x86_64/cpu.h"
#include "debugger/arch/x86_64/xstate.h"

#include <stdlib.h>
#include <string.h>

void registers_to_dwarf(const struct user_regs_struct *regs, uint64_t ret[REGISTERS_DWARF])
{
	const uint64_t values[REGISTERS_DWARF] = {
		regs->rax, regs->rdx, regs->rcx, regs->rbx, regs->rsi, regs->rdi,
		regs->rbp, regs->rsp, regs->r8,	 regs->r9,  regs->r10, regs->r11,
		regs->r12, regs->r13, regs->r14, regs->r15, regs->rip,
	};

	memcpy(ret, values, sizeof(values));
}

// name, name of its low 32, 16 and 8 bits, DWARF number, field
#define GENERAL(X)                                \
	X("rax", "eax", "ax", "al", 0, rax)       \
	X("rbx", "ebx", "bx", "bl", 3, rbx)       \
	X("rcx", "ecx", "cx", "cl", 2, rcx)       \
	X("rdx", "edx", "dx", "dl", 1, rdx)       \
	X("rsi", "esi", "si", "sil", 4, rsi)      \
	X("rdi", "edi", "di", "dil", 5, rdi)      \
	X("r8", "r8d", "r8w", "r8l", 8, r8)       \
	X("r9", "r9d", "r9w", "r9l", 9, r9)       \
	X("r10", "r10d", "r10w", "r10l", 10, r10) \
	X("r11", "r11d", "r11w", "r11l", 11, r11) \
	X("r12", "r12d", "r12w", "r12l", 12, r12) \
	X("r13", "r13d", "r13w", "r13l", 13, r13) \
	X("r14", "r14d", "r14w", "r14l", 14, r14) \
	X("r15", "r15d", "r15w", "r15l", 15, r15)

// name, second name, DWARF number, field, bytes, type, code pointer, data pointer
#define OTHERS(X)                                                     \
	X("rip", "pc", 16, rip, 8, "long", true, false)               \
	X("rsp", "sp", 7, rsp, 8, "long", false, true)                \
	X("rbp", "fp", 6, rbp, 8, "long", false, true)                \
	X("ebp", "ebp", 6, rbp, 4, "int", false, false)               \
	X("bp", "bp", 6, rbp, 2, "short", false, false)               \
	X("bpl", "bpl", 6, rbp, 1, "short", false, false)             \
	X("esp", "esp", 7, rsp, 4, "int", false, false)               \
	X("spl", "spl", 7, rsp, 1, "short", false, false)             \
	X("eflags", "eflags", -1, eflags, 4, "int", false, false)     \
	X("cs", "cs", -1, cs, 4, "int", false, false)                 \
	X("ss", "ss", -1, ss, 4, "int", false, false)                 \
	X("ds", "ds", -1, ds, 4, "int", false, false)                 \
	X("es", "es", -1, es, 4, "int", false, false)                 \
	X("fs", "fs", -1, fs, 4, "int", false, false)                 \
	X("gs", "gs", -1, gs, 4, "int", false, false)                 \
	X("fs_base", "fs_base", -1, fs_base, 8, "long", false, false) \
	X("gs_base", "gs_base", -1, gs_base, 8, "long", false, false) \
	X("orig_rax", "orig_rax", -1, orig_rax, 8, "long", false, false)

static bool find_general(const char *name, struct register_place *ret)
{
	static const struct {
		const char *names[4];
		int dwarf;
		size_t offset;
	} rows[] = {
#define X(name, low32, low16, low8, dwarf, field) \
	{ { name, low32, low16, low8 }, dwarf, offsetof(struct user_regs_struct, field) },
		GENERAL(X)
#undef X
	};
	static const struct {
		const char *names[2];
		int dwarf;
		size_t offset, size;
		const char *spelling;
		bool is_code, is_data;
	} others[] = {
#define X(name, second, dwarf, field, size, spelling, code, data) \
	{ { name, second },                                       \
	  dwarf,                                                  \
	  offsetof(struct user_regs_struct, field),               \
	  size,                                                   \
	  spelling,                                               \
	  code,                                                   \
	  data },
		OTHERS(X)
#undef X
	};
	static const size_t sizes[] = { 8, 4, 2, 1 };
	// gdb shows bytes as numbers, which C's char types are not shown as: a short holds them.
	static const char *const spellings[] = { "long", "int", "short", "short" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t k = 0; k < 4; k++) {
			if (strcmp(name, rows[i].names[k]))
				continue;
			*ret = (struct register_place){ .offset = rows[i].offset,
							.size = sizes[k],
							.dwarf = rows[i].dwarf,
							.spelling = spellings[k] };
			return true;
		}
		// ah bh ch dh: the second byte of the first four
		if (i < 4 && name[0] == rows[i].names[3][0] && !strcmp(name + 1, "h")) {
			*ret = (struct register_place){ .offset = rows[i].offset + 1,
							.size = 1,
							.dwarf = -1,
							.spelling = "short" };
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strcmp(name, others[i].names[0]) && strcmp(name, others[i].names[1]))
			continue;
		*ret = (struct register_place){ .offset = others[i].offset,
						.size = others[i].size,
						.dwarf = others[i].dwarf,
						.spelling = others[i].spelling,
						.is_code = others[i].is_code,
						.is_data = others[i].is_data };
		return true;
	}
	return false;
}

// "xmm15" with prefix "xmm" and 16 gives 15; -1 when it is another name.
static int numbered(const char *name, const char *prefix, int count)
{
	size_t n = strlen(prefix);
	char *end;

	if (strncmp(name, prefix, n) || name[n] < '0' || name[n] > '9' ||
	    (name[n] == '0' && name[n + 1]))
		return -1;
	long number = strtol(name + n, &end, 10);
	return *end || number >= count ? -1 : (int)number;
}

// Where a component of the extended state begins; where this machine has none, the register is
// marked absent.
static size_t start_of(int component, struct register_place *place)
{
	uint32_t start = cpu_features()->xstate_start[component];

	place->is_absent |= !start;
	return start;
}

static bool find_vector(const char *name, struct register_place *ret)
{
	int width = 16, i = numbered(name, "xmm", 32);

	if (i < 0) {
		width = 32;
		i = numbered(name, "ymm", 32);
	}
	if (i < 0) {
		width = 64;
		i = numbered(name, "zmm", 32);
	}
	if (i < 0)
		return false;
	*ret = (struct register_place){
		.in_xstate = true, .dwarf = -1, .spelling = "float", .lanes = (unsigned)width / 4
	};
	if (i >= 16) {
		ret->component = XSTATE_ZMM_MORE;
		ret->offset = start_of(XSTATE_ZMM_MORE, ret) + 64 * (size_t)(i - 16);
		ret->size = (size_t)width;
		return true;
	}
	ret->component = XSTATE_SSE;
	ret->offset = FXSAVE_XMM + 16 * (size_t)i;
	ret->size = 16;
	if (width > 16) {
		ret->upper[0].offset = start_of(XSTATE_AVX, ret) + 16 * (size_t)i;
		ret->upper[0].size = 16;
		ret->upper[0].component = XSTATE_AVX;
	}
	if (width > 32) {
		ret->upper[1].offset = start_of(XSTATE_ZMM_HIGH, ret) + 32 * (size_t)i;
		ret->upper[1].size = 32;
		ret->upper[1].component = XSTATE_ZMM_HIGH;
	}
	return true;
}

static bool find_xstate(const char *name, struct register_place *ret)
{
	*ret = (struct register_place){ .in_xstate = true, .dwarf = -1 };
	int i = numbered(name, "st", 8);

	if (i >= 0) {
		ret->offset = FXSAVE_ST + 16 * (size_t)i;
		ret->size = 10;
		ret->spelling = "long double";
		ret->component = XSTATE_X87;
		return true;
	}
	i = numbered(name, "k", 8);
	if (i >= 0) {
		ret->offset = start_of(XSTATE_OPMASK, ret) + 8 * (size_t)i;
		ret->size = 8;
		ret->spelling = "unsigned long";
		ret->component = XSTATE_OPMASK;
		return true;
	}
	static const struct {
		const char *name;
		size_t offset, size;
		const char *spelling;
		int component;
	} controls[] = {
		{ "mxcsr", FXSAVE_MXCSR, 4, "int", XSTATE_SSE },
		{ "fctrl", FXSAVE_FCW, 2, "unsigned short", XSTATE_X87 },
		{ "fstat", FXSAVE_FSW, 2, "unsigned short", XSTATE_X87 },
		{ "ftag", 0, 0, NULL, XSTATE_X87 }, // kept in another form than gdb's
		{ "fop", FXSAVE_FOP, 2, "unsigned short", XSTATE_X87 },
		{ "fioff", FXSAVE_FIP, 4, "int", XSTATE_X87 },
		{ "fiseg", FXSAVE_FIP + 4, 2, "unsigned short", XSTATE_X87 },
		{ "fooff", FXSAVE_FDP, 4, "int", XSTATE_X87 },
		{ "foseg", FXSAVE_FDP + 4, 2, "unsigned short", XSTATE_X87 },
	};
	for (size_t k = 0; k < sizeof(controls) / sizeof(*controls); k++) {
		if (strcmp(name, controls[k].name))
			continue;
		ret->offset = controls[k].offset;
		ret->size = controls[k].size;
		ret->spelling = controls[k].spelling;
		ret->is_absent = !ret->size;
		ret->component = controls[k].component;
		return true;
	}
	return find_vector(name, ret);
}

bool register_find(const char *name, struct register_place *ret)
{
	return find_general(name, ret) || find_xstate(name, ret);
}

// The pieces of a register, lowest first; piece 0 is the place itself.
static bool piece(const struct register_place *place, size_t i, size_t *offset, size_t *size,
		  int *component)
{
	if (i > 2 || (i && !place->upper[i - 1].size))
		return false;
	*offset = i ? place->upper[i - 1].offset : place->offset;
	*size = i ? place->upper[i - 1].size : place->size;
	*component = i ? place->upper[i - 1].component : place->component;
	return true;
}

bool register_get(const struct register_place *place, const struct user_regs_struct *regs,
		  const unsigned char *xstate, size_t n, unsigned char *bytes)
{
	size_t offset, size;
	int component;

	if (place->is_absent)
		return false;
	if (!place->in_xstate) {
		memcpy(bytes, (const unsigned char *)regs + place->offset, place->size);
		return true;
	}
	for (size_t i = 0; piece(place, i, &offset, &size, &component); i++) {
		if (offset + size > n)
			return false;
		memcpy(bytes, xstate + offset, size);
		bytes += size;
	}
	return true;
}

bool register_put(const struct register_place *place, struct user_regs_struct *regs,
		  unsigned char *xstate, size_t n, const unsigned char *bytes)
{
	size_t offset, size;
	int component;

	if (place->is_absent)
		return false;
	if (!place->in_xstate) {
		memcpy((unsigned char *)regs + place->offset, bytes, place->size);
		return true;
	}
	for (size_t i = 0; piece(place, i, &offset, &size, &component); i++) {
		if (offset + size > n || n < XSTATE_EXTENDED)
			return false;
		memcpy(xstate + offset, bytes, size);
		xstate_announce(xstate, n, component);
		bytes += size;
	}
	return true;
}
