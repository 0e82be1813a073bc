// SPDX-License-Identifier: MIT
// Builds records as trees of fields, and passes each on when it is ended and may be written.
#include "debugger/front/records.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Said when there is no memory to say more; its parts need none.
static struct record *no_memory(void)
{
	static struct field state = {
		.kind = FIELD_TEXT,
		.name = "state",
		.text = "unknown: no memory to tell it",
	};
	static struct field message = {
		.kind = FIELD_TEXT,
		.name = "message",
		.text = "out of memory",
		.next = &state,
	};
	static struct field code = {
		.kind = FIELD_TEXT,
		.name = "code",
		.text = "out-of-memory",
		.next = &message,
	};
	static struct field error = { .kind = FIELD_GROUP, .name = "error", .first = &code };
	static struct field ok = { .kind = FIELD_FLAG, .name = "ok", .next = &error };
	static struct record record = {
		.kind = "error",
		.fields = { .kind = FIELD_GROUP, .first = &ok },
	};

	return &record;
}

static void destroy(struct record *record)
{
	arena_deinit(&record->arena);
	free(record);
}

// errno was 0 before something was written.
static void note_output(struct records *out)
{
	// It stays unwanted once a person has said so.
	if (!ferror(stdout))
		return;
	out->unwanted = true;
	if (!out->failure)
		out->failure = errno ?: EIO;
}

static void render(struct records *out, struct record *record)
{
	errno = 0;
	out->render(record, out->quiet);
	note_output(out);
	destroy(record);
}

void record_begin(struct records *out, const char *kind)
{
	assert(!out->open);
	out->open = calloc(1, sizeof(*out->open));
	out->failed = !out->open;
	if (out->failed)
		return;
	out->open->kind = kind;
	out->open->fields.kind = FIELD_GROUP;
	out->group = &out->open->fields;
	out->end = &out->group->first;
}

static void *take(struct records *out, size_t size)
{
	void *p = out->failed ? NULL : arena_alloc(&out->open->arena, size);

	out->failed = !p;
	return p;
}

static void add(struct records *out, struct field content)
{
	struct field *field = take(out, sizeof(*field));

	if (!field)
		return;
	*field = content;
	field->parent = out->group;
	*out->end = field;
	out->end = &field->next;
}

static void add_text(struct records *out, const char *name, const char *text, size_t length)
{
	char *copy = take(out, length + 1);

	if (!copy)
		return;
	memcpy(copy, text, length);
	add(out, (struct field){ .kind = FIELD_TEXT, .name = name, .text = copy });
}

void record_none(struct records *out, const char *name)
{
	add(out, (struct field){ .kind = FIELD_NONE, .name = name });
}

void record_text(struct records *out, const char *name, const char *text)
{
	if (text)
		add_text(out, name, text, strlen(text));
	else
		record_none(out, name);
}

void record_format(struct records *out, const char *name, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		record_text(out, name, text);
	else
		out->failed = true;
	free(text);
}

void record_lines(struct records *out, const char *name, const char *text)
{
	if (!text)
		return;
	record_list(out, name);
	while (*text) {
		size_t n = strcspn(text, "\n");

		add_text(out, NULL, text, n);
		text += n + (text[n] == '\n');
	}
	record_close(out);
}

void record_integer(struct records *out, const char *name, int64_t integer)
{
	add(out, (struct field){ .kind = FIELD_INTEGER, .name = name, .integer = integer });
}

void record_count(struct records *out, const char *name, uint64_t count)
{
	add(out, (struct field){ .kind = FIELD_COUNT, .name = name, .number = count });
}

void record_address(struct records *out, const char *name, uint64_t addr)
{
	add(out, (struct field){ .kind = FIELD_ADDRESS, .name = name, .number = addr });
}

void record_real(struct records *out, const char *name, double real)
{
	add(out, (struct field){ .kind = FIELD_REAL, .name = name, .real = real });
}

void record_flag(struct records *out, const char *name, bool flag)
{
	add(out, (struct field){ .kind = FIELD_FLAG, .name = name, .flag = flag });
}

static void nest(struct records *out, struct field content)
{
	struct field **at = out->end;

	add(out, content);
	if (out->failed)
		return;
	out->group = *at;
	out->end = &(*at)->first;
}

void record_group(struct records *out, const char *name)
{
	nest(out, (struct field){ .kind = FIELD_GROUP, .name = name });
}

void record_list(struct records *out, const char *name)
{
	nest(out, (struct field){ .kind = FIELD_LIST, .name = name });
}

void record_close(struct records *out)
{
	if (out->failed)
		return;
	out->end = &out->group->next;
	out->group = out->group->parent;
}

void record_end(struct records *out)
{
	struct record *record = out->open;

	assert(record || out->failed);
	assert(out->failed || out->group == &record->fields);
	out->open = NULL;
	if (out->failed) {
		if (record)
			destroy(record);
		out->lost = true;
	} else if (out->held) {
		*out->last = record;
		out->last = &record->next;
	} else {
		render(out, record);
	}
}

void records_hold(struct records *out)
{
	assert(!out->held);
	out->held = true;
	out->first = NULL;
	out->last = &out->first;
}

void records_release(struct records *out)
{
	struct record *next;

	out->held = false;
	for (struct record *record = out->first; record; record = next) {
		next = record->next;
		render(out, record);
	}
	out->first = NULL;
	if (out->lost)
		out->render(no_memory(), out->quiet);
}

void records_hand_on(struct records *out, void (*take)(const struct record *first, void *arg),
		     void *arg)
{
	struct record *first = out->first, *next;

	out->held = false;
	out->first = NULL;
	errno = 0;
	take(out->lost ? no_memory() : first, arg);
	out->lost = false;
	note_output(out);
	for (struct record *record = first; record; record = next) {
		next = record->next;
		destroy(record);
	}
}

const struct field *field_find(const struct field *group, const char *name)
{
	const struct field *field = group ? group->first : NULL;

	while (field && strcmp(field->name, name) != 0)
		field = field->next;
	return field && field->kind != FIELD_NONE ? field : NULL;
}

static const struct field absent;

static const struct field *find_kind(const struct field *group, const char *name, int kind)
{
	const struct field *field = field_find(group, name);

	assert(!field || (int)field->kind == kind);
	return field ? field : &absent;
}

const char *field_text(const struct field *group, const char *name)
{
	return find_kind(group, name, FIELD_TEXT)->text;
}

int64_t field_integer(const struct field *group, const char *name)
{
	return find_kind(group, name, FIELD_INTEGER)->integer;
}

uint64_t field_count(const struct field *group, const char *name)
{
	return find_kind(group, name, FIELD_COUNT)->number;
}

uint64_t field_address(const struct field *group, const char *name)
{
	return find_kind(group, name, FIELD_ADDRESS)->number;
}

double field_real(const struct field *group, const char *name)
{
	return find_kind(group, name, FIELD_REAL)->real;
}

bool field_flag(const struct field *group, const char *name)
{
	return find_kind(group, name, FIELD_FLAG)->flag;
}
