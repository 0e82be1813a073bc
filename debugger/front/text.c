// SPDX-License-Identifier: MIT
// The sink for eyes: values on stdout as gdb prints them, everything else on stderr.
#include "debugger/front/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Carets below a one-megabyte expression help nobody: a window around the place is shown.
enum { CARET_WINDOW = 76 };

// Control characters would move the caret or the terminal; bytes of UTF-8 pass.
static void put_visible(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		fputc(c < ' ' || c == 0x7f ? '?' : c, stderr);
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
	put_visible(expr + from, to - from);
	fprintf(stderr, "%s\n  %s", to < length ? "..." : "", from ? "   " : "");
	for (size_t i = from; i < column; i++) {
		// One column for a character, not for each of its bytes.
		if (!continues_utf8(expr[i]))
			fputc(' ', stderr);
	}
	fputs("^\n", stderr);
}

static void put_frame(size_t number, const struct dc_frame *frame)
{
	fprintf(stderr, "  #%zu  0x%016" PRIx64, number, frame->pc);
	if (frame->function) {
		fprintf(stderr, " in %s", frame->function);
		if (frame->offset && !frame->file)
			fprintf(stderr, "+%" PRIu64, frame->offset);
	}
	if (frame->file)
		fprintf(stderr, " at %s:%d", frame->file, frame->line);
	else if (frame->module)
		fprintf(stderr, " from %s", frame->module);
	fputc('\n', stderr);
}

// Each line of text, with what is put before it.
static void put_lines(const char *before, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		fputs(before, stderr);
		put_visible(text, n);
		fputc('\n', stderr);
		text += n + (text[n] == '\n');
	}
}

static void text_error(const struct sink *sink, const char *expr, const struct dc_error *err)
{
	fputs("error: ", stderr);
	put_visible(err->message, strlen(err->message));
	fputc('\n', stderr);
	if (sink->quiet)
		return;
	if (expr && err->column >= 0)
		put_caret(expr, (size_t)err->column);
	for (size_t i = 0; i < err->nr_frames; i++)
		put_frame(i, &err->frames[i]);
	if (err->notes)
		put_lines("  ", err->notes);
	fprintf(stderr, "%s\n", dc_state_text(err->state));
}

static void text_note(const struct sink *sink, const char *text)
{
	if (!sink->quiet)
		put_lines("note: ", text);
}

static void text_result(const struct sink *sink, const char *expr, const struct dc_result *result,
			const struct dc_rate *rate)
{
	(void)expr;
	if (result->value)
		puts(result->value);
	if (rate)
		printf("%" PRIu64 " calls, %.0f calls/s, median %.2f us, p99 %.2f us\n",
		       rate->calls, rate->per_second, rate->median_us, rate->p99_us);
	if (result->notes)
		text_note(sink, result->notes);
}

static void text_check(const struct sink *sink, const struct dc_check *check)
{
	size_t borrowable = 0;
	int width = 0;

	printf("%s, process %d; hosts:", check->program, check->pid);
	for (size_t i = 0; check->hosts[i]; i++)
		printf(" %s", check->hosts[i]);
	if (!check->hosts[0])
		fputs(" none", stdout);
	putchar('\n');
	for (size_t i = 0; i < check->nr_threads; i++) {
		int n = (int)strlen(check->threads[i].state);

		borrowable += check->threads[i].borrowable;
		width = n > width ? n : width;
	}
	for (size_t i = 0; i < check->nr_threads; i++) {
		const struct dc_check_thread *thread = &check->threads[i];

		printf("  %-7d %-15s  %-*s  %s%s\n", thread->tid, thread->name, width,
		       thread->state, thread->borrowable ? "may be borrowed" : "no: ",
		       thread->borrowable ? "" : thread->reason);
	}
	printf("%zu of %zu threads may be borrowed\n", borrowable, check->nr_threads);
	if (check->notes)
		text_note(sink, check->notes);
}

static void text_function(const struct sink *sink, const struct dc_function *function)
{
	(void)sink;
	// "[vdso]" has brackets of its own.
	bool bare = function->module[0] != '[';

	printf(bare ? "%-28s  %s  [%s]\n" : "%-28s  %s  %s\n", function->name,
	       function->prototype ? function->prototype : "(prototype not known: cast the call)",
	       function->module);
}

static void duration(int64_t ns, char *text, size_t size)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "h", 3600e9 }, { "min", 60e9 }, { "s", 1e9 }, { "ms", 1e6 } };
	size_t i = 0;

	while (i < 3 && (double)ns < units[i].ns)
		i++;
	snprintf(text, size, "%.3g %s", (double)ns / units[i].ns, units[i].unit);
}

static void text_goroutine(const struct sink *sink, const struct dc_goroutine *g)
{
	char status[96], waited[32];

	(void)sink;
	snprintf(status, sizeof(status), "%s", g->status);
	if (g->wait_reason) {
		duration(g->waited_ns, waited, sizeof(waited));
		snprintf(status, sizeof(status), "%s, %s", g->wait_reason, waited);
	}
	printf("%-10" PRIu64 " %-36s %-14s ", g->id, status,
	       g->label	      ? g->label
	       : g->is_system ? "(runtime)"
			      : "-");

	const struct dc_frame *at = g->where.pc ? &g->where : &g->created;
	if (at == &g->created && at->pc)
		fputs("started by ", stdout);
	if (at->function)
		fputs(at->function, stdout);
	else if (at->pc)
		printf("0x%" PRIx64, at->pc);
	else
		fputs("?", stdout);
	if (at->file)
		printf(" at %s:%d", at->file, at->line);
	if (g->thread)
		printf("  [thread %d]", g->thread);
	putchar('\n');
}

struct sink sink_text(bool quiet)
{
	return (struct sink){ quiet,	  text_result,	 text_error,	text_note,
			      text_check, text_function, text_goroutine };
}
