// SPDX-License-Identifier: MIT
// Exceptions by the C++ ABI's layout, which libstdc++ and libc++ share as far as it is read here:
// what stands before the object that was thrown.
#include "debugger/inject/thrown.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char STRING[] = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";

// From the unwinder's part of an exception on: the object; from the object back: its type.
enum { TO_OBJECT = 32, BACK_TO_TYPE = 112, BACK_TO_PRIMARY = 80 };

// "GNUCC++" and "CLNGC++", as a number; the last byte tells whether the object is another's.
static const uint64_t CLASSES[] = { UINT64_C(0x474e5543432b2b00), UINT64_C(0x434c4e47432b2b00) };

static uint64_t named(struct symbols *symbols, const char *name, struct function *ret)
{
	struct function function = { 0 };

	if (!symbols_named_function(symbols, name, &function))
		return 0;
	if (ret)
		*ret = function;
	return function.addr;
}

// std::terminate() hands what get_terminate() gave it to a function that has no symbol.
static uint64_t find_end(struct process *process, uint64_t terminate)
{
	enum { CODE = 48, CALL = 0xe8, CALL_SIZE = 5 };
	static const unsigned char moves[] = { 0x48, 0x89, 0xc7, CALL };
	unsigned char code[CODE];
	size_t n = memory_read_some(process, terminate, code, sizeof(code));

	for (size_t i = 0; i + sizeof(moves) + 4 <= n; i++) {
		int32_t distance;

		if (memcmp(code + i, moves, sizeof(moves)) != 0)
			continue;
		memcpy(&distance, code + i + sizeof(moves), sizeof(distance));
		return terminate + i + sizeof(moves) - 1 + CALL_SIZE + (uint64_t)(int64_t)distance;
	}
	return 0;
}

void throwing_find(struct symbols *symbols, struct process *process, struct throwing *ret)
{
	*ret = (struct throwing){ .get_globals = named(symbols, "__cxa_get_globals", NULL) };
	if (!ret->get_globals)
		return;
	ret->begin_catch = named(symbols, "__cxa_begin_catch", NULL);
	ret->end_catch = named(symbols, "__cxa_end_catch", NULL);
	ret->forced_unwind = named(symbols, "_Unwind_ForcedUnwind", NULL);
	if (ret->begin_catch && ret->end_catch && ret->forced_unwind &&
	    named(symbols, "__cxa_throw", &ret->throws[0]) &&
	    named(symbols, "__cxa_rethrow", &ret->throws[1]))
		ret->terminate = named(symbols, "_ZSt9terminatev", NULL);
	if (ret->terminate)
		ret->end = find_end(process, ret->terminate);
}

bool throwing_may(const struct throwing *throwing, struct symbols *symbols, uint64_t addr)
{
	const struct module *const *modules;
	size_t n = throwing->terminate ? symbols_modules(symbols, &modules) : 0;

	for (size_t i = 0; i < n; i++) {
		if (addr - modules[i]->start < modules[i]->end - modules[i]->start)
			return strncmp(modules[i]->name, "libc.", 5) != 0;
	}
	return n;
}

// ---- which -----------------------------------------------------------------------------------------

static bool read_word(struct process *process, uint64_t addr, uint64_t *ret)
{
	return addr && memory_read_some(process, addr, ret, sizeof(*ret)) == sizeof(*ret);
}

static bool is_exception(struct process *process, uint64_t addr)
{
	uint64_t class;

	if (addr % 16 || !read_word(process, addr, &class))
		return false;
	return (class & ~UINT64_C(0xff)) == CLASSES[0] || (class & ~UINT64_C(0xff)) == CLASSES[1];
}

static bool is_in(const struct function *function, uint64_t pc)
{
	return pc - function->addr < function->size;
}

uint64_t thrown_exception(const struct throwing *throwing, struct process *process,
			  const struct user_regs_struct *regs)
{
	// __cxa_throw has had it unwound before, and has kept it over that call.
	const uint64_t kept[] = {
		regs->rbx, regs->rbp, regs->r12, regs->r13, regs->r14, regs->r15
	};
	uint64_t stack[8] = { 0 };
	size_t n = memory_read_some(process, registers_sp(regs), stack, sizeof(stack));

	if (n < sizeof(stack[0]) || (!is_in(&throwing->throws[0], stack[0] - 1) &&
				     !is_in(&throwing->throws[1], stack[0] - 1)))
		return 0;
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		if (is_exception(process, kept[i]))
			return kept[i];
	}
	for (size_t i = 1; i < n / sizeof(*stack); i++) {
		if (is_exception(process, stack[i]))
			return stack[i];
	}
	return 0;
}

// ---- what ------------------------------------------------------------------------------------------

