// SPDX-License-Identifier: MIT
// Memory as it is: x examines it, find searches it.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/values.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 1 << 20, STRING_MAX_BYTES = 1 << 16, INSTRUCTION_MAX = 15 };

struct examination {
	struct shell *shell;
	uint64_t addr;
	unsigned long count;
	bool backwards;
	char format, unit;
};

static unsigned unit_size(char unit)
{
	switch (unit) {
	case 'b': return 1;
	case 'h': return 2;
	case 'w': return 4;
	default: return 8;
	}
}

static bool parse_format(const char *text, struct examination *ret)
{
	char *end = (char *)text;

	if (*text == '-') {
		ret->backwards = true;
		text++;
	}
	if (isdigit((unsigned char)*text)) {
		ret->count = strtoul(text, &end, 10);
		text = end;
	}
	for (; *text; text++) {
		// 'a' and 'c' fix the unit, as in gdb.
		if (strchr("bhwg", *text))
			ret->unit = *text;
		else if (strchr("xduotacfsiz", *text))
			ret->format = *text;
		else
			return false;
	}
	if (ret->format == 'a')
		ret->unit = 'g';
	if (ret->format == 'c' && !strchr("bhwg", ret->unit))
		ret->unit = 'b';
	if (ret->format == 'f' && (ret->unit == 'b' || ret->unit == 'h'))
		ret->unit = 'g';
	return ret->count <= COUNT_MAX;
}

static void say_place(struct examination *x, uint64_t addr)
{
	struct dc_symbol symbol;
	struct dc_error *err = dc_symbol_at(x->shell->session, addr, &symbol);

	record_address(x->shell->out, "address", addr);
	if (!err && symbol.name) {
		record_text(x->shell->out, "symbol", symbol.name);
		record_count(x->shell->out, "offset", symbol.offset);
	}
	dc_error_destroy(err);
}

static void say_binary(struct records *out, uint64_t value, unsigned bits)
{
	char text[65];

	for (unsigned i = 0; i < bits; i++)
		text[i] = '0' + (value >> (bits - 1 - i) & 1);
	text[bits] = '\0';
	record_text(out, NULL, text);
}

static void say_character(struct records *out, int64_t value)
{
	if (value >= ' ' && value < 0x7f && value != '\'' && value != '\\')
		record_format(out, NULL, "%" PRId64 " '%c'", value, (char)value);
	else
		record_format(out, NULL, "%" PRId64 " '\\%03o'", value, (unsigned)(value & 0xff));
}

static void say_symbolic(struct examination *x, uint64_t value)
{
	struct dc_symbol symbol;
	struct dc_error *err = dc_symbol_at(x->shell->session, value, &symbol);

	if (!err && symbol.name)
		record_format(x->shell->out, NULL, "0x%" PRIx64 " <%s+%" PRIu64 ">", value,
			      symbol.name, symbol.offset);
	else
		record_format(x->shell->out, NULL, "0x%" PRIx64, value);
	dc_error_destroy(err);
}

static void say_number(struct examination *x, const unsigned char *bytes)
{
	struct records *out = x->shell->out;
	unsigned size = unit_size(x->unit), bits = 8 * size;
	uint64_t value = 0;
	float single;
	double real;

	memcpy(&value, bytes, size);

	int64_t signed_value = (int64_t)(value << (64 - bits)) >> (64 - bits);

	switch (x->format) {
	case 'd': record_format(out, NULL, "%" PRId64, signed_value); break;
	case 'u': record_format(out, NULL, "%" PRIu64, value); break;
	case 'o': record_format(out, NULL, "0%" PRIo64, value); break;
	case 'z': record_format(out, NULL, "0x%0*" PRIx64, 2 * (int)size, value); break;
	case 't': say_binary(out, value, bits); break;
	case 'c': say_character(out, signed_value); break;
	case 'a': say_symbolic(x, value); break;
	case 'f':
		memcpy(&single, bytes, sizeof(single));
		memcpy(&real, bytes, sizeof(real));
		record_format(out, NULL, "%.*g", size == 4 ? 9 : 17, size == 4 ? single : real);
		break;
	default: record_format(out, NULL, "0x%0*" PRIx64, 2 * (int)size, value); break;
	}
}

static int report_unreadable(struct examination *x, struct dc_error *err)
{
	return report_failure(x->shell->out, NULL, err);
}

