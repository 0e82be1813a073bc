// SPDX-License-Identifier: MIT
// Steps that the instructions prove: a function has moved its stack pointer by what its code says,
// and what lies there as a return address was left by a call.
#include "debugger/stack/proof.h"

#include "debugger/arch/x86_64/prologue.h"
#include "debugger/base/cleanup.h"

#include <string.h>

bool proof_is_restorer(struct view *view, uint64_t pc)
{
	static const unsigned char long_form[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	static const unsigned char short_form[] = { 0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	unsigned char code[sizeof(long_form)];

	if (!view_is_code(view, pc))
		return false;
	return (view_read(view, pc, code, sizeof(long_form)) &&
		!memcmp(code, long_form, sizeof(long_form))) ||
	       (view_read(view, pc, code, sizeof(short_form)) &&
		!memcmp(code, short_form, sizeof(short_form)));
}

// Where the call before a return address leads; 0: not to be seen, or no call.
static uint64_t call_target(struct view *view, uint64_t back, bool *is_call)
{
	unsigned char code[7];
	int32_t distance;
	uint64_t slot, target = 0;

	*is_call = false;
	if (!view_is_code(view, back - 1) ||
	    !view_read(view, back - sizeof(code), code, sizeof(code)))
		return 0;
	memcpy(&distance, code + 3, sizeof(distance));
	if (code[2] == 0xe8) { // call rel32
		*is_call = true;
		target = back + (uint64_t)(int64_t)distance;
	} else if (code[1] == 0xff && code[2] == 0x15) { // call *rel32(%rip)
		*is_call = true;
		view_read_word(view, back + (uint64_t)(int64_t)distance, &target);
		return target;
	} else { // call *register, call *memory
		*is_call = (code[5] == 0xff && (code[6] & 0x38) == 0x10) ||
			   (code[4] == 0xff && (code[5] & 0x38) == 0x10) ||
			   (code[1] == 0xff && (code[2] & 0x38) == 0x10) ||
			   (code[0] == 0xff && (code[1] & 0x38) == 0x10);
		return 0;
	}
	// Through the procedure linkage table: [endbr64] [bnd] jmp *rel32(%rip).
	for (int i = 0; i < 2; i++) {
		static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
		unsigned char stub[11];

		if (!view_read(view, target, stub, sizeof(stub)))
			break;

		size_t at = memcmp(stub, endbr64, 4) ? 0 : 4;

		at += stub[at] == 0xf2;
		if (stub[at] == 0xff && stub[at + 1] == 0x25) {
			memcpy(&distance, stub + at + 2, sizeof(distance));
			slot = target + at + 6 + (uint64_t)(int64_t)distance;
			if (!view_read_word(view, slot, &target))
				return 0;
		} else if (stub[at] == 0xe9) { // jmp rel32: a name that is another's
			memcpy(&distance, stub + at + 1, sizeof(distance));
			target += at + 5 + (uint64_t)(int64_t)distance;
		} else {
			break;
		}
	}
	return target;
}

bool proof_is_return(struct view *view, uint64_t back)
{
	bool is_call;

	call_target(view, back, &is_call);
	return is_call || proof_is_restorer(view, back);
}

// What the instructions from start to pc did. false: not certain.
static bool read_prologue(struct view *view, uint64_t start, uint64_t pc, struct prologue *ret)
{
	enum { BEYOND = 16 }; // pc's own instruction

	if (start > pc || pc - start > PROLOGUE_REACH)
		return false;

	size_t n = pc - start + BEYOND;
	_cleanup_free_ unsigned char *code = malloc(n);

	return code && view_read(view, start, code, n) && prologue_follow(code, n, start, pc, ret);
}

static bool follow_code(struct view *view, uint64_t start, struct frame_registers *registers)
{
	uint64_t rsp = registers->value[REGISTER_RSP], back;
	struct prologue prologue;

	if (!read_prologue(view, start, registers->value[REGISTER_RIP], &prologue) ||
	    (prologue.by_rbp && !register_is_known(registers, REGISTER_RBP)))
		return false;

	uint64_t cfa = (prologue.by_rbp ? registers->value[REGISTER_RBP] : rsp) +
		       (uint64_t)prologue.offset;

	if (cfa <= rsp || !view_read_word(view, cfa - 8, &back))
		return false;
	for (int i = 0; i < REGISTERS_DWARF; i++) {
		uint64_t value;

		if (!prologue.saved[i])
			continue;
		if (!view_read_word(view, cfa - (uint64_t)prologue.saved[i], &value))
			return false;
		register_learn(registers, i, value);
	}
	register_learn(registers, REGISTER_RIP, back);
	register_learn(registers, REGISTER_RSP, cfa);
	return true;
}

// A return address proves itself: the call before it leads to a start from which the pc is reached
// at just that depth of the stack.
bool proof_step(struct view *view, struct symbols *symbols, struct frame_registers *registers)
{
	enum { WORDS = 512 };
	struct frame_registers caller = *registers;
	uint64_t pc = registers->value[REGISTER_RIP], offset;
	const char *name;
	bool is_call;

	if (!view_is_code(view, pc))
		return false;
	// A signal handler returns into a restorer that nothing called.
	if (symbols_name_of(symbols, pc, &name, &offset) &&
	    follow_code(view, pc - offset, &caller) &&
	    proof_is_return(view, caller.value[REGISTER_RIP])) {
		*registers = caller;
		return true;
	}
	for (uint64_t i = 0; i < WORDS; i++) {
		uint64_t place = registers->value[REGISTER_RSP] + i * 8, back;

		if (!view_read_word(view, place, &back))
			break;
		if (!view_is_code(view, back))
			continue;

		uint64_t start = call_target(view, back, &is_call);

		if (!start || start > pc || pc - start > PROLOGUE_REACH)
			continue;
		caller = *registers;
		if (follow_code(view, start, &caller) && caller.value[REGISTER_RSP] == place + 8) {
			*registers = caller;
			return true;
		}
	}
	return false;
}

bool proof_frame_pointer(struct view *view, uint64_t start, const struct frame_registers *registers,
			 uint64_t *rbp, uint64_t *cfa)
{
	struct prologue prologue;

	if (!read_prologue(view, start, registers->value[REGISTER_RIP], &prologue) ||
	    prologue.by_rbp || !prologue.has_frame_pointer)
		return false;
	*cfa = registers->value[REGISTER_RSP] + (uint64_t)prologue.offset;
	*rbp = *cfa - (uint64_t)prologue.frame_pointer;
	return true;
}
