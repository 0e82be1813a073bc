// SPDX-License-Identifier: MIT
// The sink for programs: one JSON object a line on stdout, errors too.
#include "debugger/front/sink.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };

// The length of the UTF-8 sequence at s, 0 when it is none (RFC 3629, table 3-7 of Unicode).
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const struct {
		unsigned char first, last, second_min, second_max, length;
	} rows[] = {
		{ 0x01, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t n = rows[i].length;

		if (s[0] < rows[i].first || s[0] > rows[i].last)
			continue;
		if (n > left || (n > 1 && (s[1] < rows[i].second_min || s[1] > rows[i].second_max)))
			return 0;
		for (size_t k = 2; k < n; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		}
		return n;
	}
	return 0;
}

// A target's bytes need not be UTF-8, and a line must be printed all the same: what is not becomes
// U+FFFD. NULL becomes null.
static json_t *string(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";

	if (!text)
		return json_null();
	json_t *plain = json_string(text);
	if (plain)
		return plain;

	size_t length = strlen(text), n = 0;
	char *copy = malloc(length * (sizeof(replacement) - 1) + 1);
	if (!copy)
		return json_null();
	for (size_t i = 0; i < length;) {
		size_t k = utf8_length((const unsigned char *)text + i, length - i);

		memcpy(copy + n, k ? text + i : replacement, k ? k : sizeof(replacement) - 1);
		n += k ? k : sizeof(replacement) - 1;
		i += k ? k : 1;
	}
	plain = json_stringn(copy, n);
	free(copy);
	return plain;
}

// Addresses are text: JSON's numbers lose bits of 64-bit integers in most readers.
static json_t *address(uint64_t addr)
{
	return json_sprintf("0x%jx", (uintmax_t)addr);
}

static void put(json_t *object)
{
	if (json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)))
		fputs("{\"schema\":1,\"ok\":false}", stdout);
	putchar('\n');
	json_decref(object);
}

static json_t *line(void)
{
	return json_pack("{si}", "schema", SCHEMA);
}

static void set(json_t *object, const char *key, json_t *value)
{
	// A key that cannot be stored for want of memory is left out; put() then still ends the
	// line.
	(void)!json_object_set_new(object, key, value);
}

static void set_notes(json_t *object, const char *notes)
{
	if (!notes)
		return;
	json_t *array = json_array();
	while (*notes) {
		size_t n = strcspn(notes, "\n");
		char *one = strndup(notes, n);

		(void)!json_array_append_new(array, string(one));
		free(one);
		notes += n + (notes[n] == '\n');
	}
	set(object, "notes", array);
}

static void json_result(const struct sink *sink, const char *expr, const struct dc_result *result,
			const struct dc_rate *rate)
{
	json_t *object = line();

	(void)sink;
	set(object, "expr", string(expr));
	set(object, "ok", json_true());
	set(object, "value", string(result->value));
	set(object, "type", string(result->type));
	set(object, "host", string(result->host));
	set(object, "thread", result->thread ? json_integer(result->thread) : json_null());
	set(object, "pause_us", json_real((double)result->pause_ns / 1000));
	if (rate) {
		set(object, "calls", json_integer((json_int_t)rate->calls));
		set(object, "calls_per_second", json_real(rate->per_second));
		set(object, "median_us", json_real(rate->median_us));
		set(object, "p99_us", json_real(rate->p99_us));
	}
	set_notes(object, result->notes);
	put(object);
}

static json_t *frame(const struct dc_frame *frame)
{
	json_t *object = json_object();

	set(object, "pc", address(frame->pc));
	set(object, "function", string(frame->function));
	set(object, "offset", json_integer((json_int_t)frame->offset));
	set(object, "module", string(frame->module));
	if (frame->file) {
		set(object, "file", string(frame->file));
		set(object, "line", json_integer(frame->line));
	}
	return object;
}

static void json_error(const struct sink *sink, const char *expr, const struct dc_error *err)
{
	json_t *object = line(), *error = json_object(), *frames = json_array();

	set(error, "code", string(dc_code_name(err->code)));
	set(error, "message", string(err->message));
	if (err->column >= 0)
		set(error, "column", json_integer(err->column));
	if (err->signo) {
		const char *name = sigabbrev_np(err->signo);

		set(error, "signal", name ? json_sprintf("SIG%s", name) : json_integer(err->signo));
		set(error, "address", address(err->addr));
	}
	if (err->goroutine)
		set(error, "goroutine", json_sprintf("%ju", (uintmax_t)err->goroutine));
	for (size_t i = 0; i < err->nr_frames; i++)
		(void)!json_array_append_new(frames, frame(&err->frames[i]));
	set(error, "frames", frames);
	set_notes(error, sink->quiet ? NULL : err->notes);
	set(error, "state", string(dc_state_text(err->state)));

	set(object, "expr", string(expr));
	set(object, "ok", json_false());
	set(object, "error", error);
	put(object);
}

// Notes about the whole run are for eyes; those about a result are in its object.
static void json_note(const struct sink *sink, const char *text)
{
	(void)sink;
	(void)text;
}

static void json_check(const struct sink *sink, const struct dc_check *check)
{
	json_t *object = line(), *hosts = json_array(), *threads = json_array();

	(void)sink;
	for (size_t i = 0; check->hosts[i]; i++)
		(void)!json_array_append_new(hosts, string(check->hosts[i]));
	for (size_t i = 0; i < check->nr_threads; i++) {
		const struct dc_check_thread *thread = &check->threads[i];
		json_t *row = json_object();

		set(row, "thread", json_integer(thread->tid));
		set(row, "name", string(thread->name));
		set(row, "state", string(thread->state));
		set(row, "borrowable", json_boolean(thread->borrowable));
		set(row, "reason", string(thread->reason));
		(void)!json_array_append_new(threads, row);
	}
	set(object, "pid", json_integer(check->pid));
	set(object, "program", string(check->program));
	set(object, "hosts", hosts);
	set(object, "threads", threads);
	set_notes(object, check->notes);
	put(object);
}

static void json_function(const struct sink *sink, const struct dc_function *function)
{
	json_t *object = line();

	(void)sink;
	set(object, "name", string(function->name));
	set(object, "prototype", string(function->prototype));
	set(object, "module", string(function->module));
	set(object, "address", address(function->addr));
	put(object);
}

static void json_goroutine(const struct sink *sink, const struct dc_goroutine *g)
{
	json_t *object = line();

	(void)sink;
	set(object, "goroutine", json_sprintf("%ju", (uintmax_t)g->id));
	set(object, "status", string(g->status));
	if (g->wait_reason) {
		set(object, "wait_reason", string(g->wait_reason));
		set(object, "waited_us", json_real((double)g->waited_ns / 1000));
	}
	set(object, "label", string(g->label));
	set(object, "system", json_boolean(g->is_system));
	set(object, "thread", g->thread ? json_integer(g->thread) : json_null());
	set(object, "where", g->where.pc ? frame(&g->where) : json_null());
	set(object, "creator", json_sprintf("%ju", (uintmax_t)g->creator));
	set(object, "created", g->created.pc ? frame(&g->created) : json_null());
	set(object, "reason", string(g->reason));
	put(object);
}

struct sink sink_json(bool quiet)
{
	return (struct sink){ quiet,	  json_result,	 json_error,	json_note,
			      json_check, json_function, json_goroutine };
}
