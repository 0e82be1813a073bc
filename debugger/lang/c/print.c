// SPDX-License-Identifier: MIT
// Values as gdb prints them: scalars by their kind, pointers with what they point to, aggregates in
// braces with repeats folded and long arrays cut.
#include "debugger/lang/c/c.h"
#include "debugger/lang/c/dialect.h"

#include "debugger/base/cleanup.h"
#include "debugger/values/number.h"
#include "debugger/values/lvalue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// With the symbol that covers it, so that a pointer to data or code tells what it points to.
void print_address(struct printer *printer, uint64_t addr)
{
	const char *name;
	uint64_t offset;

	fprintf(printer->out, "0x%" PRIx64, addr);
	if (addr == 0 || !symbols_name_of(printer->symbols, addr, &name, &offset))
		return;
	if (offset)
		fprintf(printer->out, " <%s+%" PRIu64 ">", name, offset);
	else
		fprintf(printer->out, " <%s>", name);
}

static void print_pointer(struct printer *printer, const struct type *target, uint64_t addr)
{
	print_address(printer, addr);
	if (addr != 0 && print_character_prefix(target)) {
		fputc(' ', printer->out);
		print_string_at(printer, target, addr);
	}
}

// gdb's rule: single bits only, then combinations are shown as such.
static bool is_flags(const struct type_enumerator *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].value < 0 || (list[i].value & (list[i].value - 1)) != 0)
			return false;
	return true;
}

static void print_enumerator(struct printer *printer, const struct type *type, const char *name)
{
	if (printer->dialect->print_enum_scope)
		printer->dialect->print_enum_scope(printer, type_strip(type));
	fputs(name, printer->out);
}

// A value that no enumerator has is a number, or a combination of flags.
static void print_enum(struct printer *printer, const struct type *type, const unsigned char *bytes)
{
	const struct type_enumerator *list;
	struct number number;
	size_t n;
	_cleanup_error_ struct dc_error *err = type_enumerators(type, &list, &n);
	_cleanup_error_ struct dc_error *unread = number_read(type, bytes, &number);
	const char *before = "(";

	if (err || unread || n == 0) {
		print_integer(printer->out, type, bytes);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (list[i].value == (int64_t)number.i) {
			print_enumerator(printer, type, list[i].name);
			return;
		}
	}
	if (!is_flags(list, n) || number.i == 0) {
		print_integer(printer->out, type, bytes);
		return;
	}

	uint64_t left = type->size < 8 ? (uint64_t)number.i & ((1ull << 8 * type->size) - 1)
				       : (uint64_t)number.i;

	for (size_t i = 0; i < n; i++) {
		if (!(left & list[i].value))
			continue;
		fputs(before, printer->out);
		print_enumerator(printer, type, list[i].name);
		left &= ~(uint64_t)list[i].value;
		before = " | ";
	}
	if (left)
		fprintf(printer->out, "%sunknown: 0x%" PRIx64, before, left);
	fputc(')', printer->out);
}

// gdb writes "1 + -2i".
static void print_complex(struct printer *printer, const struct type *type,
			  const unsigned char *bytes)
{
	print_float(printer->out, type->format, bytes);
	fputs(" + ", printer->out);
	print_float(printer->out, type->format, bytes + type->size / 2);
	fputc('i', printer->out);
}

// Equal neighbours, so many that they are folded; as gdb counts, a fold is worth 10 elements.
static void print_elements(struct printer *printer, const struct type *element, uint64_t count,
			   const unsigned char *bytes, uint64_t addr, bool plain_chars)
{
	uint64_t size = type_strip(element)->size, printed = 0, i = 0;
	const struct type *shown = element;
	struct type number;

	if (plain_chars && type_strip(element)->is_char) {
		number = *type_strip(element);
		number.is_char = false;
		shown = &number;
	}
	fputc('{', printer->out);
	while (i < count && printed < PRINT_ELEMENTS) {
		const unsigned char *at = bytes + i * size;
		uint64_t repeats = 1;

		while (i + repeats < count && memcmp(at, at + repeats * size, size) == 0)
			repeats++;
		if (repeats <= PRINT_REPEATS)
			repeats = 1;
		fputs(i ? ", " : "", printer->out);
		print_value(printer, shown, at, addr ? addr + i * size : 0);
		if (repeats > 1)
			fprintf(printer->out, " <repeats %" PRIu64 " times>", repeats);
		printed += repeats > 1 ? PRINT_REPEATS : 1;
		i += repeats;
	}
	fputs(i < count ? "...}" : "}", printer->out);
}

