// SPDX-License-Identifier: MIT
// Registers by gdb's names: $rax, $al, $eflags, $rip, $xmm0, $st0, $mxcsr … of the borrowed thread.
#include "debugger/session/session.h"

#include <cpuid.h>
#include <stddef.h>
#include <string.h>

// Where a register's bytes are.
struct place {
	enum { PLACE_GENERAL, PLACE_XSTATE } area;
	size_t offset; // in struct user_regs_struct or in the XSTATE image
	size_t size;
	int dwarf; // psABI number, -1: none, so not known in outer frames
	const char *spelling; // of the basic type
	unsigned lanes; // > 0: a vector of so many of it
	int component; // XSTATE: the feature bit that must be set once it is written
	bool is_code, is_data; // a pointer: shown with what it points at
	// A vector register that is kept in parts (xmm, ymm's and zmm's upper halves).
	struct {
		size_t offset, size;
		int component;
	} upper[2];
};

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

static bool find_general(const char *name, struct place *ret)
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
			*ret = (struct place){ .offset = rows[i].offset,
					       .size = sizes[k],
					       .dwarf = rows[i].dwarf,
					       .spelling = spellings[k] };
			return true;
		}
		// ah bh ch dh: the second byte of the first four
		if (i < 4 && name[0] == rows[i].names[3][0] && !strcmp(name + 1, "h")) {
			*ret = (struct place){ .offset = rows[i].offset + 1,
					       .size = 1,
					       .dwarf = -1,
					       .spelling = "short" };
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strcmp(name, others[i].names[0]) && strcmp(name, others[i].names[1]))
			continue;
		*ret = (struct place){ .offset = others[i].offset,
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

// Where the processor's standard XSAVE format keeps a component; false when it has none.
static bool component_at(int component, size_t *offset)
{
	unsigned size, at, flags, unused;

	if (!__get_cpuid_count(0xd, (unsigned)component, &size, &at, &flags, &unused) || !size)
		return false;
	*offset = at;
	return true;
}

enum { X87 = 0, SSE = 1, AVX = 2, OPMASK = 5, ZMM_HIGH = 6, ZMM_MORE = 7 };
// Offsets in the legacy area of FXSAVE (SDM volume 1, table 10-2), and of the header behind it.
enum {
	FCW = 0,
	FSW = 2,
	FOP = 6,
	FIP = 8,
	FDP = 16,
	MXCSR = 24,
	ST = 32,
	XMM = 160,
	XSTATE_BV = 512
};

static bool find_vector(const char *name, struct place *ret)
{
	size_t at;
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
	*ret = (struct place){
		.area = PLACE_XSTATE, .dwarf = -1, .spelling = "float", .lanes = (unsigned)width / 4
	};
	if (i >= 16) {
		if (!component_at(ZMM_MORE, &at))
			return false;
		ret->component = ZMM_MORE;
		ret->offset = at + 64 * (size_t)(i - 16);
		ret->size = (size_t)width;
		return true;
	}
	ret->component = SSE;
	ret->offset = XMM + 16 * (size_t)i;
	ret->size = 16;
	if (width > 16) {
		if (!component_at(AVX, &at))
			return false;
		ret->upper[0].offset = at + 16 * (size_t)i;
		ret->upper[0].size = 16;
		ret->upper[0].component = AVX;
	}
	if (width > 32) {
		if (!component_at(ZMM_HIGH, &at))
			return false;
		ret->upper[1].offset = at + 32 * (size_t)i;
		ret->upper[1].size = 32;
		ret->upper[1].component = ZMM_HIGH;
	}
	return true;
}

static bool find_xstate(const char *name, struct place *ret)
{
	*ret = (struct place){ .area = PLACE_XSTATE, .dwarf = -1 };
	int i = numbered(name, "st", 8);

	if (i >= 0) {
		ret->offset = ST + 16 * (size_t)i;
		ret->size = 10;
		ret->spelling = "long double";
		ret->component = X87;
		return true;
	}
	i = numbered(name, "k", 8);
	if (i >= 0) {
		if (!component_at(OPMASK, &ret->offset))
			return false;
		ret->offset += 8 * (size_t)i;
		ret->size = 8;
		ret->spelling = "unsigned long";
		ret->component = OPMASK;
		return true;
	}
	static const struct {
		const char *name;
		size_t offset, size;
		const char *spelling;
		int component;
	} controls[] = {
		{ "mxcsr", MXCSR, 4, "int", SSE },
		{ "fctrl", FCW, 2, "unsigned short", X87 },
		{ "fstat", FSW, 2, "unsigned short", X87 },
		{ "fop", FOP, 2, "unsigned short", X87 },
		{ "fioff", FIP, 4, "int", X87 },
		{ "fiseg", FIP + 4, 2, "unsigned short", X87 },
		{ "fooff", FDP, 4, "int", X87 },
		{ "foseg", FDP + 4, 2, "unsigned short", X87 },
	};
	for (size_t k = 0; k < sizeof(controls) / sizeof(*controls); k++) {
		if (strcmp(name, controls[k].name))
			continue;
		ret->offset = controls[k].offset;
		ret->size = controls[k].size;
		ret->spelling = controls[k].spelling;
		ret->component = controls[k].component;
		return true;
	}
	return find_vector(name, ret);
}

static struct dc_error *find(const char *name, struct place *ret)
{
	if (find_general(name, ret) || find_xstate(name, ret))
		return NULL;
	return error_make(DC_NAME, "no register $%s on this machine", name);
}

static const struct type *type_of(const struct place *place, struct types *types)
{
	const struct type *basic = types_basic(types, place->spelling);

	if (place->is_code || place->is_data) {
		const struct type *nothing = types_basic(types, "void");

		if (!nothing)
			return NULL;
		if (place->is_code)
			nothing = types_function(types, nothing, NULL, 0, false, false);
		return nothing ? types_pointer(types, nothing) : NULL;
	}
	return basic && place->lanes ? types_vector(types, basic, place->lanes) : basic;
}

// Locals without --frame may be an outer frame's; registers then are still the thread's own.
static bool is_outer(const struct dc_session *session)
{
	return session->options.frame && session->scope.known && session->scope.index > 0;
}

// An outer frame has only the registers that unwinding found.
static struct dc_error *read_outer(struct dc_session *session, const char *name,
				   const struct place *place, unsigned char *bytes)
{
	const struct symbols_frame *frame = &session->scope.frame;

	if (place->area != PLACE_GENERAL || place->dwarf < 0 ||
	    !(frame->valid & (1U << place->dwarf)))
		return error_make(DC_VALUE, "$%s is not saved in frame %u", name,
				  session->scope.index);
	memcpy(bytes, &frame->regs[place->dwarf], place->size);
	return NULL;
}

static struct dc_error *read_inner(struct dc_session *session, const char *name,
				   const struct place *place, unsigned char *bytes)
{
	size_t size;
	unsigned char *xstate;

	if (place->area == PLACE_GENERAL) {
		memcpy(bytes, (unsigned char *)borrowed_regs(session->borrowed) + place->offset,
		       place->size);
		return NULL;
	}
	xstate = borrowed_xstate(session->borrowed, &size);
	if (place->offset + place->size > size)
		return error_make(DC_VALUE, "$%s is not in the thread's state", name);
	memcpy(bytes, xstate + place->offset, place->size);
	for (size_t i = 0, at = place->size; i < 2 && place->upper[i].size; i++) {
		if (place->upper[i].offset + place->upper[i].size > size)
			return error_make(DC_VALUE, "$%s is not in the thread's state", name);
		memcpy(bytes + at, xstate + place->upper[i].offset, place->upper[i].size);
		at += place->upper[i].size;
	}
	return NULL;
}

struct dc_error *register_read(struct dc_session *session, const char *name, struct types *types,
			       struct value *ret)
{
	struct place place;
	struct dc_error *err = find(name, &place);

	if (err)
		return err;
	const struct type *type = type_of(&place, types);
	// Room for the widest, so that a long double's padding is there too.
	unsigned char *bytes = type ? calloc(1, 64) : NULL;
	if (!bytes)
		return &dc_out_of_memory;
	err = is_outer(session) ? read_outer(session, name, &place, bytes)
				: read_inner(session, name, &place, bytes);
	if (err) {
		free(bytes);
		return err;
	}
	if (place.size == 1 && bytes[0] & 0x80)
		bytes[1] = 0xff;
	*ret = (struct value){ .type = type, .place = VALUE_NOWHERE, .bytes = bytes };
	return NULL;
}

const struct type *register_type_of(const char *name, struct types *types)
{
	struct place place;
	struct dc_error *err = find(name, &place);

	if (!err)
		return type_of(&place, types);
	dc_error_destroy(err);
	return NULL;
}

struct dc_error *register_write(struct dc_session *session, const char *name,
				const struct value *value)
{
	struct place place;
	struct dc_error *err = find(name, &place);
	size_t size;

	if (err)
		return err;
	if (is_outer(session))
		return error_make(DC_REFUSED,
				  "registers can be set in the innermost frame only (--frame 0)");
	size_t whole = place.size + place.upper[0].size + place.upper[1].size;
	if (value->type->size < whole)
		return error_make(DC_TYPE, "$%s has %zu bytes, the value %ju", name, whole,
				  (uintmax_t)value->type->size);
	if (place.area == PLACE_GENERAL) {
		memcpy((unsigned char *)borrowed_regs(session->borrowed) + place.offset,
		       value->bytes, place.size);
		return NULL;
	}

	unsigned char *xstate = borrowed_xstate(session->borrowed, &size);
	uint64_t present;
	if (size < XSTATE_BV + sizeof(present) || place.offset + place.size > size)
		return error_make(DC_VALUE, "$%s is not in the thread's state", name);
	// A component in its initial state is absent: what is written to it must be announced.
	memcpy(&present, xstate + XSTATE_BV, sizeof(present));
	present |= 1ULL << place.component;
	memcpy(xstate + place.offset, value->bytes, place.size);
	for (size_t i = 0, at = place.size; i < 2 && place.upper[i].size; i++) {
		if (place.upper[i].offset + place.upper[i].size > size)
			return error_make(DC_VALUE, "$%s is not in the thread's state", name);
		memcpy(xstate + place.upper[i].offset, value->bytes + at, place.upper[i].size);
		present |= 1ULL << place.upper[i].component;
		at += place.upper[i].size;
	}
	memcpy(xstate + XSTATE_BV, &present, sizeof(present));
	return NULL;
}
