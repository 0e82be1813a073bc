// SPDX-License-Identifier: MIT
// Values as Go's debugger Delve writes them: one line, types where they are not told by what is
// around, pointers followed a few steps.
#include "debugger/lang/go/go.h"

#include "debugger/base/cleanup.h"
#include "debugger/lang/container.h"
#include "debugger/lang/go/context.h"
#include "debugger/values/locales.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXT_SHOWN = 200,
	ELEMENTS_SHOWN = 200,
	DEPTH_MAX = 24,
	FOLLOWED_MAX = 2, // pointers behind one another
};

struct printer {
	struct context *context;
	FILE *out;
	char format;
	unsigned depth, followed;
};

static void print(struct printer *printer, struct operand *operand, bool with_type);

// ---- numbers and text -----------------------------------------------------------------------------

// As few digits as name the value, as Go's %v has them.
static void print_real(FILE *out, double value, bool is_32)
{
	char digits[64];
	int exponent = 0;

	if (isnan(value) || isinf(value)) {
		fputs(isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf", out);
		return;
	}
	for (int precision = 0; precision < 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*e", precision, value);
		if (is_32 ? strtof(digits, NULL) == (float)value : strtod(digits, NULL) == value)
			break;
	}
	exponent = atoi(strchr(digits, 'e') + 1);
	if (exponent < -4 || exponent >= 21) {
		fputs(digits, out);
		return;
	}

	int nr_digits = (int)(strchr(digits, 'e') - digits) - (*digits == '-');

	nr_digits -= nr_digits > 1; // the point
	snprintf(digits, sizeof(digits), "%.*f",
		 nr_digits - 1 - exponent > 0 ? nr_digits - 1 - exponent : 0, value);
	fputs(digits, out);
}

static void print_decimal(FILE *out, const struct number *number)
{
	char digits[48];
	size_t at = sizeof(digits);
	bool is_negative = number->is_signed && (int128)number->i < 0;
	uint128 value = is_negative ? -number->i : number->i;

	do
		digits[--at] = (char)('0' + (int)(value % 10));
	while (value /= 10);
	if (is_negative)
		fputc('-', out);
	fwrite(digits + at, 1, sizeof(digits) - at, out);
}

static void print_integer(struct printer *printer, const struct operand *operand,
			  const struct number *number)
{
	const struct type *under = type_strip(operand->type);
	uint64_t bits = (uint64_t)number->i;

	if (under->size < 8)
		bits &= ((uint64_t)1 << under->size * 8) - 1;
	switch (printer->format) {
	case 'x': fprintf(printer->out, "0x%" PRIx64, bits); return;
	case 'o': fprintf(printer->out, "0%" PRIo64, bits); return;
	case 't':
		fputs("0b", printer->out);
		for (int i = bits ? 63 - __builtin_clzll(bits) : 0; i >= 0; i--)
			fputc(bits >> i & 1 ? '1' : '0', printer->out);
		return;
	case 'c':
		fprintf(printer->out, bits >= 0x20 && bits < 0x7f ? "'%c'" : "'\\u%04x'",
			(unsigned)bits);
		return;
	default: print_decimal(printer->out, number);
	}
}

static size_t rune_length(const char *text, size_t n)
{
	unsigned char c = (unsigned char)*text;
	size_t length = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c >= 0x80 && (c < 0xc2 || c >= 0xf5 || length > n))
		return 0;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

static void print_quoted(FILE *out, const char *text, size_t n)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";

	fputc('"', out);
	for (size_t i = 0; i < n;) {
		size_t length = rune_length(text + i, n - i);
		unsigned char c = (unsigned char)text[i];
		const char *escape = c ? strchr(from, c) : NULL;

		if (escape)
			fprintf(out, "\\%c", to[escape - from]);
		else if (!length || c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fwrite(text + i, 1, length, out);
		i += length ?: 1;
	}
	fputc('"', out);
}

static void print_error(struct printer *printer, struct dc_error *err)
{
	fprintf(printer->out, "(unreadable %s)", err->message);
	dc_error_destroy(err);
}

static void print_text(struct printer *printer, struct operand *operand)
{
	uint64_t length = operand->text ? operand->length : go_word(operand, 1), shown;
	const unsigned char *bytes = (const unsigned char *)operand->text;
	struct dc_error *err = NULL;

	shown = length > TEXT_SHOWN ? TEXT_SHOWN : length;
	if (!bytes)
		err = go_read_memory(printer->context, go_word(operand, 0), shown, &bytes);
	if (err) {
		print_error(printer, err);
		return;
	}
	print_quoted(printer->out, (const char *)bytes, shown);
	if (shown < length)
		fprintf(printer->out, "...+%" PRIu64 " more", length - shown);
}

// ---- what holds others ----------------------------------------------------------------------------

static void print_type(struct printer *printer, const struct type *type)
{
	fputs(go_spelling(printer->context, type), printer->out);
}

static void print_elements(struct printer *printer, const struct type *element, uint64_t addr,
			   const unsigned char *bytes, uint64_t count)
{
	uint64_t shown = count > ELEMENTS_SHOWN ? ELEMENTS_SHOWN : count, size = go_size(element);
	struct dc_error *err = NULL;

	fputc('[', printer->out);
	if (!bytes && shown)
		err = go_read_memory(printer->context, addr, shown * size, &bytes);
	if (err) {
		print_error(printer, err);
		shown = count;
	}
	for (uint64_t i = 0; !err && i < shown; i++) {
		struct operand one = go_object(element, addr + i * size);

		one.bytes = bytes + i * size;
		if (i)
			fputc(',', printer->out);
		print(printer, &one, false);
	}
	if (shown < count)
		fprintf(printer->out, ",...+%" PRIu64 " more", count - shown);
	fputc(']', printer->out);
}

static void print_members(struct printer *printer, struct operand *operand, bool is_tuple)
{
	const struct type_member *members;
	size_t n;
	struct dc_error *err = type_members(type_strip(operand->type), &members, &n);

	fputc(is_tuple ? '(' : '{', printer->out);
	if (err)
		print_error(printer, err);
	for (size_t i = 0; !err && i < n; i++) {
		struct operand part = go_part(operand, members[i].type, members[i].offset);

		fputs(i ? ", " : "", printer->out);
		if (!is_tuple)
			fprintf(printer->out, "%s: ", members[i].name ?: "_");
		print(printer, &part, true);
	}
	fputc(is_tuple ? ')' : '}', printer->out);
}

static void print_map(struct printer *printer, struct operand *operand)
{
	struct map_walk walk;
	struct operand key, element;
	uint64_t shown = 0;
	bool more;
	struct dc_error *err = go_map_begin(printer->context, operand, &walk);

	fputc('[', printer->out);
	while (!err && shown < ELEMENTS_SHOWN) {
		err = go_map_next(printer->context, &walk, &key, &element, &more);
		if (err || !more)
			break;
		print(printer, &key, false);
		fputs(": ", printer->out);
		print(printer, &element, false);
		fputs(", ", printer->out);
		shown++;
	}
	if (err)
		print_error(printer, err);
	else if (shown == ELEMENTS_SHOWN && shown < walk.count)
		fprintf(printer->out, "...+%" PRIu64 " more", walk.count - shown);
	fputc(']', printer->out);
}

static void print_interface(struct printer *printer, struct operand *operand)
{
	struct operand held;
	bool known;
	struct dc_error *err = go_dynamic(printer->context, operand, &known, &held);

	print_type(printer, operand->type);
	if (err) {
		fputc(' ', printer->out);
		print_error(printer, err);
	} else if (!held.type) {
		fputs(" nil", printer->out);
	} else {
		fputc('(', printer->out);
		print_type(printer, held.type);
		fputs(") ", printer->out);
		print(printer, &held, false);
	}
}

static void print_pointer(struct printer *printer, struct operand *operand, bool with_type)
{
	uint64_t addr = go_word(operand, 0);
	const struct type *target = go_element(operand->type);
	struct operand object = go_object(target, addr);
	struct dc_error *err;

	if (!addr) {
		if (with_type) {
			print_type(printer, operand->type);
			fputc(' ', printer->out);
		}
		fputs("nil", printer->out);
		return;
	}
	err = printer->followed < FOLLOWED_MAX && printer->format != 'x'
		      ? go_load(printer->context, &object)
		      : error_make(DC_VALUE, "not followed");
	if (err) {
		dc_error_destroy(err);
		fputc('(', printer->out);
		print_type(printer, operand->type);
		fprintf(printer->out, ")(0x%" PRIx64 ")", addr);
		return;
	}
	fputc('*', printer->out);
	printer->followed++;
	print(printer, &object, with_type);
	printer->followed--;
}

static void print_function(struct printer *printer, struct operand *operand)
{
	uint64_t closure = go_word(operand, 0), addr, offset;
	const char *name;
	struct dc_error *err;

	if (!closure) {
		fputs("nil", printer->out);
		return;
	}
	err = go_read_word(printer->context, closure, &addr);
	if (err)
		print_error(printer, err);
	else if (symbols_name_of(printer->context->symbols, addr, &name, &offset) && !offset)
		fputs(name, printer->out);
	else
		fprintf(printer->out, "0x%" PRIx64, addr);
}

static void print_channel(struct printer *printer, struct operand *operand)
{
	const struct type *head = type_strip(operand->type)->target;
	const struct type_member *members;
	uint64_t counts[2] = { 0 };
	size_t n = 0;
	struct dc_error *err;

	print_type(printer, operand->type);
	if (!go_word(operand, 0)) {
		fputs(" nil", printer->out);
		return;
	}
	head = head && go_kind(head) == GO_POINTER ? type_strip(go_element(head)) : NULL;
	err = head ? type_members(head, &members, &n) : NULL;
	for (size_t i = 0; !err && i < n; i++) {
		bool is_count = !strcmp(members[i].name ?: "", "qcount");

		if (is_count || !strcmp(members[i].name ?: "", "dataqsiz"))
			err = printer->context->caller->read(
				printer->context->caller->arg,
				go_word(operand, 0) + members[i].offset, &counts[!is_count], 8);
	}
	fputc(' ', printer->out);
	if (err)
		print_error(printer, err);
	else
		fprintf(printer->out, "%" PRIu64 "/%" PRIu64, counts[0], counts[1]);
}

// ---- any ------------------------------------------------------------------------------------------

static void print_array(struct printer *printer, struct operand *operand, bool with_type)
{
	const struct type *under = type_strip(operand->type);
	bool is_slice = go_kind(under) == GO_SLICE;
	uint64_t count = is_slice ? go_word(operand, 1) : under->count;

	if (with_type) {
		print_type(printer, operand->type);
		fputc(' ', printer->out);
	}
	if (!is_slice) {
		print_elements(printer, under->target, operand->addr, operand->bytes, count);
		return;
	}
	if (with_type)
		fprintf(printer->out, "len: %" PRIu64 ", cap: %" PRIu64 ", ", count,
			go_word(operand, 2));
	if (!go_word(operand, 0) && with_type)
		fputs("nil", printer->out);
	else
		print_elements(printer, go_element(under), go_word(operand, 0), NULL, count);
}

static void print_struct(struct printer *printer, struct operand *operand, bool with_type)
{
	bool is_tuple = operand->type->name && *operand->type->name == '(';

	if (with_type && !is_tuple) {
		print_type(printer, operand->type);
		fputc(' ', printer->out);
	}
	print_members(printer, operand, is_tuple);
}

static void print_scalar(struct printer *printer, struct operand *operand)
{
	struct number number;

	if (!go_number(operand, &number)) {
		fputs("?", printer->out);
		return;
	}
	switch (type_strip(operand->type)->kind) {
	case TYPE_BOOL: fputs(number.i ? "true" : "false", printer->out); return;
	case TYPE_INT: print_integer(printer, operand, &number); return;
	case TYPE_FLOAT:
		print_real(printer->out, (double)number.re, go_size(operand->type) == 4);
		return;
	default:
		fputc('(', printer->out);
		print_real(printer->out, (double)number.re, go_size(operand->type) == 8);
		fputs(number.im < 0 ? " - " : " + ", printer->out);
		print_real(printer->out, fabs((double)number.im), go_size(operand->type) == 8);
		fputs("i)", printer->out);
	}
}

static void print_kind(struct printer *printer, struct operand *operand, bool with_type)
{
	switch (go_kind(operand->type)) {
	case GO_STRING: print_text(printer, operand); return;
	case GO_SLICE:
	case GO_ARRAY: print_array(printer, operand, with_type); return;
	case GO_STRUCT: print_struct(printer, operand, with_type); return;
	case GO_MAP:
		if (with_type || !go_word(operand, 0)) {
			print_type(printer, operand->type);
			fputc(' ', printer->out);
		}
		if (go_word(operand, 0))
			print_map(printer, operand);
		else
			fputs("nil", printer->out);
		return;
	case GO_INTERFACE: print_interface(printer, operand); return;
	case GO_POINTER: print_pointer(printer, operand, with_type); return;
	case GO_UNSAFE_POINTER:
		fprintf(printer->out, "unsafe.Pointer(0x%" PRIx64 ")", go_word(operand, 0));
		return;
	case GO_FUNC: print_function(printer, operand); return;
	case GO_CHAN: print_channel(printer, operand); return;
	default: print_scalar(printer, operand);
	}
}

static void print(struct printer *printer, struct operand *operand, bool with_type)
{
	struct dc_error *err = go_load(printer->context, operand);

	if (err) {
		print_error(printer, err);
		return;
	}
	if (++printer->depth > DEPTH_MAX)
		fputs("...", printer->out);
	else if (!operand->bytes && !operand->text)
		fputs("?", printer->out);
	else
		print_kind(printer, operand, with_type);
	printer->depth--;
}

struct dc_error *go_print(const struct language *language, const struct environment *environment,
			  const struct value *value, char format, char **ret)
{
	struct context context;
	struct printer printer = { .context = &context, .format = format };
	struct operand operand;
	size_t size;
	locale_t users;

	(void)language;
	*ret = NULL;
	if (type_strip(value->type)->kind == TYPE_VOID)
		return NULL;
	printer.out = open_memstream(ret, &size);
	if (!printer.out)
		return &dc_out_of_memory;
	context_begin(&context, environment);
	users = uselocale(locale_plain());
	operand = context_take(&context, value);
	if (value->lvalue == LVALUE_FUNCTION)
		fprintf(printer.out, "%s", value->name ?: "func");
	else
		print(&printer, &operand, true);
	uselocale(users);
	context_end(&context);
	return fclose(printer.out) ? &dc_out_of_memory : NULL;
}
