// SPDX-License-Identifier: MIT
// Commands that print values: alone, by a format, again and again.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int command_output(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *expression = words->operands[0];
	struct dc_result result;
	char *text = NULL;
	struct dc_error *err = shell_evaluate(words->shell, expression, &result);

	(void)session;
	if (!err)
		err = dc_value_text(result.value, 0, &text);
	if (!err) {
		record_begin(out, "output");
		record_text(out, "value", text);
		record_end(out);
	}
	free(text);
	dc_result_deinit(&result);
	return err ? report_failure(out, expression, err) : 0;
}

int command_repeat(struct dc_session *session, const struct words *words, struct records *out)
{
	struct words repeated = *words;
	char *end;
	unsigned long long n = strtoull(words->operands[0], &end, 10);

	if (!isdigit((unsigned char)*words->operands[0]) || !isspace((unsigned char)*end) || !n ||
	    n > 100 * 1000 * 1000)
		return report_message(out, DC_USAGE, "repeat wants a number of times, then a call");
	end += strspn(end, " \t");
	repeated.repeat = n;
	repeated.operands = (const char *const[]){ end };
	return command_evaluate(session, &repeated, out);
}

// ---- display --------------------------------------------------------------------------------------

static int show_display(struct shell *shell, const struct display *display, bool everywhere)
{
	struct dc_result result;
	char *text = NULL;
	struct dc_error *err = shell_evaluate(shell, display->expression, &result);

	if (!err)
		err = dc_value_text(result.value, 0, &text);
	if (!err) {
		record_begin(shell->out, "display");
		record_count(shell->out, "number", display->number);
		record_text(shell->out, "expr", display->expression);
		record_text(shell->out, "value", text);
		record_end(shell->out);
	}
	free(text);
	dc_result_deinit(&result);
	// A frame that has not its names is passed over.
	if (err && !everywhere && err->code == DC_NAME) {
		dc_error_destroy(err);
		return 0;
	}
	return err ? report_failure(shell->out, display->expression, err) : 0;
}

void shell_show_displays(struct shell *shell)
{
	for (const struct display *each = shell->displays; each; each = each->next)
		show_display(shell, each, false);
}

int command_display(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct display **last = &shell->displays;
	int status = 0;

	(void)session;
	if (!words->nr) {
		for (const struct display *each = shell->displays; each; each = each->next) {
			int failed = show_display(shell, each, true);

			status = status ? status : failed;
		}
		return status;
	}

	struct display *display = calloc(1, sizeof(*display));

	if (display)
		display->expression = strdup(words->operands[0]);
	if (!display || !display->expression) {
		free(display);
		return report_memory(out);
	}
	display->number = shell->last_display + 1;
	status = show_display(shell, display, true);
	// What cannot be printed now would fail at each stop.
	if (status) {
		free(display->expression);
		free(display);
		return status;
	}
	shell->last_display++;
	while (*last)
		last = &(*last)->next;
	*last = display;
	return 0;
}

static bool forget(struct shell *shell, unsigned long number)
{
	for (struct display **at = &shell->displays; *at; at = &(*at)->next) {
		struct display *display = *at;

		if (number && display->number != number)
			continue;
		*at = display->next;
		free(display->expression);
		free(display);
		return true;
	}
	return false;
}

int command_undisplay(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	if (!words->nr) {
		while (forget(words->shell, 0))
			;
		return 0;
	}
	for (size_t i = 0; i < words->nr; i++) {
		unsigned long number = strtoul(words->operands[i], NULL, 10);

		if (!number || !forget(words->shell, number))
			return report_message(out, DC_USAGE, "no display '%.100s'",
					      words->operands[i]);
	}
	return 0;
}

int command_info_display(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	for (const struct display *each = words->shell->displays; each; each = each->next) {
		record_begin(out, "display");
		record_count(out, "number", each->number);
		record_text(out, "expr", each->expression);
		record_end(out);
	}
	return 0;
}

// ---- text -----------------------------------------------------------------------------------------

