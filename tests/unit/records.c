// SPDX-License-Identifier: MIT
// Records: what JSON makes of awkward values, and that nothing is written before it may be.
#include "debugger/front/records.h"
#include "tests/harness/test.h"

#include <math.h>

static int allocations = -1; // that are left; below 0: no end

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (!allocations)
		return NULL;
	if (allocations > 0)
		allocations--;
	return __real_calloc(n, size);
}

// What the function writes to standard output and standard error.
static const char *written(void (*write)(struct records *out), struct records *out)
{
	static char text[4096];
	FILE *file = tmpfile();
	int saved[2] = { dup(1), dup(2) };

	expect(file);
	fflush(stdout);
	dup2(fileno(file), 1);
	dup2(fileno(file), 2);
	write(out);
	fflush(stdout);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	rewind(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static const char *as_json(void (*write)(struct records *out))
{
	struct records out = RECORDS_INIT(json_render, false);

	return written(write, &out);
}

static const char *as_text(void (*write)(struct records *out))
{
	struct records out = RECORDS_INIT(text_render, false);

	return written(write, &out);
}

static void integers(struct records *out)
{
	record_begin(out, "x");
	record_integer(out, "a", 1LL << 53);
	record_integer(out, "b", (1LL << 53) + 1);
	record_integer(out, "c", INT64_MIN);
	record_count(out, "d", UINT64_MAX);
	record_address(out, "e", UINT64_MAX);
	record_end(out);
}

TEST("integers that many readers would round are strings")
{
	equal(as_json(integers), "{\"schema\":1,\"a\":9007199254740992,\"b\":\"9007199254740993\","
				 "\"c\":\"-9223372036854775808\",\"d\":\"18446744073709551615\","
				 "\"e\":\"0xffffffffffffffff\"}\n");
}

static void reals(struct records *out)
{
	record_begin(out, "x");
	record_real(out, "a", 1.5);
	record_real(out, "b", NAN);
	record_real(out, "c", INFINITY);
	record_real(out, "d", -INFINITY);
	record_end(out);
}

TEST("what is no number is a string")
{
	equal(as_json(reals), "{\"schema\":1,\"a\":1.5,\"b\":\"NaN\","
			      "\"c\":\"Infinity\",\"d\":\"-Infinity\"}\n");
}

static void bytes(struct records *out)
{
	record_begin(out, "x");
	record_text(out, "a", "\xc3\xa9\xff\xc3");
	record_text(out, "b", "\xed\xa0\x80"); // a surrogate
	record_text(out, "c", NULL);
	record_text(out, "d", "\x01\"\\");
	record_end(out);
}

TEST("bytes that are not UTF-8 are escaped")
{
	equal(as_json(bytes), "{\"schema\":1,\"a\":\"\xc3\xa9\\\\xff\\\\xc3\","
			      "\"b\":\"\\\\xed\\\\xa0\\\\x80\",\"c\":null,"
			      "\"d\":\"\\u0001\\\"\\\\\"}\n");
}

static void nested(struct records *out)
{
	record_begin(out, "x");
	record_list(out, "a");
	record_text(out, NULL, "one");
	record_group(out, NULL);
	record_flag(out, "b", true);
	record_close(out);
	record_close(out);
	record_lines(out, "c", "two\nthree");
	record_lines(out, "d", NULL);
	record_list(out, "e");
	record_close(out);
	record_end(out);
}

TEST("lists, groups, lines; a kind without a layout can be read")
{
	equal(as_json(nested), "{\"schema\":1,\"a\":[\"one\",{\"b\":true}],"
			       "\"c\":[\"two\",\"three\"],\"e\":[]}\n");
	equal(as_text(nested), "a: \n  - one\n  - \n    b: yes\nc: \n  - two\n  - three\ne: \n");
}

static void hold(struct records *out)
{
	records_hold(out);
	integers(out);
	nested(out);
}

TEST("nothing is written before it may be")
{
	struct records out = RECORDS_INIT(json_render, false);

	equal(written(hold, &out), "");
	const char *text = written(records_release, &out);
	contains(text, "\"a\":9007199254740992");
	contains(text, "\"c\":[\"two\",\"three\"]");
}

TEST("whichever allocation fails, a whole line is written, and only when it may be")
{
	static const char lost[] =
		"{\"schema\":1,\"ok\":false,\"error\":{\"code\":\"out-of-memory\","
		"\"message\":\"out of memory\",\"state\":\"unknown: no memory to tell it\"}}\n";

	for (int left = 0; left < 2; left++) {
		struct records out = RECORDS_INIT(json_render, false);

		allocations = left;
		const char *text = written(nested, &out);
		allocations = -1;
		equal(text, "");
		expect(out.lost);
		equal(written(records_release, &out), lost);
	}
}
