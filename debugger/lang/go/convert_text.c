// SPDX-License-Identifier: MIT
// Conversions between strings and slices of bytes or characters.
#include "debugger/lang/go/go.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

struct dc_error *go_text_of(struct context *context, struct operand *operand, bool *known,
			    const char **text, uint64_t *length)
{
	struct dc_error *err;

	*known = true;
	if (operand->text) {
		*text = operand->text;
		*length = operand->length;
		return NULL;
	}
	err = go_load(context, operand);
	*known = !err && operand->bytes;
	if (err || !*known)
		return err;
	*length = go_word(operand, 1);
	if (*length > TEXT_MAX)
		return error_make(DC_VALUE,
				  "a text of %" PRIu64 " bytes is too long to be read here",
				  *length);
	return go_read_memory(context, go_word(operand, 0), *length, (const unsigned char **)text);
}

static bool is_bytes(const struct type *type)
{
	return go_kind(type) == GO_SLICE && go_kind(go_element(type)) == GO_UINT8;
}

static bool is_runes(const struct type *type)
{
	return go_kind(type) == GO_SLICE && go_kind(go_element(type)) == GO_INT32;
}

static size_t put_rune(int64_t rune, char *out)
{
	uint32_t r = rune < 0 || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)
			     ? 0xfffd
			     : (uint32_t)rune;

	if (r < 0x80) {
		out[0] = (char)r;
		return 1;
	}
	if (r < 0x800) {
		out[0] = (char)(0xc0 | r >> 6);
		out[1] = (char)(0x80 | (r & 63));
		return 2;
	}
	if (r < 0x10000) {
		out[0] = (char)(0xe0 | r >> 12);
		out[1] = (char)(0x80 | (r >> 6 & 63));
		out[2] = (char)(0x80 | (r & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | r >> 18);
	out[1] = (char)(0x80 | (r >> 12 & 63));
	out[2] = (char)(0x80 | (r >> 6 & 63));
	out[3] = (char)(0x80 | (r & 63));
	return 4;
}

// The bytes that a new string, or slice, of the type has are known here.
static struct dc_error *made_of(struct context *context, const struct type *type, const char *bytes,
				uint64_t length, uint64_t count, struct operand *ret)
{
	const struct node *node = ret->node;
	uint64_t *words = go_alloc(context, 3 * sizeof(*words));
	struct dc_error *err = NULL;

	if (!words)
		return &dc_out_of_memory;
	*ret = go_bytes(type, NULL);
	ret->node = node;
	if (go_kind(type) == GO_STRING) {
		ret->text = bytes;
		ret->length = length;
		return NULL;
	}
	err = go_place(context, bytes, length, &words[0]);
	words[1] = words[2] = count;
	if (context->runs)
		ret->bytes = (unsigned char *)words;
	return err;
}

static struct dc_error *runes_to_text(struct context *context, const char *bytes, uint64_t count,
				      const char **text, uint64_t *length)
{
	char *out = go_alloc(context, 4 * count + 1);

	if (!out)
		return &dc_out_of_memory;
	*length = 0;
	for (uint64_t i = 0; i < count; i++) {
		int32_t rune;

		memcpy(&rune, bytes + 4 * i, sizeof(rune));
		*length += put_rune(rune, out + *length);
	}
	*text = out;
	return NULL;
}

static uint32_t next_rune(const char *text, uint64_t length, uint64_t *at)
{
	unsigned char c = (unsigned char)text[(*at)++];
	int more = c >= 0xf0 && c < 0xf8 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;
	uint32_t rune = c & (0x3f >> more);

	if (c < 0x80)
		return c;
	if (!more || c >= 0xf8 || *at + (unsigned)more > length)
		return 0xfffd;
	for (int i = 0; i < more; i++) {
		if (((unsigned char)text[*at + (unsigned)i] & 0xc0) != 0x80)
			return 0xfffd;
		rune = rune << 6 | ((unsigned char)text[*at + (unsigned)i] & 0x3f);
	}
	*at += (unsigned)more;
	return rune;
}

// Between strings and slices of bytes or characters; *done false: it is another conversion.
struct dc_error *go_convert_text(struct context *context, struct operand *operand,
				 const struct type *type, bool *done)
{
	const struct type *from = operand->type;
	bool known, is_text = operand->untyped == UNTYPED_STRING ||
			      (from && go_kind(from) == GO_STRING);
	bool to_text = go_kind(type) == GO_STRING;
	const char *text;
	uint64_t length, count;
	struct number number;
	struct dc_error *err;

	*done = (is_text && (is_bytes(type) || is_runes(type))) ||
		(to_text && from && (is_bytes(from) || is_runes(from))) ||
		(to_text && !is_text &&
		 (operand->untyped == UNTYPED_INT || operand->untyped == UNTYPED_RUNE ||
		  (from && go_is_integer(from))));
	if (!*done)
		return NULL;
	if (to_text && (!from || go_is_integer(from))) {
		char *one = go_alloc(context, 8);

		err = go_load(context, operand);
		if (err || !one)
			return err ? err : &dc_out_of_memory;
		if (!go_number(operand, &number)) {
			*operand = go_bytes(type, NULL);
			return NULL;
		}
		return made_of(context, type, one, put_rune((int64_t)number.i, one), 0, operand);
	}
	if (from && is_runes(from)) {
		err = go_load(context, operand);
		if (err)
			return err;
		known = operand->bytes;
		if (known) {
			const unsigned char *bytes;

			count = go_word(operand, 1);
			err = go_read_memory(context, go_word(operand, 0), 4 * count, &bytes);
			if (!err)
				err = runes_to_text(context, (const char *)bytes, count, &text,
						    &length);
		}
	} else {
		err = go_text_of(context, operand, &known, &text, &length);
	}
	if (err)
		return err;
	if (!known) {
		*operand = go_bytes(type, NULL);
		return NULL;
	}
	if (!is_runes(type))
		return made_of(context, type, text, length, length, operand);

	int32_t *runes = go_alloc(context, 4 * length + 4);

	if (!runes)
		return &dc_out_of_memory;
	count = 0;
	for (uint64_t at = 0; at < length;)
		runes[count++] = (int32_t)next_rune(text, length, &at);
	return made_of(context, type, (char *)runes, 4 * count, count, operand);
}
