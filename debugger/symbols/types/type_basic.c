// SPDX-License-Identifier: MIT
// The basic types of C on x86-64, by any spelling that C allows: "long unsigned" is "unsigned
// long". They need no debug information, and DWARF's own basic types are mapped onto them.
#include "debugger/symbols/types/type_table.h"

#include <string.h>

// canonical spelling, kind, format, size, signed, char
#define BASIC_TYPES(X)                                          \
	X("void", VOID, NONE, 0, false, false)                  \
	X("_Bool", BOOL, NONE, 1, false, false)                 \
	X("bool", BOOL, NONE, 1, false, false)                  \
	X("char", INT, NONE, 1, true, true)                     \
	X("signed char", INT, NONE, 1, true, true)              \
	X("unsigned char", INT, NONE, 1, false, true)           \
	X("short", INT, NONE, 2, true, false)                   \
	X("unsigned short", INT, NONE, 2, false, false)         \
	X("int", INT, NONE, 4, true, false)                     \
	X("unsigned int", INT, NONE, 4, false, false)           \
	X("long", INT, NONE, 8, true, false)                    \
	X("unsigned long", INT, NONE, 8, false, false)          \
	X("long long", INT, NONE, 8, true, false)               \
	X("unsigned long long", INT, NONE, 8, false, false)     \
	X("__int128", INT, NONE, 16, true, false)               \
	X("unsigned __int128", INT, NONE, 16, false, false)     \
	X("float", FLOAT, 32, 4, true, false)                   \
	X("double", FLOAT, 64, 8, true, false)                  \
	X("long double", FLOAT, X87, 16, true, false)           \
	X("_Float16", FLOAT, 16, 2, true, false)                \
	X("__bf16", FLOAT, OTHER, 2, true, false)               \
	X("_Float32", FLOAT, 32, 4, true, false)                \
	X("_Float64", FLOAT, 64, 8, true, false)                \
	X("_Float32x", FLOAT, 64, 8, true, false)               \
	X("_Float64x", FLOAT, X87, 16, true, false)             \
	X("__float80", FLOAT, X87, 16, true, false)             \
	X("__float128", FLOAT, 128, 16, true, false)            \
	X("_Float128", FLOAT, 128, 16, true, false)             \
	X("_Decimal32", FLOAT, OTHER, 4, true, false)           \
	X("_Decimal64", FLOAT, OTHER, 8, true, false)           \
	X("_Decimal128", FLOAT, OTHER, 16, true, false)         \
	X("complex float", COMPLEX, 32, 8, true, false)         \
	X("complex double", COMPLEX, 64, 16, true, false)       \
	X("complex long double", COMPLEX, X87, 32, true, false) \
	X("complex _Float16", COMPLEX, 16, 4, true, false)      \
	X("complex _Float32", COMPLEX, 32, 8, true, false)      \
	X("complex _Float64", COMPLEX, 64, 16, true, false)     \
	X("complex _Float64x", COMPLEX, X87, 32, true, false)   \
	X("complex _Float128", COMPLEX, 128, 32, true, false)   \
	X("complex __float128", COMPLEX, 128, 32, true, false)