static int show_numbers(struct examination *x)
{
	unsigned size = unit_size(x->unit);
	size_t per_line = x->format == 'c' || x->format == 't' ? 8 / (size < 4 ? 1 : size / 2)
			  : x->format == 'a'		       ? 2
			  : size == 8			       ? 2
			  : size == 4			       ? 4
							       : 8;
	unsigned char bytes[64];
	unsigned long left = x->count;

	if (x->format == 't' && size > 2)
		per_line = 1;
	while (left && !x->shell->out->unwanted) {
		size_t n = left < per_line ? left : per_line, got;
		struct dc_error *err = dc_read_memory(x->shell->session, x->addr, bytes, n * size,
						      &got);

		if (err)
			return report_unreadable(x, err);
		if (got < n * size)
			n = got / size;
		if (n) {
			record_begin(x->shell->out, "memory");
			say_place(x, x->addr);
			record_list(x->shell->out, "values");
			for (size_t i = 0; i < n; i++)
				say_number(x, bytes + i * size);
			record_close(x->shell->out);
			record_end(x->shell->out);
		} else {
			return report_message(x->shell->out, DC_VALUE,
					      "memory at 0x%" PRIx64 " cannot be read",
					      x->addr + got);
		}
		x->addr += n * size;
		left -= n;
	}
	return 0;
}

// As C would write it; the target's bytes are not for the terminal.
static void say_string(struct records *out, const char *text, size_t n, bool whole)
{
	char *shown = malloc(4 * n + 8), *at = shown;

	if (!shown) {
		out->lost = true;
		return;
	}
	*at++ = '"';
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			at += sprintf(at, "\\%c", c);
		else if (c == '\n')
			at += sprintf(at, "\\n");
		else if (c == '\t')
			at += sprintf(at, "\\t");
		else if (c < ' ' || c == 0x7f)
			at += sprintf(at, "\\%03o", c);
		else
			*at++ = (char)c;
	}
	sprintf(at, whole ? "\"" : "\"...");
	record_text(out, "text", shown);
	free(shown);
}

static int show_strings(struct examination *x)
{
	enum { SHOWN = 200 };
	char text[SHOWN];

	for (unsigned long i = 0; i < x->count && !x->shell->out->unwanted; i++) {
		size_t got;
		struct dc_error *err = dc_read_memory(x->shell->session, x->addr, text,
						      sizeof(text), &got);

		if (err)
			return report_unreadable(x, err);

		const char *end = memchr(text, '\0', got);
		size_t n = end ? (size_t)(end - text) : got;

		record_begin(x->shell->out, "memory");
		say_place(x, x->addr);
		say_string(x->shell->out, text, n, end);
		record_end(x->shell->out);
		x->addr += n + (end != NULL);
	}
	return 0;
}

struct disassembly {
	struct examination *x;
	unsigned long left;
};

static bool show_instruction(const struct dc_instruction *instruction, void *arg)
{
	struct disassembly *disassembly = arg;
	struct examination *x = disassembly->x;

	record_begin(x->shell->out, "instruction");
	say_place(x, instruction->addr);
	shell_say_instruction(x->shell->out, instruction);
	record_end(x->shell->out);
	x->addr = instruction->addr + instruction->size;
	return --disassembly->left && !x->shell->out->unwanted;
}

static int show_instructions(struct examination *x)
{
	struct disassembly disassembly = { x, x->count };
	struct dc_error *err = x->count ? dc_disassemble(x->shell->session, x->addr,
							 x->addr + INSTRUCTION_MAX * x->count,
							 show_instruction, &disassembly)
					: NULL;

	return err ? report_failure(x->shell->out, NULL, err) : 0;
}

// Its address where the expression is an object that is no pointer: "x/4xw table".
static struct dc_error *address_of(struct shell *shell, const char *text, uint64_t *ret)
{
	struct dc_result result;
	struct dc_error *err = shell_evaluate(shell, text, &result);

	if (err)
		return err;

	const struct dc_value *value = result.value;
	bool is_object = value->lvalue == DC_LVALUE_MEMORY &&
			 (value->type.kind == DC_TYPE_ARRAY || value->type.kind == DC_TYPE_STRUCT ||
			  value->type.kind == DC_TYPE_UNION ||
			  value->type.kind == DC_TYPE_FUNCTION);

	*ret = value->addr;
	dc_result_deinit(&result);
	return is_object ? NULL : shell_integer(shell, text, ret);
}

int command_examine(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct examination x = { .shell = shell,
				 .addr = shell->examine_at,
				 .count = 1,
				 .format = shell->examine_format ? shell->examine_format : 'x',
				 .unit = shell->examine_unit ? shell->examine_unit : 'w' };
	int status;

	(void)session;
	if (words->format && !parse_format(words->format, &x))
		return report_message(
			out, DC_USAGE,
			"/%.20s: x wants /NFU, a count, one of x d u o t z a c f s i, "
			"one of b h w g",
			words->format);
	if (words->nr && !words->again) {
		struct dc_error *err = address_of(shell, words->operands[0], &x.addr);

		if (err)
			return report_failure(out, words->operands[0], err);
	} else if (!shell->examine_at) {
		return report_message(out, DC_USAGE, "x wants an address");
	}
	if (x.backwards)
		x.addr -= x.count * unit_size(x.unit);
	if (x.format == 's')
		status = show_strings(&x);
	else if (x.format == 'i')
		status = show_instructions(&x);
	else
		status = show_numbers(&x);
	shell->examine_at = x.addr;
	shell->examine_format = x.format;
	shell->examine_unit = x.unit;
	return status;
}

