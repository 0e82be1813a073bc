// SPDX-License-Identifier: MIT
// Records for programs: one JSON object a line on stdout, errors too.
#include "debugger/front/json.h"
#include "debugger/front/records.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1 };

// Beyond this, many readers' numbers lose bits of an integer.
static const int64_t exact = 1LL << 53;

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

// A target's bytes need not be UTF-8, and a line must be printed all the same: one that is not
// becomes \xNN, in four characters.
static json_t *escaped(const char *text)
{
	size_t length = strlen(text), n = 0;
	char *copy = malloc(4 * length + 1);

	if (!copy)
		return NULL;
	for (size_t i = 0; i < length;) {
		size_t k = utf8_length((const unsigned char *)text + i, length - i);

		if (k) {
			memcpy(copy + n, text + i, k);
			n += k;
			i += k;
		} else {
			n += (size_t)sprintf(copy + n, "\\x%02x", (unsigned char)text[i++]);
		}
	}
	json_t *json = json_stringn(copy, n);
	free(copy);
	return json;
}

json_t *json_text(const char *text)
{
	json_t *json = json_string(text);

	return json ? json : escaped(text);
}

static json_t *real(double number)
{
	if (isnan(number))
		return json_string("NaN");
	if (isinf(number))
		return json_string(number < 0 ? "-Infinity" : "Infinity");
	return json_real(number);
}

static json_t *integer(int64_t number)
{
	if (number > exact || number < -exact)
		return json_sprintf("%jd", (intmax_t)number);
	return json_integer(number);
}

static json_t *count(uint64_t number)
{
	return number > (uint64_t)exact ? json_sprintf("%ju", (uintmax_t)number)
					: integer((int64_t)number);
}

static json_t *value(const struct field *field);

static bool add_members(json_t *object, const struct field *group)
{
	for (const struct field *field = group->first; field; field = field->next) {
		if (json_object_set_new(object, field->name, value(field)))
			return false;
	}
	return true;
}

static json_t *group(const struct field *fields)
{
	json_t *object = json_object();

	if (object && !add_members(object, fields)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *list(const struct field *fields)
{
	json_t *array = json_array();

	for (const struct field *field = fields->first; array && field; field = field->next) {
		if (json_array_append_new(array, value(field))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

// NULL: out of memory.
static json_t *value(const struct field *field)
{
	switch (field->kind) {
	case FIELD_TEXT: return json_text(field->text);
	case FIELD_INTEGER: return integer(field->integer);
	case FIELD_COUNT: return count(field->number);
	case FIELD_ADDRESS: return json_sprintf("0x%jx", (uintmax_t)field->number);
	case FIELD_REAL: return real(field->real);
	case FIELD_FLAG: return json_boolean(field->flag);
	case FIELD_GROUP: return group(field);
	case FIELD_LIST: return list(field);
	case FIELD_NONE: break;
	}
	return json_null();
}

void json_render(const struct record *record, bool quiet)
{
	json_t *object;

	(void)quiet;
	// Notes about the whole run are for eyes; those about a result are in its record.
	if (!strcmp(record->kind, "note"))
		return;
	object = json_pack("{si}", "schema", SCHEMA);
	if (!object || !add_members(object, &record->fields) ||
	    json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)))
		fputs("{\"schema\":1,\"ok\":false}", stdout);
	putchar('\n');
	json_decref(object);
}

void json_render_command(const struct record *first, void *arg)
{
	const struct json_command *command = arg;
	json_t *records = json_array(), *line = json_text(command->line);
	json_t *object = json_pack("{si so* sb si so*}", "schema", SCHEMA, "command", line, "ok",
				   !command->status, "status", command->status, "records", records);
	bool good = object && records;

	for (const struct record *record = first; good && record; record = record->next) {
		json_t *fields;

		if (!strcmp(record->kind, "note"))
			continue;
		fields = json_pack("{ss}", "kind", record->kind);
		good = fields && add_members(fields, &record->fields) &&
		       !json_array_append(records, fields);
		json_decref(fields);
	}
	if (!good || json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)))
		fputs("{\"schema\":1,\"ok\":false}", stdout);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}
