// SPDX-License-Identifier: MIT
// Source and machine code: list, disassemble, and what tells one from the other.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/places.h"
#include "debugger/front/shell/values.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

// ---- places by name -------------------------------------------------------------------------------

struct first {
	struct dc_line location;
	size_t n;
};

static bool take_first(const struct dc_line *location, void *arg)
{
	struct first *first = arg;

	if (!first->n++)
		first->location = *location;
	return true;
}

static struct dc_error *find_address(struct shell *shell, const char *text, struct dc_line *ret)
{
	struct dc_frame frame[32];
	size_t n;
	struct dc_error *err = shell_integer(shell, text, &ret->addr);

	if (!err)
		err = dc_describe(shell->session, ret->addr, frame, 32, &n);
	if (err)
		return err;
	ret->function = frame[0].function;
	ret->file = frame[0].file;
	ret->line = frame[0].line;
	return NULL;
}

bool shell_location(struct shell *shell, const char *text, bool entry, struct dc_line *ret,
		    size_t *more, int *status)
{
	struct first first = { .n = 0 };
	struct dc_error *err;

	*ret = (struct dc_line){ 0 };
	*more = 0;
	if (*text == '*')
		err = find_address(shell, text + 1, ret);
	else
		err = dc_find_lines(shell->session, text, &shell->usual.scope, entry, take_first,
				    &first);
	if (err) {
		*status = report_failure(shell->out, NULL, err);
		return false;
	}
	if (*text != '*')
		*ret = first.location;
	*more = first.n > 1 ? first.n - 1 : 0;
	return true;
}

// ---- source files ---------------------------------------------------------------------------------

static FILE *open_under(const char *directory, const char *file)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", directory, file) < PATH_MAX ? fopen(path, "re")
										 : NULL;
}

FILE *shell_open_source(struct shell *shell, const char *file)
{
	const struct settings *settings = &shell->settings;
	const char *slash = strrchr(file, '/');
	size_t n = settings->from ? strlen(settings->from) : 0;
	FILE *in;

	if (n && !strncmp(file, settings->from, n) && (file[n] == '/' || file[n - 1] == '/')) {
		in = open_under(settings->to, file + n);
		if (in)
			return in;
	}
	in = fopen(file, "re");
	if (!in && settings->directory)
		in = open_under(settings->directory, file);
	if (!in && settings->directory && slash)
		in = open_under(settings->directory, slash + 1);
	return in;
}

static int show_lines(struct shell *shell, const char *file, int from, int to, int current)
{
	FILE *in = shell_open_source(shell, file);
	char *line = NULL;
	size_t room = 0;
	int number = 0, shown = 0;

	if (!in)
		return report_message(shell->out, DC_VALUE,
				      "cannot read %s: %s (set directory, set substitute-path)",
				      file, strerror(errno));
	while (number < to && getline(&line, &room, in) >= 0) {
		if (++number < from)
			continue;
		line[strcspn(line, "\r\n")] = '\0';
		record_begin(shell->out, "line");
		record_integer(shell->out, "number", number);
		record_text(shell->out, "text", line);
		if (number == current)
			record_flag(shell->out, "current", true);
		record_end(shell->out);
		shown++;
	}
	free(line);
	fclose(in);
	if (!shown)
		return report_message(shell->out, DC_VALUE, "%s has %d lines", file, number);
	return 0;
}

void shell_show_line(struct shell *shell, const char *file, int line)
{
	FILE *in = shell_open_source(shell, file);

	free(shell->listed_file);
	shell->listed_file = strdup(file);
	shell->listed_from = shell->listed_to = 0;
	if (!in)
		return;
	fclose(in);
	show_lines(shell, file, line, line, line);
}

static int list_at(struct shell *shell, const char *file, int from, int to, int current)
{
	char *copy = strdup(file);

	if (!copy)
		return report_memory(shell->out);
	if (from < 1)
		from = 1;

	int status = show_lines(shell, copy, from, to, current);

	free(shell->listed_file);
	shell->listed_file = copy;
	if (!status) {
		shell->listed_from = from;
		shell->listed_to = to;
	}
	return status;
}

static int list_around(struct shell *shell, const char *file, int line, int current)
{
	int size = (int)shell->settings.list_size;
	int from = line - size / 2 > 1 ? line - size / 2 : 1;

	return list_at(shell, file, from, from + size - 1, current);
}

// The file that a bare line is of: what was listed last, else the frame's.
static const char *file_of_lines(struct shell *shell)
{
	struct dc_place place;

	if (!shell->listed_file) {
		struct dc_error *err = dc_place(shell->session, &shell->usual.scope, &place);

		if (!err && place.frame.file)
			shell->listed_file = strdup(place.frame.file);
		dc_error_destroy(err);
	}
	return shell->listed_file;
}

