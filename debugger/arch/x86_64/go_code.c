// SPDX-License-Identifier: MIT
// Go's compiler names variables by their distance from the next instruction. Which instructions name
// which is looked at byte by byte: what is none by chance has no partner that fits.
#include "debugger/arch/x86_64/go_code.h"

#include <stdbool.h>
#include <string.h>

enum use { NO_USE, LOADS, TAKES_ADDRESS, SETS_BYTE };

// The instruction at the code's beginning: what it does with a variable, and which.
static enum use use_at(const unsigned char *code, size_t n, uint64_t addr, uint64_t *variable)
{
	enum { PREFIX = 0xfb, WIDE = 0x48, MODE = 0xc7, FROM_HERE = 0x05, LONG = 7 };
	enum use use = NO_USE;
	int32_t distance;

	if (n < LONG)
		return NO_USE;
	if ((code[0] & PREFIX) == WIDE && (code[2] & MODE) == FROM_HERE)
		use = code[1] == 0x8b ? LOADS : code[1] == 0x8d ? TAKES_ADDRESS : NO_USE;
	else if (code[0] == 0xc6 && code[1] == FROM_HERE && code[6] == 1)
		use = SETS_BYTE;
	memcpy(&distance, code + (use == SETS_BYTE ? 2 : 3), sizeof(distance));
	*variable = addr + LONG + (uint64_t)(int64_t)distance;
	return use;
}

// Some instruction makes that use of the variable.
static bool has_use(const unsigned char *code, size_t n, uint64_t addr, enum use use,
		    uint64_t variable)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t its;

		if (use_at(code + i, n - i, addr + i, &its) == use && its == variable)
			return true;
	}
	return false;
}

// The only one of which fits() is true.
static uint64_t only_one(const unsigned char *code, size_t n, uint64_t addr, enum use use,
			 uint64_t (*fits)(const unsigned char *, size_t, uint64_t, uint64_t))
{
	uint64_t found = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t variable;

		if (use_at(code + i, n - i, addr + i, &variable) != use)
			continue;
		variable = fits(code, n, addr, variable);
		if (variable && found && found != variable)
			return 0;
		if (variable)
			found = variable;
	}
	return found;
}

uint64_t go_code_hook(const unsigned char *code, size_t n, uint64_t addr)
{
	// cmp $5,%eax; jne; mov variable,%rdx; maybe xchg %ax,%ax; test %rdx,%rdx
	static const unsigned char compare[] = { 0x83, 0xf8, 0x05 };
	static const unsigned char load[] = { 0x48, 0x8b, 0x15 };
	static const unsigned char test[] = { 0x48, 0x85, 0xd2 }, nothing[] = { 0x66, 0x90 };
	enum { JUMP_MAX = 8 };

	for (const unsigned char *at = code;
	     (at = memmem(at, n - (size_t)(at - code), compare, sizeof(compare))); at++) {
		size_t left = n - (size_t)(at - code), behind;
		const unsigned char *found = memmem(at, left < 16 ? left : 16, load, sizeof(load));
		uint64_t variable;

		if (!found || found - at > JUMP_MAX || n - (size_t)(found - code) < 12)
			continue;
		behind = memcmp(found + 7, nothing, sizeof(nothing)) ? 7 : 9;
		if (!memcmp(found + behind, test, sizeof(test)) &&
		    use_at(found, 7, addr + (uint64_t)(found - code), &variable) == LOADS)
			return variable;
	}
	return 0;
}

// The mark is behind the lock and a pointer.
static uint64_t fits_sweep(const unsigned char *code, size_t n, uint64_t addr, uint64_t mark)
{
	uint64_t lock = mark - 16;

	return has_use(code, n, addr, TAKES_ADDRESS, lock) ? lock : 0;
}

uint64_t go_code_sweep(const unsigned char *code, size_t n, uint64_t addr)
{
	return only_one(code, n, addr, SETS_BYTE, fits_sweep);
}

// Array, length, room.
static uint64_t fits_slice(const unsigned char *code, size_t n, uint64_t addr, uint64_t array)
{
	return has_use(code, n, addr, LOADS, array + 8) && has_use(code, n, addr, LOADS, array + 16)
		       ? array
		       : 0;
}

uint64_t go_code_slice(const unsigned char *code, size_t n, uint64_t addr)
{
	return only_one(code, n, addr, LOADS, fits_slice);
}

// Loaded to be what is behind the new one, and written where its address says.
static uint64_t fits_list(const unsigned char *code, size_t n, uint64_t addr, uint64_t head)
{
	return has_use(code, n, addr, TAKES_ADDRESS, head) ? head : 0;
}

uint64_t go_code_list(const unsigned char *code, size_t n, uint64_t addr)
{
	return only_one(code, n, addr, LOADS, fits_list);
}

uint64_t go_code_texts(const unsigned char *code, size_t n, uint64_t addr)
{
	// Only the table is indexed, right behind: mov (%reg,%reg,1),%rax.
	static const unsigned char indexes[] = { 0x48, 0x8b, 0x04 };
	enum { ADDRESS = 7 };
	uint64_t found = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t variable;

		if (use_at(code + i, n - i, addr + i, &variable) != TAKES_ADDRESS ||
		    n - i < ADDRESS + sizeof(indexes) ||
		    memcmp(code + i + ADDRESS, indexes, sizeof(indexes)) != 0)
			continue;
		if (found)
			return 0;
		found = variable;
	}
	return found;
}
