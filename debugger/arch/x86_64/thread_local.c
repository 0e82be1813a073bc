// SPDX-License-Identifier: MIT
// The handful of instructions that such functions are made of (psABI, thread-local storage).
#include "debugger/arch/x86_64/thread_local.h"

#include <string.h>

enum step {
	STEP_NOTHING,
	STEP_LOAD, // rax = word at rip + operand
	STEP_SET, // rax = operand
	STEP_ADD, // rax += operand
	STEP_SET_THREAD, // rax = thread pointer
	STEP_ADD_THREAD,
	STEP_RETURN,
};

static const struct form {
	unsigned char bytes[9];
	unsigned char length, operand; // bytes of each
	enum step step;
} forms[] = {
	{ { 0xf3, 0x0f, 0x1e, 0xfa }, 4, 0, STEP_NOTHING }, // endbr64
	{ { 0x48, 0x8b, 0x05 }, 3, 4, STEP_LOAD }, // mov d(%rip),%rax
	{ { 0x48, 0xc7, 0xc0 }, 3, 4, STEP_SET }, // mov $d,%rax
	{ { 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0 }, 9, 0, STEP_SET_THREAD }, // mov %fs:0,%rax
	{ { 0x64, 0x48, 0x03, 0x04, 0x25, 0, 0, 0, 0 }, 9, 0, STEP_ADD_THREAD }, // add %fs:0,%rax
	{ { 0x48, 0x03, 0x05 }, 3, 4, STEP_LOAD }, // add d(%rip),%rax
	{ { 0x48, 0x05 }, 2, 4, STEP_ADD }, // add $d,%rax
	{ { 0x48, 0x83, 0xc0 }, 3, 1, STEP_ADD }, // add $d,%rax
	{ { 0x48, 0x8d, 0x40 }, 3, 1, STEP_ADD }, // lea d(%rax),%rax
	{ { 0x48, 0x8d, 0x80 }, 3, 4, STEP_ADD }, // lea d(%rax),%rax
	{ { 0xc3 }, 1, 0, STEP_RETURN },
};

static const struct form *form_at(const unsigned char *code, size_t left)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const struct form *form = &forms[i];

		if ((size_t)form->length + form->operand <= left &&
		    !memcmp(code, form->bytes, form->length))
			return form;
	}
	return NULL;
}

static int64_t operand_of(const unsigned char *at, unsigned size)
{
	int32_t word;

	if (size == 1)
		return (int8_t)*at;
	memcpy(&word, at, sizeof(word));
	return size ? word : 0;
}

bool thread_local_follow(const unsigned char *code, size_t n, uint64_t addr,
			 struct thread_local_place *ret)
{
	bool has_thread = false;

	*ret = (struct thread_local_place){ 0 };
	for (size_t i = 0;;) {
		const struct form *form = form_at(code + i, n - i);
		int64_t operand;

		if (!form)
			return false;
		operand = operand_of(code + i + form->length, form->operand);
		i += (size_t)form->length + form->operand;
		switch (form->step) {
		case STEP_NOTHING: break;
		case STEP_LOAD:
			if (ret->slot)
				return false;
			ret->slot = addr + i + (uint64_t)operand;
			break;
		case STEP_SET:
			if (has_thread || ret->slot)
				return false;
			ret->offset = operand;
			break;
		case STEP_ADD: ret->offset += operand; break;
		case STEP_SET_THREAD:
		case STEP_ADD_THREAD:
			if (has_thread)
				return false;
			has_thread = true;
			break;
		case STEP_RETURN: return has_thread;
		}
	}
}