static int list_frame(struct shell *shell)
{
	struct dc_place place;
	struct dc_error *err = dc_place(shell->session, &shell->usual.scope, &place);

	if (err)
		return report_failure(shell->out, NULL, err);
	if (!place.frame.file)
		return report_message(
			shell->out, DC_NAME,
			"the frame is in no source file: say list FUNCTION or FILE:LINE");
	return list_around(shell, place.frame.file, place.frame.line, place.frame.line);
}

static bool parse_line(const char *text, int *ret)
{
	char *end;
	long number = strtol(text, &end, 10);

	*ret = (int)number;
	end += strspn(end, " \t");
	return isdigit((unsigned char)*text) && !*end && number <= INT32_MAX;
}

// "10,20", "cache.c:10,20": what stands before the comma may be any place.
static int list_range(struct shell *shell, const char *text, const char *comma)
{
	char *from = strndup(text, (size_t)(comma - text));
	const char *to = comma + 1 + strspn(comma + 1, " \t");
	struct dc_line location;
	size_t more;
	int status = 0, first, last;

	if (!from)
		return report_memory(shell->out);
	if (!*from) {
		free(from);
		if (!parse_line(to, &last) || !shell->listed_file)
			return report_message(shell->out, DC_USAGE,
					      "list ,LINE wants a listing before");
		return list_at(shell, shell->listed_file, last - (int)shell->settings.list_size + 1,
			       last, 0);
	}
	if (*to && !parse_line(to, &last)) {
		status = report_message(shell->out, DC_USAGE,
					"list FROM,TO wants a line behind the comma");
	} else if (parse_line(from, &first) && file_of_lines(shell)) {
		status = list_at(shell, shell->listed_file, first,
				 *to ? last : first + (int)shell->settings.list_size - 1, 0);
	} else if (shell_location(shell, from, true, &location, &more, &status)) {
		status = location.file
				 ? list_at(shell, location.file, location.line,
					   *to ? last
					       : location.line + (int)shell->settings.list_size - 1,
					   0)
				 : report_message(shell->out, DC_NAME,
						  "'%.100s' has no source file", from);
	}
	free(from);
	return status;
}

int command_list(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	const char *text = words->nr && !words->again ? words->operands[0] : NULL;
	int size = (int)shell->settings.list_size, line, status = 0;
	struct dc_line location;
	size_t more;

	(void)session;
	if (!text && !shell->listed_to)
		return list_frame(shell);
	if (!text)
		return list_at(shell, shell->listed_file, shell->listed_to + 1,
			       shell->listed_to + size, 0);
	if (!strcmp(text, "-")) {
		if (shell->listed_from <= 1)
			return report_message(out, DC_USAGE, "there is nothing before");
		return list_at(shell, shell->listed_file, shell->listed_from - size,
			       shell->listed_from - 1, 0);
	}

	const char *comma = strchr(text, ',');

	// A template or a function's parameters have commas, too.
	if (comma && !strpbrk(text, "<("))
		return list_range(shell, text, comma);
	if (parse_line(text, &line) && file_of_lines(shell))
		return list_around(shell, shell->listed_file, line, 0);
	if (!shell_location(shell, text, true, &location, &more, &status))
		return status;
	if (!location.file)
		return report_message(out, DC_NAME, "'%.100s' has no source file", text);

	// A line without code is shown, too.
	const char *colon = strrchr(text, ':');

	if (!colon || !parse_line(colon + 1, &line))
		line = location.line;
	return list_around(shell, location.file, line, 0);
}

// ---- disassembly ----------------------------------------------------------------------------------

void shell_say_instruction(struct records *out, const struct dc_instruction *instruction)
{
	record_text(out, "text", instruction->text);
	if (instruction->target) {
		record_address(out, "target", instruction->target);
		if (instruction->target_name) {
			record_text(out, "target_symbol", instruction->target_name);
			record_count(out, "target_offset", instruction->target_offset);
		}
	}
}

struct source_row {
	uint64_t addr;
	char *file;
	int line;
};

struct disassembly {
	struct shell *shell;
	bool bytes, source;
	uint64_t pc; // that is marked; 0: none
	struct source_row *rows;
	size_t nr_rows, next_row;
};

static bool collect_row(const struct dc_line *location, void *arg)
{
	struct disassembly *d = arg;

	if (!location->file || !location->line)
		return true;

	struct source_row *more = reallocarray(d->rows, d->nr_rows + 1, sizeof(*more));

	if (!more)
		return false;
	d->rows = more;
	more[d->nr_rows++] = (struct source_row){ location->addr, strdup(location->file),
						  location->line };
	return true;
}