// One character behind a backslash as C writes it; *text is moved on.
static int escape(const char **text)
{
	static const char letters[] = "abefnrtv\\\"'", meant[] = "\a\b\033\f\n\r\t\v\\\"'";
	const char *at = strchr(letters, **text);
	int value = 0, n = 0;

	if (**text == 'x') {
		++*text;
		for (; n < 2 && isxdigit((unsigned char)**text); n++, ++*text)
			value = 16 * value + (isdigit((unsigned char)**text)
						      ? **text - '0'
						      : (**text | 0x20) - 'a' + 10);
		return value;
	}
	for (; n < 3 && **text >= '0' && **text <= '7'; n++, ++*text)
		value = 8 * value + (**text - '0');
	if (n)
		return value & 0xff;
	value = (unsigned char)**text;
	if (**text)
		++*text;
	return at && *at ? meant[at - letters] : value;
}

static void say(struct records *out, const char *text)
{
	record_begin(out, "echo");
	record_text(out, "text", text);
	record_end(out);
}

int command_echo(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *text = words->nr ? words->operands[0] : "";
	char *said = malloc(strlen(text) + 1);
	size_t n = 0;

	(void)session;
	if (!said)
		return report_memory(out);
	while (*text) {
		if (*text != '\\') {
			said[n++] = *text++;
			continue;
		}
		text++;
		// One that ends the line holds blanks before it.
		int c = *text ? escape(&text) : 0;
		if (c)
			said[n++] = (char)c;
	}
	said[n] = '\0';
	say(out, said);
	free(said);
	return 0;
}

// ---- printf ---------------------------------------------------------------------------------------

struct printing {
	struct shell *shell;
	FILE *out;
	const char *format; // what is left of it
	const char *arguments;
	char *argument; // the one under way
};

// The next argument; NULL: there is none.
static const char *next_argument(struct printing *printing)
{
	const char *at = printing->arguments + strspn(printing->arguments, " \t,");
	const char *end = shell_part_end(at);

	free(printing->argument);
	printing->argument = *at ? strndup(at, (size_t)(end - at)) : NULL;
	printing->arguments = end;
	return printing->argument;
}