// ---- find -----------------------------------------------------------------------------------------

struct search {
	unsigned char *pattern;
	size_t size;
};

static bool add_bytes(struct search *search, const void *bytes, size_t n)
{
	unsigned char *more = realloc(search->pattern, search->size + n);

	if (!more)
		return false;
	memcpy(more + search->size, bytes, n);
	search->pattern = more;
	search->size += n;
	return true;
}

// The value's bytes as the program has them; a string without its NUL, a number in /b /h /w /g.
static struct dc_error *add_value(struct shell *shell, struct search *search, const char *text,
				  unsigned size)
{
	struct dc_result result;
	struct dc_error *err = shell_evaluate(shell, text, &result);
	uint64_t number;

	if (err)
		return err;
	if (result.value->type.kind == DC_TYPE_ARRAY && result.value->bytes) {
		size_t n = result.value->type.size;

		add_bytes(search, result.value->bytes, n - (n && *text == '"'));
	} else if (size) {
		err = shell_integer(shell, text, &number);
		if (!err)
			add_bytes(search, &number, size);
	} else if (result.value->bytes) {
		add_bytes(search, result.value->bytes, result.value->type.size);
	}
	dc_result_deinit(&result);
	return err;
}

static int search_range(struct shell *shell, const struct search *search, uint64_t start,
			uint64_t length, unsigned long max)
{
	enum { STEP = 1 << 16 };
	size_t room = STEP + search->size, n = 0;
	unsigned char *bytes = malloc(room);
	unsigned long found = 0;

	if (!bytes)
		return report_memory(shell->out);
	for (uint64_t at = start, end = start + length; at < end && found < max;) {
		size_t got = 0;

		n = end - at < room ? (size_t)(end - at) : room;

		struct dc_error *err = dc_read_memory(shell->session, at, bytes, n, &got);

		if (err && err->code != DC_VALUE) {
			free(bytes);
			return report_failure(shell->out, NULL, err);
		}
		dc_error_destroy(err);
		for (unsigned char *hit = bytes; got >= search->size && found < max &&
						 (hit = memmem(hit, got - (size_t)(hit - bytes),
							       search->pattern, search->size));
		     hit++) {
			struct examination x = { .shell = shell };

			if ((size_t)(hit - bytes) >= STEP && n == room)
				break;
			record_begin(shell->out, "found");
			say_place(&x, at + (uint64_t)(hit - bytes));
			record_end(shell->out);
			found++;
		}
		// What cannot be read is passed over page by page.
		at = got == n ? at + (n == room ? STEP : n) : (at + got + 4096) & ~UINT64_C(4095);
	}
	free(bytes);
	if (!found)
		return report_message(shell->out, DC_NAME, "not found");
	report_note(shell->out, "%lu found", found);
	return 0;
}

static char *next_part(const char **text)
{
	const char *at = *text + strspn(*text, " \t,"), *end = shell_part_end(at);

	*text = end;
	return *at ? strndup(at, (size_t)(end - at)) : NULL;
}

int command_find_memory(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	const char *text = words->operands[0], *format = words->format ? words->format : "";
	unsigned long max = ULONG_MAX;
	unsigned size = 0;
	struct search search = { 0 };
	uint64_t start = 0, length = 0;
	struct dc_error *err = NULL;

	(void)session;
	for (; *format; format++) {
		if (isdigit((unsigned char)*format)) {
			char *end;

			max = strtoul(format, &end, 10);
			format = end - 1;
		} else if (strchr("bhwg", *format)) {
			size = unit_size(*format);
		} else {
			return report_message(out, DC_USAGE,
					      "/%.20s: find wants b, h, w or g and a number",
					      words->format);
		}
	}

	char *from = next_part(&text), *to = next_part(&text), *part;

	if (!from || !to || !*text) {
		free(from);
		free(to);
		return report_message(out, DC_USAGE, "find wants START, +LENGTH or END, VALUE...");
	}
	err = address_of(shell, from, &start);
	if (!err)
		err = shell_integer(shell, *to == '+' ? to + 1 : to, &length);
	if (!err && *to != '+')
		length = length >= start ? length - start + 1 : 0;
	while (!err && (part = next_part(&text))) {
		err = add_value(shell, &search, part, size);
		free(part);
	}
	free(from);
	free(to);

	int status = err	   ? report_failure(out, NULL, err)
		     : search.size ? search_range(shell, &search, start, length, max)
				   : report_message(out, DC_USAGE, "find wants a value");

	free(search.pattern);
	return status;
}