static void print_array(struct printer *printer, const struct type *type,
			const unsigned char *bytes, uint64_t addr)
{
	uint64_t count = type->count == UINT64_MAX ? 0 : type->count;

	// An array without elements stands for what lies behind it.
	if (count == 0 || type_strip(type->target)->size == 0)
		print_pointer(printer, type->target, addr);
	else if (print_character_prefix(type->target) &&
		 !print_format_applies(printer, type->target))
		print_text(printer, type->target, bytes, count, false);
	else
		print_elements(printer, type->target, count, bytes, addr, false);
}

static void print_member(struct printer *printer, const struct type *type,
			 const struct type_member *member, const unsigned char *bytes,
			 uint64_t addr)
{
	uint64_t whole = type->size, size = 0;
	uint32_t bits = member->bit_offset + member->bit_size;

	if (member->name)
		fprintf(printer->out, "%s = ", member->name);
	// Damaged debug information could place a member outside of its struct.
	if (!type_size(member->type, &size))
		size = 0; // a flexible array
	if (member->offset > whole ||
	    (member->bit_size ? (bits + 7) / 8 : size) > whole - member->offset) {
		fputs("<outside of its struct>", printer->out);
		return;
	}
	if (member->bit_size == 0) {
		print_value(printer, member->type, bytes + member->offset,
			    addr ? addr + member->offset : 0);
		return;
	}

	unsigned char value[32];

	if (type_strip(member->type)->size > sizeof(value)) {
		fputs("<a bit-field of unknown form>", printer->out);
		return;
	}
	lvalue_extract_bits(bytes + member->offset, member->bit_offset, member->bit_size,
			    member->type, value);
	print_value(printer, member->type, value, 0);
}

// Base classes and anonymous members come in their order, as the debug information has them.
static void print_record(struct printer *printer, const struct type *type,
			 const unsigned char *bytes, uint64_t addr)
{
	const struct type_member *members;
	bool any = false, has_fields = false;
	size_t n;
	_cleanup_error_ struct dc_error *err = type_members(type, &members, &n);

	if (err) {
		fprintf(printer->out, "<error: %s>", err->message);
		return;
	}

	struct printed_whole outer = printer->whole;
	bool is_base = printer->is_base;

	printer->is_base = false;
	if (!printer->is_raw && printer->dialect->print_object &&
	    printer->dialect->print_object(printer, type, bytes, addr))
		return;

	if (!is_base)
		printer->whole = (struct printed_whole){ .bytes = bytes, .size = type->size };
	fputc('{', printer->out);
	for (size_t i = 0; i <= n; i++) {
		if (printer->dialect->print_statics)
			has_fields |= printer->dialect->print_statics(printer, type, i,
								      any ? ", " : "");
		any |= has_fields;
		if (i == n)
			break;

		const char *separator = any ? ", " : "";

		if (members[i].is_base) {
			any |= printer->dialect->print_base &&
			       printer->dialect->print_base(printer, &members[i], bytes, addr,
							    separator);
			continue;
		}
		// An unnamed bit-field is padding.
		if (!members[i].name && !type_is_record(members[i].type))
			continue;
		fputs(separator, printer->out);
		print_member(printer, type, &members[i], bytes, addr);
		any = has_fields = true;
	}
	if (!is_base)
		printer->whole = outer;
	if (!has_fields)
		fprintf(printer->out, "%s<No data fields>", any ? ", " : "");
	fputc('}', printer->out);
}

// A bool that is neither 0 nor 1 is shown as the number that it is: that is worth seeing.
static void print_scalar(struct printer *printer, const struct type *type,
			 const unsigned char *bytes)
{
	const struct type *plain = type_strip(type);
	uint32_t c = 0;

	if (plain->kind == TYPE_BOOL && bytes[0] <= 1) {
		fputs(bytes[0] ? "true" : "false", printer->out);
		return;
	}
	print_integer(printer->out, plain, bytes);
	if (print_character_prefix(type)) {
		memcpy(&c, bytes, plain->size);
		fputc(' ', printer->out);
		print_character(printer, type, c);
	}
}

