// SPDX-License-Identifier: MIT
// Characters and strings as gdb writes them: printable ones as they are, the rest as octal escapes,
// long runs as 'x' <repeats N times>.
#include "debugger/lang/c/printer.h"

#include "debugger/base/cleanup.h"
#include "debugger/values/locales.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <wctype.h>

const char *print_character_prefix(const struct type *type)
{
	static const struct {
		const char *name, *prefix;
	} wide[] = { { "wchar_t", "L" }, { "char16_t", "u" }, { "char32_t", "U" } };

	for (;; type = type->target) {
		for (size_t i = 0; type->name && i < sizeof(wide) / sizeof(wide[0]); i++)
			if (strcmp(type->name, wide[i].name) == 0 && type->size <= 4)
				return wide[i].prefix;
		if (type->kind != TYPE_TYPEDEF)
			break;
	}
	return type->kind == TYPE_INT && type->is_char && type->size == 1 ? "" : NULL;
}

static bool is_printable(uint32_t c)
{
	locale_t unicode = locale_unicode();

	if (c < 0x80)
		return c >= 0x20 && c < 0x7f;
	return unicode && iswprint_l(c, unicode);
}

// One character of the text: a code point, or units that encode none.
struct glyph {
	uint32_t c;
	bool is_valid, is_incomplete; // incomplete: the text ends within it
	const unsigned char *bytes;
	unsigned size;
};

static void utf8_glyph(const unsigned char *s, uint64_t left, struct glyph *ret)
{
	unsigned n = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;
	uint32_t c = n == 1 ? s[0] : n ? s[0] & (0x7f >> n) : 0;
	unsigned i;

	for (i = 1; i < n && i < left && (s[i] & 0xc0) == 0x80; i++)
		c = c << 6 | (s[i] & 0x3f);
	if (n == 0)
		return;
	if (i < n) {
		ret->is_incomplete = i == left;
		if (ret->is_incomplete)
			ret->size = i;
		return;
	}
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
	    (c >= 0xd800 && c < 0xe000))
		return;
	ret->c = c;
	ret->is_valid = true;
	ret->size = n;
}

static struct glyph next_glyph(const unsigned char *s, uint64_t left, unsigned width)
{
	struct glyph glyph = { .bytes = s, .size = width };
	uint16_t units[2] = { 0, 0 };

	if (width == 1) {
		utf8_glyph(s, left, &glyph);
	} else if (width == 2) {
		memcpy(units, s, left >= 4 ? 4 : 2);
		glyph.c = units[0];
		glyph.is_valid = units[0] < 0xd800 || units[0] >= 0xe000;
		if (units[0] >= 0xd800 && units[0] < 0xdc00 && units[1] >= 0xdc00 &&
		    units[1] < 0xe000) {
			glyph.c = 0x10000 + ((units[0] - 0xd800u) << 10) + (units[1] - 0xdc00u);
			glyph.is_valid = true;
			glyph.size = 4;
		}
	} else {
		memcpy(&glyph.c, s, 4);
		glyph.is_valid = glyph.c <= 0x10ffff && (glyph.c < 0xd800 || glyph.c >= 0xe000);
	}
	return glyph;
}

// Whatever the locale: the tool's output is UTF-8.
static void put_utf8(FILE *out, uint32_t c)
{
	if (c < 0x80) {
		fputc(c, out);
		return;
	}
	if (c < 0x800) {
		fputc(0xc0 | c >> 6, out);
	} else {
		if (c < 0x10000) {
			fputc(0xe0 | c >> 12, out);
		} else {
			fputc(0xf0 | c >> 18, out);
			fputc(0x80 | (c >> 12 & 0x3f), out);
		}
		fputc(0x80 | (c >> 6 & 0x3f), out);
	}
	fputc(0x80 | (c & 0x3f), out);
}

// after_hex: the last thing written was \x…, which a digit would prolong.
static void put_glyph(FILE *out, const struct glyph *glyph, unsigned width, char quote,
		      bool *after_hex)
{
	static const char codes[] = "\a\b\f\n\r\t\v", letters[] = "abfnrtv";
	bool guard = *after_hex;
	const char *code = glyph->is_valid && glyph->c && glyph->c < 0x80
				   ? strchr(codes, (int)glyph->c)
				   : NULL;

	*after_hex = false;
	if (code) {
		fprintf(out, "\\%c", letters[code - codes]);
		return;
	}
	if (glyph->is_valid && is_printable(glyph->c) &&
	    !(guard && glyph->c < 0x80 && isxdigit((int)glyph->c))) {
		if (glyph->c == (unsigned char)quote || glyph->c == '\\')
			fputc('\\', out);
		put_utf8(out, glyph->c);
		return;
	}
	for (unsigned i = 0; i + width <= glyph->size; i += width) {
		uint32_t value = 0;

		memcpy(&value, glyph->bytes + i, width);
		if (value <= 0777) {
			fprintf(out, "\\%03o", value);
		} else {
			fprintf(out, "\\x%" PRIx32, value);
			*after_hex = true;
		}
	}
}