// A target's text must not command the terminal.
static void put_visible(FILE *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static struct dc_error *read_string(struct shell *shell, const struct dc_value *value, char **ret)
{
	enum { STRING_MAX_BYTES = 1 << 16, STEP = 256 };
	uint64_t addr = 0;
	size_t n = 0, got = STEP;
	char *text;

	*ret = NULL;
	if (value->type.kind == DC_TYPE_ARRAY && value->bytes) {
		*ret = strndup(value->bytes, value->type.size);
		return NULL;
	}
	if (value->type.kind != DC_TYPE_POINTER || !value->bytes)
		return dc_value_text(value, 0, ret);
	memcpy(&addr, value->bytes, sizeof(addr));
	text = malloc(STRING_MAX_BYTES + 1);
	while (text && n < STRING_MAX_BYTES && got == STEP) {
		struct dc_error *err = dc_read_memory(shell->session, addr + n, text + n, STEP,
						      &got);

		if (err && !n) {
			free(text);
			return err;
		}
		dc_error_destroy(err);

		char *end = memchr(text + n, '\0', got);

		n = end ? (size_t)(end - text) : n + got;
		if (end)
			break;
	}
	if (text)
		text[n] = '\0';
	*ret = text;
	return NULL;
}

static struct dc_error *put_string(struct printing *printing, const char *spec,
				   const char *argument)
{
	struct dc_result result;
	char *text = NULL, *shown = NULL;
	struct dc_error *err = shell_evaluate(printing->shell, argument, &result);

	if (!err)
		err = read_string(printing->shell, result.value, &text);
	dc_result_deinit(&result);
	if (!err && text) {
		// Precision and width first, then what is not for a terminal.
		if (asprintf(&shown, spec, text) >= 0)
			put_visible(printing->out, shown, strlen(shown));
		free(shown);
	}
	free(text);
	return err;
}

static struct dc_error *put_number(struct printing *printing, const char *spec, char conversion,
				   const char *argument)
{
	uint64_t integer = 0;
	double real = 0;
	struct dc_error *err;

	if (strchr("eEfFgGaA", conversion)) {
		err = shell_real(printing->shell, argument, &real);
		if (!err)
			fprintf(printing->out, spec, real);
		return err;
	}
	err = shell_integer(printing->shell, argument, &integer);
	if (err)
		return err;
	// A negative int is one of 32 bits to them, not the 64 that it was made.
	if (strchr("ouxX", conversion) && (int64_t)integer < 0 && (int64_t)integer >= INT32_MIN)
		integer = (uint32_t)integer;
	if (conversion == 'c' && integer < 0x80)
		put_visible(printing->out, &(char){ (char)integer }, 1);
	else if (conversion == 'c')
		fputc((int)(integer & 0xff), printing->out);
	else if (conversion == 'p')
		fprintf(printing->out, "0x%llx", (unsigned long long)integer);
	else
		fprintf(printing->out, spec, (unsigned long long)integer);
	return NULL;
}

// A conversion behind its '%'. How wide the argument is it says itself: all are made 64 bits.
static struct dc_error *convert(struct printing *printing, const char **complaint)
{
	static const char flags[] = "-+ #0", digits[] = "0123456789.", lengths[] = "hlLqjzt";
	const char *format = printing->format;
	size_t n = strspn(format, flags), width = strspn(format + n, digits);
	size_t length = strspn(format + n + width, lengths);
	char conversion = format[n + width + length], spec[64];
	bool is_number = conversion && strchr("diouxXcpeEfFgGaA", conversion);
	const char *argument;

	if (!conversion || (!is_number && conversion != 's') || n + width > 24) {
		*complaint = "printf knows the conversions d i o u x X c p s e f g a";
		return NULL;
	}
	argument = next_argument(printing);
	if (!argument) {
		*complaint = "printf has more conversions than expressions";
		return NULL;
	}
	if (conversion == 's')
		snprintf(spec, sizeof(spec), "%%%.*ss", (int)(n + width), format);
	else
		snprintf(spec, sizeof(spec), "%%%.*s%s%c", (int)(n + width), format,
			 strchr("diouxX", conversion) ? "ll" : "", conversion);
	printing->format += n + width + length + 1;
	if (conversion == 's')
		return put_string(printing, spec, argument);
	return put_number(printing, spec, conversion, argument);
}

static struct dc_error *put_all(struct printing *printing, const char *end, const char **complaint)
{
	struct dc_error *err = NULL;

	while (!err && !*complaint && printing->format < end) {
		char c = *printing->format++;

		if (c == '\\')
			fputc(escape(&printing->format), printing->out);
		else if (c != '%')
			fputc(c, printing->out);
		else if (*printing->format == '%')
			fputc(*printing->format++, printing->out);
		else
			err = convert(printing, complaint);
	}
	if (!err && !*complaint && next_argument(printing))
		*complaint = "printf has more expressions than conversions";
	return err;
}

int command_printf(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *text = words->operands[0], *end = shell_part_end(text), *complaint = NULL;
	struct printing printing = { .shell = words->shell };
	size_t length = (size_t)(end - text), size;
	char *said = NULL;

	(void)session;
	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	if (length < 2 || *text != '"' || text[length - 1] != '"')
		return report_message(out, DC_USAGE, "printf wants a format in quotes first");
	printing.format = text + 1;
	printing.arguments = end;
	printing.out = open_memstream(&said, &size);
	if (!printing.out)
		return report_memory(out);

	struct dc_error *err = put_all(&printing, text + length - 1, &complaint);
	int status = 0;

	if (err)
		status = report_failure(out, printing.argument, err);
	else if (complaint)
		status = report_message(out, DC_USAGE, "%s", complaint);
	if (fclose(printing.out))
		status = report_memory(out);
	else if (!status)
		say(out, said);
	free(printing.argument);
	free(said);
	return status;
}