static bool read_text(struct process *process, uint64_t addr, size_t length, char *buf, size_t size)
{
	size_t wanted = length < size - 1 ? length : size - 1;
	size_t n = addr ? memory_read_some(process, addr, buf, wanted) : 0;

	buf[n] = '\0';
	return n > 0;
}

// A type_info's name: behind a "*" it is compared by address alone.
static bool read_name(struct process *process, uint64_t type, char *buf, size_t size)
{
	uint64_t name;

	if (!read_word(process, type + 8, &name) || !read_text(process, name, size, buf, size))
		return false;
	if (*buf == '*')
		memmove(buf, buf + 1, strlen(buf));
	return *buf != '\0';
}

enum { NAME = 512, TEXT = 512, DEPTH_MAX = 16 };

// Where in the object one of the two standard classes is that keep the text: std::logic_error and
// std::runtime_error. Bases stand behind the name: one, or a list with its length before it.
static bool find_standard(struct symbols *symbols, struct process *process, uint64_t type,
			  uint64_t object, int depth, uint64_t *ret)
{
	char name[NAME];
	const char *kind;
	uint64_t vtable, base, count, ignored;

	if (depth > DEPTH_MAX || !read_name(process, type, name, sizeof(name)) ||
	    !read_word(process, type, &vtable))
		return false;
	*ret = object;
	if (!strcmp(name, "St13runtime_error") || !strcmp(name, "St11logic_error"))
		return true;
	if (!symbols_name_of(symbols, vtable, &kind, &ignored) || !kind)
		return false;
	if (strstr(kind, "__si_class_type_info"))
		return read_word(process, type + 16, &base) &&
		       find_standard(symbols, process, base, object, depth + 1, ret);
	if (!strstr(kind, "__vmi_class_type_info") || !read_word(process, type + 16, &count))
		return false;
	count >>= 32;
	for (uint64_t i = 0; i < count && i < DEPTH_MAX; i++) {
		enum { VIRTUAL = 1, OFFSET = 8 };
		uint64_t how;

		if (read_word(process, type + 24 + 16 * i, &base) &&
		    read_word(process, type + 32 + 16 * i, &how) && !(how & VIRTUAL) &&
		    find_standard(symbols, process, base,
				  object + (uint64_t)((int64_t)how >> OFFSET), depth + 1, ret))
			return true;
	}
	return false;
}

static bool number_text(const char *name, uint64_t word, char *buf, size_t size)
{
	if (strlen(name) != 1)
		return false;
	switch (*name) {
	case 'i': snprintf(buf, size, "%" PRId32, (int32_t)word); return true;
	case 'j': snprintf(buf, size, "%" PRIu32, (uint32_t)word); return true;
	case 'l':
	case 'x': snprintf(buf, size, "%" PRId64, (int64_t)word); return true;
	case 'm':
	case 'y': snprintf(buf, size, "%" PRIu64, word); return true;
	case 'b': snprintf(buf, size, "%s", word & 0xff ? "true" : "false"); return true;
	default: return false;
	}
}

static bool object_text(struct symbols *symbols, struct process *process, uint64_t type,
			const char *name, uint64_t object, char *buf, size_t size)
{
	uint64_t word, length, standard;

	if (!read_word(process, object, &word))
		return false;
	if (number_text(name, word, buf, size))
		return true;
	if (!strcmp(name, "PKc") || !strcmp(name, "Pc"))
		return read_text(process, word, size, buf, size);
	if (!strcmp(name, STRING))
		return read_word(process, object + 8, &length) &&
		       read_text(process, word, length, buf, size);
	return find_standard(symbols, process, type, object, 0, &standard) &&
	       read_word(process, standard + 8, &word) && read_text(process, word, size, buf, size);
}

// One line of what the program wrote.
static void make_plain(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
	}
}

char *thrown_text(struct symbols *symbols, struct process *process, uint64_t exception)
{
	uint64_t object = exception + TO_OBJECT, type, class;
	char name[NAME], text[TEXT], *whole = NULL;

	// Thrown again by way of a pointer to it: another's object.
	if (read_word(process, exception, &class) && (class & 0xff) &&
	    !read_word(process, exception - BACK_TO_PRIMARY, &object))
		return strdup("an exception");
	if (!read_word(process, object - BACK_TO_TYPE, &type) ||
	    !read_name(process, type, name, sizeof(name)))
		return strdup("an exception");

	bool is_string = !strcmp(name, STRING);
	_cleanup_free_ char *shown = is_string ? strdup("std::string") : symbols_type_name(name);
	bool has_text = object_text(symbols, process, type, name, object, text, sizeof(text));

	make_plain(text);
	if (asprintf(&whole, "%s%s%s", shown ?: name, has_text ? ": " : "", has_text ? text : "") <
	    0)
		return NULL;
	return whole;
}