// Characters are one, two or four bytes wide.
static unsigned width_of(const struct type *type)
{
	uint64_t size = type_strip(type)->size;

	return size == 2 || size == 4 ? size : 1;
}

void print_character(struct printer *printer, const struct type *type, uint32_t c)
{
	unsigned width = width_of(type);
	struct glyph glyph = next_glyph((const unsigned char *)&c, width, width);
	bool after_hex = false;

	fprintf(printer->out, "%s'", print_character_prefix(type));
	put_glyph(printer->out, &glyph, width, '\'', &after_hex);
	fputc('\'', printer->out);
}

// By their bytes: two invalid ones are the same only when they look the same.
static bool same_glyph(const struct glyph *a, const struct glyph *b)
{
	return a->size == b->size && a->is_valid == b->is_valid &&
	       a->is_incomplete == b->is_incomplete && memcmp(a->bytes, b->bytes, a->size) == 0;
}

// What was written last decides about quotes and commas before the next.
enum state { START, QUOTED, APART };

static void put_run(FILE *out, const char *prefix, const struct glyph *glyph, uint64_t repeats,
		    unsigned width, enum state *state, bool *after_hex)
{
	bool is_run = repeats > PRINT_REPEATS && !glyph->is_incomplete;

	if (!is_run && !glyph->is_incomplete) {
		if (*state != QUOTED) {
			fprintf(out, "%s%s\"", *state == APART ? ", " : "", prefix);
			*after_hex = false;
		}
		for (; repeats > 0; repeats--)
			put_glyph(out, glyph, width, '"', after_hex);
		*state = QUOTED;
		return;
	}
	fputs(*state == QUOTED ? "\", " : *state == APART ? ", " : "", out);
	*after_hex = false;
	if (is_run) {
		fprintf(out, "%s'", prefix);
		put_glyph(out, glyph, width, '\'', after_hex);
		fprintf(out, "' <repeats %" PRIu64 " times>", repeats);
	} else {
		fputs("<incomplete sequence ", out);
		put_glyph(out, glyph, width, '"', after_hex);
		fputc('>', out);
	}
	*state = APART;
}

// As in gdb, runs are folded before the limit is counted, and the limit falls between runs.
void print_text(struct printer *printer, const struct type *type, const unsigned char *bytes,
		uint64_t n, bool truncated)
{
	static const unsigned char zeros[4];
	const char *prefix = print_character_prefix(type);
	unsigned width = width_of(type);
	uint64_t end = n * width, at = 0, printed = 0;
	enum state state = START;
	bool after_hex = false;

	// The last NUL of a whole string goes without saying.
	if (!truncated && n > 0 && memcmp(bytes + end - width, zeros, width) == 0)
		end -= width;
	if (end == 0) {
		fprintf(printer->out, "%s\"\"", prefix);
		return;
	}
	while (at < end && printed < PRINT_ELEMENTS) {
		struct glyph glyph = next_glyph(bytes + at, end - at, width), next;
		uint64_t repeats = 1;

		for (at += glyph.size; at < end; at += next.size, repeats++) {
			next = next_glyph(bytes + at, end - at, width);
			if (!same_glyph(&glyph, &next))
				break;
		}
		put_run(printer->out, prefix, &glyph, repeats, width, &state, &after_hex);
		printed += repeats;
	}
	if (state == QUOTED)
		fputc('"', printer->out);
	if (truncated || at < end)
		fputs("...", printer->out);
}

// Reads up to a NUL or the limit. Page by page, for the page behind a string may be missing.
static struct dc_error *read_string(struct printer *printer, uint64_t addr, unsigned width,
				    unsigned char *bytes, uint64_t limit, uint64_t *n, bool *ended)
{
	static const unsigned char zeros[4];
	uint64_t read = 0;

	*n = 0;
	*ended = false;
	while (*n < limit && !*ended) {
		uint64_t want = limit * width - read, left = 4096 - ((addr + read) & 4095);

		if (want > left)
			want = left;

		struct dc_error *err = printer->caller->read(printer->caller->arg, addr + read,
							     bytes + read, want);

		if (err)
			return err;
		for (read += want; !*ended && (*n + 1) * width <= read; (*n)++)
			*ended = memcmp(bytes + *n * width, zeros, width) == 0;
	}
	return NULL;
}

void print_string_at(struct printer *printer, const struct type *type, uint64_t addr)
{
	// One more than is shown, to know whether there is more.
	unsigned char bytes[(PRINT_ELEMENTS + 1) * 4];
	unsigned width = width_of(type);
	uint64_t n;
	bool ended;
	_cleanup_error_ struct dc_error *err = read_string(printer, addr, width, bytes,
							   PRINT_ELEMENTS + 1, &n, &ended);
	bool more = n > PRINT_ELEMENTS && !ended;

	if (n > PRINT_ELEMENTS)
		n = PRINT_ELEMENTS;
	if (!err || n > 0)
		print_text(printer, type, bytes, n, more);
	if (err)
		fprintf(printer->out, "<error: Cannot access memory at address 0x%" PRIx64 ">",
			addr + n * width);
}