// addr: where the value lies in the target, 0 when it does not.
void print_value(struct printer *printer, const struct type *type, const unsigned char *bytes,
		 uint64_t addr)
{
	const struct type *plain = type_strip(type);
	uint64_t pointer;

	if (printer->depth >= PRINT_DEPTH) {
		fputs("...", printer->out);
		return;
	}
	if (print_format_applies(printer, plain)) {
		print_formatted(printer, plain, bytes);
		return;
	}
	printer->depth++;
	if (plain->is_incomplete)
		plain = symbols_complete(printer->symbols, plain);
	switch (plain->is_incomplete ? TYPE_OPAQUE : plain->kind) {
	case TYPE_VOID: fputs("void", printer->out); break;
	case TYPE_BOOL:
	case TYPE_INT: print_scalar(printer, type, bytes); break;
	case TYPE_FLOAT: print_float(printer->out, plain->format, bytes); break;
	case TYPE_COMPLEX: print_complex(printer, plain, bytes); break;
	case TYPE_ENUM: print_enum(printer, plain, bytes); break;
	case TYPE_POINTER:
		memcpy(&pointer, bytes, sizeof(pointer));
		print_pointer(printer, plain->target, pointer);
		break;
	case TYPE_REFERENCE:
		if (printer->dialect->print_reference)
			printer->dialect->print_reference(printer, plain, bytes);
		break;
	case TYPE_MEMBER:
		if (printer->dialect->print_member_pointer)
			printer->dialect->print_member_pointer(printer, plain, bytes);
		break;
	case TYPE_ARRAY: print_array(printer, plain, bytes, addr); break;
	case TYPE_VECTOR:
		print_elements(printer, plain->target, plain->count, bytes, addr, true);
		break;
	case TYPE_STRUCT:
	case TYPE_UNION: print_record(printer, plain, bytes, addr); break;
	case TYPE_FUNCTION: print_address(printer, addr); break;
	case TYPE_TYPEDEF: // stripped above
	case TYPE_OPAQUE:
		if (plain->is_incomplete)
			fputs("<incomplete type>", printer->out);
		else
			fprintf(printer->out, "<%s: cannot be shown>",
				plain->name ? plain->name : "unknown type");
		break;
	}
	printer->depth--;
}

// A string needs no word about its type; its quotes tell it.
static bool is_plain_string(const struct type *type)
{
	const char *prefix;

	if (type->kind != TYPE_POINTER || type->name)
		return false;
	prefix = print_character_prefix(type->target);
	return prefix &&
	       (*prefix || (type->target->name && strcmp(type->target->name, "char") == 0));
}

// Its elements are not known, so it was not read; it is shown like a pointer.
static bool is_open_array(const struct type *type)
{
	return type->kind == TYPE_ARRAY && type->count == UINT64_MAX;
}

static struct dc_error *print_whole(struct printer *printer, const struct value *value)
{
	const struct type *plain = type_strip(value->type);
	bool is_function = value->lvalue == LVALUE_FUNCTION;
	_cleanup_free_ char *spelled = type_spell(value->type, NULL);

	if (!spelled)
		return &dc_out_of_memory;
	if (is_function && value->no_debug)
		fprintf(printer->out, "{<text %svariable, no debug info>} ",
			value->symbol && value->symbol->is_ifunc ? "gnu-indirect-function " : "");
	else if (is_function)
		fprintf(printer->out, "{%s} ", spelled);
	else if (print_format_applies(printer, value->type) && value->bytes)
		; // the letter tells what it is
	else if (plain->kind == TYPE_REFERENCE ||
		 (plain->kind == TYPE_POINTER && !is_plain_string(value->type)))
		fprintf(printer->out, "(%s) ", spelled);
	if (is_function || value->bytes || plain->is_incomplete || is_open_array(plain))
		print_value(printer, value->type, value->bytes,
			    is_function || value->lvalue == LVALUE_MEMORY ? value->addr : 0);
	else
		fputs("<not read>", printer->out);
	return NULL;
}

// Through a memory stream: nothing is printed when there is no room for all of it.
struct dc_error *c_print(const struct language *language, const struct environment *environment,
			 const struct value *value, char format, char **ret)
{
	struct printer printer = { .dialect = language->dialect,
				   .symbols = environment->symbols,
				   .caller = environment->caller,
				   .format = format == 'r' ? '\0' : format,
				   .is_raw = format == 'r' };
	char *text = NULL;
	size_t size;

	*ret = NULL;
	if (!value->type || (type_strip(value->type)->kind == TYPE_VOID && !value->no_debug))
		return NULL;
	printer.out = open_memstream(&text, &size);
	if (!printer.out)
		return &dc_out_of_memory;

	struct dc_error *err = print_whole(&printer, value);

	if (ferror(printer.out) | fclose(printer.out) && !err)
		err = &dc_out_of_memory;
	if (err) {
		free(text);
		return err;
	}
	*ret = text;
	return NULL;
}