static void show_source(struct disassembly *d, uint64_t addr)
{
	const struct source_row *row = NULL;

	while (d->next_row < d->nr_rows && d->rows[d->next_row].addr <= addr)
		row = &d->rows[d->next_row++];
	if (!row || !row->file)
		return;
	record_begin(d->shell->out, "source");
	record_text(d->shell->out, "file", row->file);
	record_integer(d->shell->out, "line", row->line);

	FILE *in = shell_open_source(d->shell, row->file);
	char *line = NULL;
	size_t room = 0;

	for (int i = 0; in && i < row->line; i++) {
		if (getline(&line, &room, in) < 0) {
			free(line);
			line = NULL;
			break;
		}
	}
	if (in && line) {
		line[strcspn(line, "\r\n")] = '\0';
		record_text(d->shell->out, "text", line);
	}
	if (in)
		fclose(in);
	free(line);
	record_end(d->shell->out);
}

static bool show_instruction(const struct dc_instruction *instruction, void *arg)
{
	struct disassembly *d = arg;
	struct records *out = d->shell->out;
	struct dc_symbol symbol;
	const unsigned char *bytes = instruction->bytes;
	char hex[3 * 16 + 1];

	if (d->source)
		show_source(d, instruction->addr);
	dc_error_destroy(dc_symbol_at(d->shell->session, instruction->addr, &symbol));
	record_begin(out, "instruction");
	record_address(out, "address", instruction->addr);
	if (symbol.name) {
		record_text(out, "symbol", symbol.name);
		record_count(out, "offset", symbol.offset);
	}
	if (d->bytes) {
		for (size_t i = 0; i < instruction->size && i < 16; i++)
			sprintf(hex + 3 * i, "%02x ", bytes[i]);
		record_text(out, "bytes", hex);
	}
	shell_say_instruction(out, instruction);
	if (instruction->addr == d->pc)
		record_flag(out, "current", true);
	record_end(out);
	return !out->unwanted;
}

static void disassembly_deinit(struct disassembly *d)
{
	for (size_t i = 0; i < d->nr_rows; i++)
		free(d->rows[i].file);
	free(d->rows);
}

// The bounds of the function around an address. Without a symbol: a little behind it.
static struct dc_error *bounds(struct shell *shell, uint64_t addr, uint64_t *start, uint64_t *end)
{
	enum { BEHIND = 64 };
	struct dc_symbol symbol;
	struct dc_error *err = dc_symbol_at(shell->session, addr, &symbol);

	*start = addr;
	*end = addr + BEHIND;
	if (!err && symbol.name && symbol.size > symbol.offset) {
		*start = addr - symbol.offset;
		*end = *start + symbol.size;
	}
	return err;
}

static int find_range(struct shell *shell, const char *text, uint64_t *start, uint64_t *end)
{
	const char *comma = text ? strchr(text, ',') : NULL;
	struct dc_line location;

	if (comma && !strpbrk(text, "<(")) {
		char *from = strndup(text, (size_t)(comma - text));
		const char *to = comma + 1 + strspn(comma + 1, " \t");
		struct dc_error *err = from ? shell_integer(shell, from, start) : NULL;

		if (!err)
			err = shell_integer(shell, *to == '+' ? to + 1 : to, end);
		if (!err && *to == '+')
			*end += *start;
		free(from);
		return err ? report_failure(shell->out, NULL, err) : 0;
	}
	if (!text) {
		struct dc_place place;
		struct dc_error *err = dc_place(shell->session, &shell->usual.scope, &place);

		if (!err)
			err = bounds(shell, place.frame.pc, start, end);
		return err ? report_failure(shell->out, NULL, err) : 0;
	}

	// "$rip", "0x401000", "*ptr": what is no function or line is an expression.
	struct first first = { .n = 0 };
	struct dc_error *err = dc_find_lines(shell->session, text, &shell->usual.scope, true,
					     take_first, &first);

	if (!err) {
		location = first.location;
	} else {
		struct dc_error *other = shell_integer(shell, *text == '*' ? text + 1 : text,
						       &location.addr);

		if (other) {
			dc_error_destroy(other);
			return report_failure(shell->out, NULL, err);
		}
		dc_error_destroy(err);
	}
	err = bounds(shell, location.addr, start, end);
	return err ? report_failure(shell->out, NULL, err) : 0;
}

