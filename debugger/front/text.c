// SPDX-License-Identifier: MIT
// Records for eyes: values on stdout as gdb prints them, errors and notes on stderr.
#include "debugger/front/style.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Carets below a one-megabyte expression help nobody: a window around the place is shown.
enum { CARET_WINDOW = 76 };

// Control characters would move the caret or the terminal, or do worse: threads name themselves.
// Bytes of UTF-8 pass, but for its own control characters, U+0080 to U+009F.
static void make_visible(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if ((*c < ' ' && *c != '\t') || *c == 0x7f)
			*c = '?';
		else if (c[0] == 0xc2 && (c[1] & 0xe0) == 0x80)
			c[0] = c[1] = '?';
	}
}

// All that is said, before any of it is: the records are ours.
static void make_all_visible(const struct field *fields)
{
	for (const struct field *field = fields->first; field; field = field->next) {
		if (field->kind == FIELD_TEXT && field->text)
			make_visible((char *)(uintptr_t)field->text);
		else if (field->kind == FIELD_GROUP || field->kind == FIELD_LIST)
			make_all_visible(field);
	}
}

static bool continues_utf8(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static void put_caret(const char *expr, size_t column)
{
	size_t length = strlen(expr);
	size_t from = 0, to = length;

	if (column > length)
		column = length;
	if (length > CARET_WINDOW) {
		from = column > CARET_WINDOW / 2 ? column - CARET_WINDOW / 2 : 0;
		to = length - from > CARET_WINDOW ? from + CARET_WINDOW : length;
		while (from && continues_utf8(expr[from]))
			from--;
		while (to < length && continues_utf8(expr[to]))
			to++;
	}
	fputs("  ", stderr);
	if (from)
		fputs("...", stderr);
	fwrite(expr + from, 1, to - from, stderr);
	fprintf(stderr, "%s\n  %s", to < length ? "..." : "", from ? "   " : "");
	for (size_t i = from; i < column; i++) {
		// One column for a character, not for each of its bytes.
		if (!continues_utf8(expr[i]))
			fputc(' ', stderr);
	}
	fputs("^\n", stderr);
}

static void put_frame(const struct field *frame, size_t number)
{
	const char *function = field_text(frame, "function"), *file = field_text(frame, "file");
	const char *module = field_text(frame, "module");

	fprintf(stderr, "  #%zu  0x%016" PRIx64, number, field_address(frame, "pc"));
	if (function) {
		fprintf(stderr, " in %s", function);
		if (field_count(frame, "offset") && !file)
			fprintf(stderr, "+%" PRIu64, field_count(frame, "offset"));
	}
	if (file)
		fprintf(stderr, " at %s:%jd", file, (intmax_t)field_integer(frame, "line"));
	else if (module)
		fprintf(stderr, " from %s", module);
	fputc('\n', stderr);
}

static const struct field *first(const struct field *list)
{
	return list ? list->first : NULL;
}

static void put_notes(const struct field *group, const char *before)
{
	for (const struct field *line = first(field_find(group, "notes")); line;
	     line = line->next) {
		fprintf(stderr, "%s%s\n", before, line->text);
	}
}

static void put_message(const struct field *fields)
{
	if (field_text(fields, "at"))
		fprintf(stderr, "%s: ", field_text(fields, "at"));
	style_print(stderr, STYLE_ERROR, "error: ");
	fprintf(stderr, "%s\n", field_text(field_find(fields, "error"), "message"));
}

static void put_error(const struct field *fields)
{
	const struct field *error = field_find(fields, "error");
	const char *expr = field_text(fields, "expr");
	size_t number = 0;

	put_message(fields);
	if (expr && field_find(error, "column"))
		put_caret(expr, (size_t)field_integer(error, "column"));
	for (const struct field *frame = first(field_find(error, "frames")); frame;
	     frame = frame->next)
		put_frame(frame, number++);
	put_notes(error, "  ");
	fprintf(stderr, "%s\n", field_text(error, "state"));
}

static void put_note(const struct field *note)
{
	fprintf(stderr, "note: %s\n", field_text(note, "text"));
}

static void put_result(const struct field *result)
{
	if (field_find(result, "value") && field_find(result, "number")) {
		style_print(stdout, STYLE_NAME, "$%" PRIu64, field_count(result, "number"));
		fputs(" = ", stdout);
	}
	if (field_find(result, "value"))
		puts(field_text(result, "value"));
	if (field_find(result, "calls"))
		printf("%" PRIu64 " calls, %.0f calls/s, median %.2f us, p99 %.2f us\n",
		       field_count(result, "calls"), field_real(result, "calls_per_second"),
		       field_real(result, "median_us"), field_real(result, "p99_us"));
	put_notes(result, "note: ");
}

// Where it was, for eyes: scripts read the values.
static void put_hit(const struct field *hit)
{
	const struct field *where = field_find(hit, "where");
	const char *function = field_text(where, "function"), *file = field_text(where, "file");

	fprintf(stderr, "thread %jd", (intmax_t)field_integer(hit, "thread"));
	if (function)
		fprintf(stderr, " in %s", function);
	else
		fprintf(stderr, " at 0x%" PRIx64, field_address(where, "pc"));
	if (file)
		fprintf(stderr, " at %s:%jd", file, (intmax_t)field_integer(where, "line"));
	fputc('\n', stderr);
}

static void put_check(const struct field *check)
{
	const struct field *hosts = first(field_find(check, "hosts"));
	const struct field *threads = first(field_find(check, "threads"));
	size_t n = 0, borrowable = 0;
	int width = 0;

	printf("%s, process %jd; hosts:", field_text(check, "program"),
	       (intmax_t)field_integer(check, "pid"));
	if (!hosts)
		fputs(" none", stdout);
	for (const struct field *host = hosts; host; host = host->next)
		printf(" %s", host->text);
	putchar('\n');
	for (const struct field *thread = threads; thread; thread = thread->next) {
		int length = (int)strlen(field_text(thread, "state"));

		n++;
		borrowable += field_flag(thread, "borrowable");
		width = length > width ? length : width;
	}
	for (const struct field *thread = threads; thread; thread = thread->next) {
		bool may = field_flag(thread, "borrowable");

		printf("  %-7jd %-15s  %-*s  %s%s\n", (intmax_t)field_integer(thread, "thread"),
		       field_text(thread, "name"), width, field_text(thread, "state"),
		       may ? "may be borrowed" : "no: ", may ? "" : field_text(thread, "reason"));
	}
	printf("%zu of %zu threads may be borrowed\n", borrowable, n);
	put_notes(check, "note: ");
}

static void put_function(const struct field *function)
{
	const char *prototype = field_text(function, "prototype");
	const char *module = field_text(function, "module");

	// "[vdso]" has brackets of its own.
	printf(module[0] == '[' ? "%-28s  %s  %s\n" : "%-28s  %s  [%s]\n",
	       field_text(function, "name"),
	       prototype ? prototype : "(prototype not known: cast the call)", module);
}

static void duration(double us, char *text, size_t size)
{
	static const struct {
		const char *unit;
		double us;
	} units[] = { { "h", 3600e6 }, { "min", 60e6 }, { "s", 1e6 }, { "ms", 1e3 } };
	size_t i = 0;

	while (i < 3 && us < units[i].us)
		i++;
	snprintf(text, size, "%.3g %s", us / units[i].us, units[i].unit);
}

static void put_goroutine(const struct field *goroutine)
{
	const char *reason = field_text(goroutine, "wait_reason");
	const char *label = field_text(goroutine, "label");
	const struct field *where = field_find(goroutine, "where");
	const struct field *at = where ? where : field_find(goroutine, "created");
	char status[96], waited[32];

	snprintf(status, sizeof(status), "%s", field_text(goroutine, "status"));
	if (reason)
		snprintf(status, sizeof(status), "%s", reason);
	if (reason && field_find(goroutine, "waited_us")) {
		duration(field_real(goroutine, "waited_us"), waited, sizeof(waited));
		snprintf(status, sizeof(status), "%s, %s", reason, waited);
	}
	printf("%-10s %-36s %-14s ", field_text(goroutine, "goroutine"), status,
	       label				 ? label
	       : field_flag(goroutine, "system") ? "(runtime)"
						 : "-");
	if (at && !where)
		fputs("started by ", stdout);
	if (field_text(at, "function"))
		fputs(field_text(at, "function"), stdout);
	else if (at)
		printf("0x%" PRIx64, field_address(at, "pc"));
	else
		fputs("?", stdout);
	if (field_text(at, "file"))
		printf(" at %s:%jd", field_text(at, "file"), (intmax_t)field_integer(at, "line"));
	if (field_find(goroutine, "thread"))
		printf("  [thread %jd]", (intmax_t)field_integer(goroutine, "thread"));
	putchar('\n');
}

static void put_stacks(const struct field *stacks)
{
	uint64_t threads = field_count(stacks, "threads"), unread = field_count(stacks, "unread");
	uint64_t goroutines = field_count(stacks, "goroutines");
	char parked[48] = "";

	if (goroutines)
		snprintf(parked, sizeof(parked), ", %" PRIu64 " parked goroutine%s", goroutines,
			 goroutines == 1 ? "" : "s");

	printf("%s (%jd): %" PRIu64 " thread%s%s, %" PRIu64 " read without a stop, %" PRIu64
	       " stopped, %" PRIu64 " incomplete",
	       field_text(stacks, "program"), (intmax_t)field_integer(stacks, "pid"), threads,
	       threads == 1 ? "" : "s", parked, field_count(stacks, "read"),
	       field_count(stacks, "stopped"), field_count(stacks, "incomplete"));
	if (unread)
		printf(", %" PRIu64 " not read", unread);
	putchar('\n');
	put_notes(stacks, "note: ");
}

// Enough to find them by; all are in the JSON.
static void put_thread_list(const struct field *threads, const char *name)
{
	enum { SHOWN = 3 };
	int n = 0;

	for (const struct field *thread = threads; thread; thread = thread->next, n++) {
		if (n == SHOWN) {
			fputs(" …", stdout);
			return;
		}
		if (name)
			printf("%s%s", n ? ", " : "", field_text(thread, name));
		else if (field_find(thread, "thread"))
			printf("%s%jd", n ? " " : "", (intmax_t)field_integer(thread, "thread"));
		else
			printf("%s%s", n ? " " : "", field_text(thread, "goroutine"));
	}
}

// Threads of one name are not named one by one.
static const char *common(const struct field *threads, const char *name)
{
	const char *text = field_text(threads, name);

	for (const struct field *thread = threads; thread; thread = thread->next) {
		const char *its = field_text(thread, name);

		if (!text || !its || strcmp(text, its))
			return NULL;
	}
	return text;
}

static void put_stack_frame(const struct field *frame, size_t number)
{
	const char *function = field_text(frame, "function"), *file = field_text(frame, "file");
	const char *module = field_text(frame, "module"), *slash = file ? strrchr(file, '/') : NULL;
	bool inlined = field_flag(frame, "inlined");
	char name[256];

	if (!function)
		snprintf(name, sizeof(name), "0x%" PRIx64, field_address(frame, "pc"));
	else if (file || inlined || !field_count(frame, "offset"))
		snprintf(name, sizeof(name), "%s", function);
	else
		snprintf(name, sizeof(name), "%s+%" PRIu64, function, field_count(frame, "offset"));
	printf("  #%-2zu %-32s  ", number, name);
	if (file)
		printf("%s:%jd", slash ? slash + 1 : file, (intmax_t)field_integer(frame, "line"));
	else
		fputs(module ? module : "(no file: code made at run time)", stdout);
	printf("%s%s%s\n", inlined ? " (inlined)" : "",
	       field_flag(frame, "signal") ? " (a signal)" : "",
	       field_flag(frame, "guessed") ? " (its caller is a guess)" : "");
}

static void put_stack(const struct field *stack)
{
	const struct field *threads = first(field_find(stack, "threads"));
	const char *name = common(threads, "name"), *detail = common(threads, "detail");
	const char *wait = field_text(stack, "wait"), *why = field_text(stack, "why");
	size_t n = 0, number = 0;

	bool parked = threads && !field_find(threads, "thread");

	for (const struct field *thread = threads; thread; thread = thread->next)
		n++;
	printf("%zu %s%s: ", n, parked ? "goroutine" : "thread", n == 1 ? "" : "s");
	if (name)
		fputs(name, stdout);
	else
		put_thread_list(threads, "name");
	fputs(" (", stdout);
	put_thread_list(threads, NULL);
	fputs(")   ", stdout);
	if (n == 1 && !parked && field_text(threads, "goroutine"))
		printf("on goroutine %s   ", field_text(threads, "goroutine"));
	if (!first(field_find(stack, "frames")))
		fputs("not read", stdout);
	else if (wait)
		printf("%s %s%s%s", parked ? "parked:" : "asleep in", wait, detail ? " " : "",
		       detail ? detail : "");
	else
		fputs(field_flag(stack, "ready") ? "ready to run" : "running", stdout);
	if (why)
		printf("   %s%s", first(field_find(stack, "frames")) ? "incomplete: " : "", why);
	putchar('\n');
	for (const struct field *frame = first(field_find(stack, "frames")); frame;
	     frame = frame->next)
		put_stack_frame(frame, number++);
}

static void put_folded(const struct field *folded)
{
	printf("%s %" PRIu64 "\n", field_text(folded, "stack"), field_count(folded, "count"));
}

static void put_fields(const struct field *group, int indent);

static void put_value(const struct field *field, int indent)
{
	switch (field->kind) {
	case FIELD_TEXT: puts(field->text); break;
	case FIELD_INTEGER: printf("%jd\n", (intmax_t)field->integer); break;
	case FIELD_COUNT: printf("%ju\n", (uintmax_t)field->number); break;
	case FIELD_ADDRESS: printf("0x%jx\n", (uintmax_t)field->number); break;
	case FIELD_REAL: printf("%g\n", field->real); break;
	case FIELD_FLAG: puts(field->flag ? "yes" : "no"); break;
	case FIELD_NONE: puts("-"); break;
	case FIELD_GROUP:
	case FIELD_LIST:
		putchar('\n');
		put_fields(field, indent + 2);
		break;
	}
}

// One field a line.
static void put_fields(const struct field *group, int indent)
{
	for (const struct field *field = group->first; field; field = field->next) {
		printf("%*s%s%s", indent, "", field->name ? field->name : "-",
		       field->name ? ": " : " ");
		put_value(field, indent);
	}
}

static void put_version(const struct field *version)
{
	const struct field *host = first(field_find(version, "hosts"));
	const char *commit = field_text(version, "commit");

	printf("debugcall %s%s%s%s\n  hosts:       ", field_text(version, "version"),
	       commit ? " (commit " : "", commit ? commit : "", commit ? ")" : "");
	for (; host; host = host->next)
		printf("%s%s", host->text, host->next ? ", " : "\n");
	printf("  kernel:      %s\n  breakpoints: %s\n  samples:     %s\n  bpf:         %s\n",
	       field_text(version, "kernel"), field_text(version, "breakpoints"),
	       field_text(version, "samples"), field_text(version, "bpf"));
	if (field_integer(version, "perf_event_paranoid") != -1)
		printf("  perf_event_paranoid: %jd\n",
		       (intmax_t)field_integer(version, "perf_event_paranoid"));
	printf("  yama:        %s\n", field_text(version, "yama"));
}

void text_render(const struct record *record, bool quiet)
{
	static const struct layout layouts[] = {
		{ "result", put_result },     { "error", put_error },
		{ "note", put_note },	      { "check", put_check },
		{ "function", put_function }, { "goroutine", put_goroutine },
		{ "stacks", put_stacks },     { "stack", put_stack },
		{ "folded", put_folded },     { "hit", put_hit },
		{ "version", put_version },
	};

	// Errors and notes are not buffered: where both go to one place, all keep their order. Of what
	// comes by the thousand each has no write of its own.
	if (strcmp(record->kind, "goroutine") != 0 && strcmp(record->kind, "function") != 0)
		fflush(stdout);
	// What a script says is its own affair; values in it are made visible where they are put in.
	if (strcmp(record->kind, "echo") != 0)
		make_all_visible(&record->fields);
	if (quiet && !strcmp(record->kind, "error")) {
		put_message(&record->fields);
		return;
	}
	if (quiet && !strcmp(record->kind, "hit"))
		return;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		if (!strcmp(layouts[i].kind, record->kind)) {
			layouts[i].put(&record->fields);
			return;
		}
	}
	for (const struct layout *layout = shell_layouts; layout->kind; layout++) {
		if (!strcmp(layout->kind, record->kind)) {
			layout->put(&record->fields);
			return;
		}
	}
	// A kind needs no layout of its own to be read.
	put_fields(&record->fields, 0);
}