static const struct basic {
	const char *name;
	enum type_kind kind;
	enum type_float format;
	uint8_t size;
	bool is_signed, is_char;
} basics[] = {
#define X(name, kind, format, size, is_signed, is_char) \
	{ name, TYPE_##kind, FLOAT_##format, size, is_signed, is_char },
	BASIC_TYPES(X)
#undef X
};

enum { NR_BASICS = sizeof(basics) / sizeof(basics[0]), MAX_WORDS = 8 };

// The words that may stand in any order, counted.
struct words {
	int nr_long, nr_short, nr_signed, nr_unsigned, nr_int, nr_char, nr_double, nr_complex;
	int nr_int128;
	const char *other; // a name that stands alone, such as _Float16
	size_t other_length;
	int nr_others;
};

static bool is_word(const char *word, size_t length, const char *what)
{
	return strlen(what) == length && !memcmp(word, what, length);
}

static bool count_word(struct words *words, const char *word, size_t length)
{
	static const struct {
		const char *word;
		size_t offset;
	} known[] = {
		{ "long", offsetof(struct words, nr_long) },
		{ "short", offsetof(struct words, nr_short) },
		{ "signed", offsetof(struct words, nr_signed) },
		{ "__signed__", offsetof(struct words, nr_signed) },
		{ "unsigned", offsetof(struct words, nr_unsigned) },
		{ "int", offsetof(struct words, nr_int) },
		{ "char", offsetof(struct words, nr_char) },
		{ "double", offsetof(struct words, nr_double) },
		{ "_Complex", offsetof(struct words, nr_complex) },
		{ "complex", offsetof(struct words, nr_complex) },
		{ "__complex__", offsetof(struct words, nr_complex) },
		{ "__int128", offsetof(struct words, nr_int128) },
		{ "__int128_t", offsetof(struct words, nr_int128) },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (is_word(word, length, known[i].word)) {
			++*(int *)((char *)words + known[i].offset);
			return true;
		}
	}
	if (is_word(word, length, "__uint128_t")) {
		words->nr_int128++;
		words->nr_unsigned++;
		return true;
	}
	words->other = word;
	words->other_length = length;
	return ++words->nr_others == 1;
}

static const struct basic *find(const char *name, size_t length)
{
	for (size_t i = 0; i < NR_BASICS; i++) {
		if (is_word(name, length, basics[i].name))
			return &basics[i];
	}
	return NULL;
}

static const struct basic *find_complex(const char *part, size_t length)
{
	for (size_t i = 0; i < NR_BASICS; i++) {
		if (basics[i].kind == TYPE_COMPLEX &&
		    is_word(part, length, basics[i].name + strlen("complex ")))
			return &basics[i];
	}
	return NULL;
}

static const struct basic *integer(const struct words *w)
{
	bool is_unsigned = w->nr_unsigned;
	const char *name;

	if (w->nr_signed + w->nr_unsigned > 1 || w->nr_complex || w->nr_double)
		return NULL;
	if (w->nr_char) {
		if (w->nr_char > 1 || w->nr_int || w->nr_long || w->nr_short || w->nr_int128)
			return NULL;
		name = is_unsigned ? "unsigned char" : w->nr_signed ? "signed char" : "char";
	} else if (w->nr_int128) {
		if (w->nr_int128 > 1 || w->nr_int || w->nr_long || w->nr_short)
			return NULL;
		name = is_unsigned ? "unsigned __int128" : "__int128";
	} else if (w->nr_int > 1 || w->nr_short > 1 || w->nr_long > 2 ||
		   (w->nr_short && w->nr_long)) {
		return NULL;
	} else if (w->nr_short) {
		name = is_unsigned ? "unsigned short" : "short";
	} else if (w->nr_long == 2) {
		name = is_unsigned ? "unsigned long long" : "long long";
	} else if (w->nr_long) {
		name = is_unsigned ? "unsigned long" : "long";
	} else {
		name = is_unsigned ? "unsigned int" : "int";
	}
	return find(name, strlen(name));
}

static const struct basic *parse(const char *spelling)
{
	struct words w = { 0 };
	int nr_words = 0;

	for (;;) {
		spelling += strspn(spelling, " \t\n");

		size_t length = strcspn(spelling, " \t\n");

		if (!length)
			break;
		if (++nr_words > MAX_WORDS || !count_word(&w, spelling, length))
			return NULL;
		spelling += length;
	}
	if (!nr_words || w.nr_complex > 1 || w.nr_double > 1)
		return NULL;

	if (w.nr_others) {
		if (nr_words == 1)
			return find(w.other, w.other_length);
		if (nr_words == 2 && w.nr_complex)
			return find_complex(w.other, w.other_length);
		return NULL;
	}
	if (w.nr_double) {
		bool is_long = w.nr_long == 1;

		if (nr_words != w.nr_double + w.nr_complex + is_long)
			return NULL;

		const char *name = is_long ? "long double" : "double";

		return w.nr_complex ? find_complex(name, strlen(name)) : find(name, strlen(name));
	}
	// GNU C: _Complex alone is _Complex double.
	if (w.nr_complex)
		return nr_words == 1 ? find_complex("double", strlen("double")) : NULL;
	return integer(&w);
}

const char *types_canonical(const char *spelling)
{
	const struct basic *basic = parse(spelling);

	return basic ? basic->name : NULL;
}

const struct type *types_basic(struct types *types, const char *spelling)
{
	const struct basic *basic = parse(spelling);

	if (!basic)
		return NULL;

	bool made;
	struct type_node *node = types_intern(types, basic, 0, &made);

	if (!node || !made)
		return node ? &node->type : NULL;
	node->type.kind = basic->kind;
	node->type.format = basic->format;
	node->type.name = basic->name;
	node->type.size = basic->size;
	node->type.align = basic->size ? basic->size : 1;
	node->type.is_signed = basic->is_signed;
	node->type.is_char = basic->is_char;
	if (basic->kind == TYPE_COMPLEX) {
		// One part stands for both, and a complex number is aligned as its part is.
		const struct basic *part = parse(basic->name + strlen("complex "));

		node->type.target = types_basic(types, part->name);
		if (!node->type.target)
			return NULL;
		node->type.align = node->type.target->align;
	}
	return &node->type;
}