int command_disassemble(struct dc_session *session, const struct words *words, struct records *out)
{
	__attribute__((
		cleanup(disassembly_deinit))) struct disassembly d = { .shell = words->shell };
	struct dc_scope quiet = words->scope;
	struct dc_place place;
	uint64_t start, end;

	for (const char *c = words->format; c && *c; c++) {
		if (*c == 'r')
			d.bytes = true;
		else if (*c == 's' || *c == 'm')
			d.source = true;
		else
			return report_message(out, DC_USAGE, "/%.20s: disassemble wants r and s",
					      words->format);
	}

	int status = find_range(words->shell, words->nr ? words->operands[0] : NULL, &start, &end);

	if (status)
		return status;
	// Where a thread is that sleeps; one that runs is not stopped for a mark.
	quiet.no_stop = true;

	struct dc_error *err = dc_place(session, &quiet, &place);

	if (!err)
		d.pc = place.frame.pc;
	dc_error_destroy(err);
	err = d.source ? dc_lines(session, start, end, collect_row, &d) : NULL;
	if (!err)
		err = dc_disassemble(session, start, end, show_instruction, &d);
	return err ? report_failure(out, NULL, err) : 0;
}

// ---- info -----------------------------------------------------------------------------------------

static bool show_location(const struct dc_line *location, void *arg)
{
	struct shell *shell = arg;
	struct dc_symbol symbol;

	dc_error_destroy(dc_symbol_at(shell->session, location->addr, &symbol));
	record_begin(shell->out, "location");
	record_address(shell->out, "address", location->addr);
	if (location->end)
		record_address(shell->out, "end", location->end);
	record_text(shell->out, "function", location->function);
	if (symbol.name)
		record_count(shell->out, "offset", symbol.offset);
	record_text(shell->out, "file", location->file);
	record_integer(shell->out, "line", location->line);
	record_end(shell->out);
	return !shell->out->unwanted;
}

int command_info_line(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;
	struct dc_line location;
	struct dc_error *err;

	if (!words->nr) {
		struct dc_place place;

		err = dc_place(session, &words->scope, &place);
		uint64_t pc = place.frame.pc - (place.index > 0);

		if (!err)
			err = dc_lines(session, pc, pc + 1, show_location, shell);
	} else if (*words->operands[0] == '*') {
		err = find_address(shell, words->operands[0] + 1, &location);
		if (!err)
			err = dc_lines(session, location.addr, location.addr + 1, show_location,
				       shell);
	} else {
		err = dc_find_lines(session, words->operands[0], &words->scope, true, show_location,
				    shell);
	}
	return err ? report_failure(out, NULL, err) : 0;
}

int command_info_symbol(struct dc_session *session, const struct words *words, struct records *out)
{
	struct dc_symbol symbol;
	uint64_t addr;
	struct dc_error *err = shell_integer(words->shell, words->operands[0], &addr);

	if (!err)
		err = dc_symbol_at(session, addr, &symbol);
	if (err)
		return report_failure(out, words->operands[0], err);
	if (!symbol.name)
		return report_message(out, DC_NAME, "no symbol covers 0x%" PRIx64, addr);
	record_begin(out, "symbol");
	record_address(out, "address", addr);
	record_text(out, "name", symbol.name);
	record_count(out, "offset", symbol.offset);
	record_text(out, "module", symbol.module);
	record_end(out);
	return 0;
}

int command_info_source(struct dc_session *session, const struct words *words, struct records *out)
{
	struct dc_place place;
	struct dc_error *err = dc_place(session, &words->scope, &place);

	if (err)
		return report_failure(out, NULL, err);
	if (!place.frame.file)
		return report_message(out, DC_NAME, "the frame is in no source file");

	FILE *in = shell_open_source(words->shell, place.frame.file);

	record_begin(out, "source file");
	record_text(out, "file", place.frame.file);
	record_integer(out, "line", place.frame.line);
	record_flag(out, "readable", in != NULL);
	record_text(out, "module", place.frame.module);
	record_end(out);
	if (in)
		fclose(in);
	return 0;
}

struct scope_listing {
	struct records *out;
	const char *kind;
	size_t n;
};

static bool show_scope_name(const char *name, void *arg)
{
	struct scope_listing *listing = arg;

	record_begin(listing->out, "name");
	record_text(listing->out, "name", name);
	record_text(listing->out, "kind", listing->kind);
	record_end(listing->out);
	listing->n++;
	return !listing->out->unwanted;
}

int command_info_scope(struct dc_session *session, const struct words *words, struct records *out)
{
	struct scope_listing listing = { .out = out, .kind = "argument" };
	struct dc_line location;
	size_t more;
	int status = 0;

	if (!shell_location(words->shell, words->operands[0], false, &location, &more, &status))
		return status;

	struct dc_error *err = dc_names_at(session, DC_NAMES_ARGUMENTS, location.addr,
					   show_scope_name, &listing);

	listing.kind = "local";
	if (!err)
		err = dc_names_at(session, DC_NAMES_LOCALS, location.addr, show_scope_name,
				  &listing);
	if (err)
		return report_failure(out, NULL, err);
	if (!listing.n)
		report_note(out, "no local names there");
	return 0;
}
