// SPDX-License-Identifier: MIT
// Arithmetic and conversions between all pairs of types, on values at the edges and random ones,
// are those of the C compiler that built this test.
#include "debugger/base/cleanup.h"
#include "debugger/values/number.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INTEGERS(X)                 \
	X(char, "char")             \
	X(schar, "signed char")     \
	X(uchar, "unsigned char")   \
	X(short, "short")           \
	X(ushort, "unsigned short") \
	X(int, "int")               \
	X(uint, "unsigned int")     \
	X(long, "long")             \
	X(ulong, "unsigned long")   \
	X(int128, "__int128")       \
	X(uint128, "unsigned __int128")
#define FLOATS(X)           \
	X(float, "float")   \
	X(double, "double") \
	X(ldouble, "long double")
// The same again: a macro does not expand inside itself.
#define TO_INTEGERS(X)              \
	X(char, "char")             \
	X(schar, "signed char")     \
	X(uchar, "unsigned char")   \
	X(short, "short")           \
	X(ushort, "unsigned short") \
	X(int, "int")               \
	X(uint, "unsigned int")     \
	X(long, "long")             \
	X(ulong, "unsigned long")   \
	X(int128, "__int128")       \
	X(uint128, "unsigned __int128")
#define TO_FLOATS(X)        \
	X(float, "float")   \
	X(double, "double") \
	X(ldouble, "long double")
typedef signed char schar;
typedef unsigned char uchar;
typedef long double ldouble;

static struct types *types;

static void ok(struct dc_error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

static void same(const char *what, const char *type, const void *is, const void *wanted,
		 size_t size)
{
	if (memcmp(is, wanted, size) == 0)
		return;
	unsigned long low[2] = { 0 };

	memcpy(&low[0], is, size < 8 ? size : 8);
	memcpy(&low[1], wanted, size < 8 ? size : 8);
	fail_msg("%s in %s: low bytes %lx, wanted %lx", what, type, low[0], low[1]);
}

static uint128 edge(unsigned i)
{
	static const uint128 edges[] = { 0, 1, 2, 3, 7, 127, 128, 255, 256, 32767, 32768, 65535 };
	const uint128 one = 1;

	if (i < 12)
		return edges[i];
	if (i < 40) {
		unsigned bits[] = { 7, 8, 15, 16, 24, 31, 32, 53, 63, 64, 100, 126, 127, 120 };
		return (one << bits[(i - 12) / 2]) - (i & 1);
	}
	return ((uint128)mrand48() << 96 ^ (uint128)mrand48() << 64 ^ (uint128)mrand48() << 32 ^
		(uint128)mrand48()) >>
	       (lrand48() % 128);
}
enum { EDGES = 90 };

static void convert(const char *from, const void *value, const char *to, void *ret)
{
	struct number number;

	ok(number_read(types_basic(types, from), value, &number));
	ok(number_write(&number, types_basic(types, to), ret));
}

// From one type to each integer and floating type.
#define TO_INTEGER(name, spelled)                                 \
	{                                                         \
		unsigned char is[16] = { 0 };                     \
		name wanted = (name)value;                        \
                                                                  \
		convert(from, &value, spelled, is);               \
		same(from, spelled, is, &wanted, sizeof(wanted)); \
	}
#define TO_FLOAT(name, spelled)                                                               \
	{                                                                                     \
		unsigned char is[16] = { 0 };                                                 \
		name wanted = (name)value;                                                    \
                                                                                              \
		convert(from, &value, spelled, is);                                           \
		same(from, spelled, is, &wanted, sizeof(wanted) == 16 ? 10 : sizeof(wanted)); \
	}
#define FROM_INTEGER(name, spelled)                                      \
	for (unsigned i = 0; i < 2 * EDGES; i++) {                       \
		static const char from[] = spelled;                      \
		name value = (name)(i & 1 ? -edge(i / 2) : edge(i / 2)); \
                                                                         \
		TO_INTEGERS(TO_INTEGER)                                  \
		TO_FLOATS(TO_FLOAT)                                      \
	}

static void test_integer_conversions(void **state)
{
	(void)state;
	INTEGERS(FROM_INTEGER)
}

// Only what fits is defined in C; the rest is refused.
#define FLOAT_TO_INTEGER(name, spelled)                                                            \
	{                                                                                          \
		const struct type *type = types_basic(types, spelled);                             \
		unsigned bits = 8 * sizeof(name) - type->is_signed;                                \
		ldouble limit = ldexpl(1, bits), low = type->is_signed ? -limit : 0;               \
		unsigned char is[16] = { 0 };                                                      \
		struct number number;                                                              \
                                                                                                   \
		ok(number_read(types_basic(types, from), (const unsigned char *)&value, &number)); \
		struct dc_error *err = number_write(&number, type, is);                            \
                                                                                                   \
		if (truncl(value) >= low && truncl(value) < limit) {                               \
			name wanted = (name)value;                                                 \
                                                                                                   \
			ok(err);                                                                   \
			same(from, spelled, is, &wanted, sizeof(wanted));                          \
		} else {                                                                           \
			assert_non_null(err);                                                      \
			assert_int_equal(err->code, DC_VALUE);                                     \
			dc_error_destroy(err);                                                     \
		}                                                                                  \
	}
#define FROM_FLOAT(name, spelled)                                                    \
	for (unsigned i = 0; i < 4 * EDGES; i++) {                                   \
		static const char from[] = spelled;                                  \
		name value = (name)(i & 1 ? -(name)edge(i / 4) : (name)edge(i / 4)); \
                                                                                     \
		value = i & 2 ? value / 3 : value;                                   \
		if (i == 4 * EDGES - 1)                                              \
			value = NAN;                                                 \
		TO_INTEGERS(FLOAT_TO_INTEGER)                                        \
		if (!isnan(value)) {                                                 \
			TO_FLOATS(TO_FLOAT)                                          \
		}                                                                    \
	}

static void test_float_conversions(void **state)
{
	(void)state;
	FLOATS(FROM_FLOAT)
}

#define OPERATE(op, sign, name, spelled, bytes)                        \
	{                                                              \
		const struct type *type = types_basic(types, spelled); \
		name wanted = a sign b;                                \
		struct number x, y, z;                                 \
		unsigned char is[16] = { 0 };                          \
                                                                       \
		ok(number_read(type, (unsigned char *)&a, &x));        \
		ok(number_read(type, (unsigned char *)&b, &y));        \
		ok(number_binary(op, &x, &y, type, &z));               \
		ok(number_write(&z, type, is));                        \
		same(#sign, spelled, is, &wanted, bytes);              \
	}
#define COMPARE(op, sign, spelled)                                      \
	{                                                               \
		const struct type *type = types_basic(types, spelled);  \
		struct number x, y;                                     \
                                                                        \
		ok(number_read(type, (unsigned char *)&a, &x));         \
		ok(number_read(type, (unsigned char *)&b, &y));         \
		assert_int_equal(number_compare(op, &x, &y), a sign b); \
	}
#define COMPARE_ALL(spelled)        \
	COMPARE(OP_EQ, ==, spelled) \
	COMPARE(OP_NE, !=, spelled) \
	COMPARE(OP_LT, <, spelled)  \
	COMPARE(OP_LE, <=, spelled) \
	COMPARE(OP_GT, >, spelled)  \
	COMPARE(OP_GE, >=, spelled)

// Unsigned types wrap; signed ones must not overflow in this test's own C.
#define UNSIGNED(name, spelled)                                              \
	for (unsigned i = 0; i < EDGES; i++)                                 \
		for (unsigned j = 0; j < EDGES; j++) {                       \
			name a = (name)edge(i), b = (name)edge(j);           \
                                                                             \
			OPERATE(OP_ADD, +, name, spelled, sizeof(a))         \
			OPERATE(OP_SUB, -, name, spelled, sizeof(a))         \
			OPERATE(OP_MUL, *, name, spelled, sizeof(a))         \
			OPERATE(OP_AND, &, name, spelled, sizeof(a))         \
			OPERATE(OP_OR, |, name, spelled, sizeof(a))          \
			OPERATE(OP_XOR, ^, name, spelled, sizeof(a))         \
			COMPARE_ALL(spelled)                                 \
			if (b != 0) {                                        \
				OPERATE(OP_DIV, /, name, spelled, sizeof(a)) \
				OPERATE(OP_MOD, %, name, spelled, sizeof(a)) \
			}                                                    \
			b &= 8 * sizeof(a) - 1;                              \
			OPERATE(OP_SHL, <<, name, spelled, sizeof(a))        \
			OPERATE(OP_SHR, >>, name, spelled, sizeof(a))        \
		}
#define SIGNED(name, spelled)                                                                   \
	for (unsigned i = 0; i < 2 * EDGES; i++)                                                \
		for (unsigned j = 0; j < EDGES; j++) {                                          \
			name a = (name)(i & 1 ? -edge(i / 2) : edge(i / 2)), b = (name)edge(j); \
			name overflowed;                                                        \
                                                                                                \
			if (!__builtin_add_overflow(a, b, &overflowed))                         \
				OPERATE(OP_ADD, +, name, spelled, sizeof(a))                    \
			if (!__builtin_sub_overflow(a, b, &overflowed))                         \
				OPERATE(OP_SUB, -, name, spelled, sizeof(a))                    \
			if (!__builtin_mul_overflow(a, b, &overflowed))                         \
				OPERATE(OP_MUL, *, name, spelled, sizeof(a))                    \
			COMPARE_ALL(spelled)                                                    \
			if (b != 0 && b != -1) {                                                \
				OPERATE(OP_DIV, /, name, spelled, sizeof(a))                    \
				OPERATE(OP_MOD, %, name, spelled, sizeof(a))                    \
			}                                                                       \
			b &= 8 * sizeof(a) - 1;                                                 \
			OPERATE(OP_SHR, >>, name, spelled, sizeof(a))                           \
		}

static void test_integers(void **state)
{
	(void)state;
	UNSIGNED(uint, "unsigned int")
	UNSIGNED(ulong, "unsigned long")
	UNSIGNED(uint128, "unsigned __int128")
	SIGNED(int, "int")
	SIGNED(long, "long")
	SIGNED(int128, "__int128")
}

#define FLOAT(name, spelled)                                                \
	for (unsigned i = 0; i < EDGES; i++)                                \
		for (unsigned j = 0; j < EDGES; j++) {                      \
			name a = (name)edge(i) / 3, b = -(name)edge(j) / 7; \
			size_t bytes = sizeof(a) == 16 ? 10 : sizeof(a);    \
                                                                            \
			OPERATE(OP_ADD, +, name, spelled, bytes)            \
			OPERATE(OP_SUB, -, name, spelled, bytes)            \
			OPERATE(OP_MUL, *, name, spelled, bytes)            \
			COMPARE_ALL(spelled)                                \
			if (b != 0)                                         \
				OPERATE(OP_DIV, /, name, spelled, bytes)    \
		}

static void test_floats(void **state)
{
	(void)state;
	FLOATS(FLOAT)
}

#define COMPLEX(name, spelled, part)                                                   \
	for (unsigned i = 0; i < EDGES; i++)                                           \
		for (unsigned j = 0; j < EDGES; j++) {                                 \
			name a = __builtin_complex((part)edge(i) / 3, (part)edge(j));  \
			name b = __builtin_complex((part)edge(j) / 7, -(part)edge(i)); \
			size_t bytes = sizeof(a) == 32 ? 10 : sizeof(a);               \
                                                                                       \
			OPERATE_COMPLEX(OP_ADD, +, name, spelled, bytes)               \
			OPERATE_COMPLEX(OP_SUB, -, name, spelled, bytes)               \
			OPERATE_COMPLEX(OP_MUL, *, name, spelled, bytes)               \
			if (b != 0)                                                    \
				OPERATE_COMPLEX(OP_DIV, /, name, spelled, bytes)       \
		}
#define OPERATE_COMPLEX(op, sign, name, spelled, bytes)                                     \
	{                                                                                   \
		const struct type *type = types_basic(types, spelled);                      \
		name wanted = a sign b;                                                     \
		struct number x, y, z;                                                      \
		unsigned char is[32] = { 0 };                                               \
                                                                                            \
		ok(number_read(type, (unsigned char *)&a, &x));                             \
		ok(number_read(type, (unsigned char *)&b, &y));                             \
		ok(number_binary(op, &x, &y, type, &z));                                    \
		ok(number_write(&z, type, is));                                             \
		same(#sign, spelled, is, &wanted, bytes);                                   \
		same(#sign, spelled, is + type->size / 2, (char *)&wanted + type->size / 2, \
		     bytes == 10 ? 10 : bytes / 2);                                         \
	}

static void test_complex(void **state)
{
	(void)state;
	COMPLEX(float _Complex, "float _Complex", float)
	COMPLEX(double _Complex, "double _Complex", double)
	COMPLEX(long double _Complex, "long double _Complex", long double)
}

// All 65536 halves there and back, and the points where rounding turns.
static void test_half(void **state)
{
	const struct type half = {
		.kind = TYPE_FLOAT, .format = FLOAT_16, .size = 2, .is_signed = true
	};
	static const struct {
		double value;
		uint16_t bits;
	} turns[] = { { 65519.99, 0x7bff }, { 65520, 0x7c00 },	      { 2049, 0x6800 },
		      { 2051, 0x6802 },	    { 0x1p-25, 0 },	      { 0x1.8p-25, 1 },
		      { 0x1p-14, 0x0400 },  { -0x1.ff8p-15, 0x83ff }, { 1.0 / 3, 0x3555 },
		      { -0.0, 0x8000 } };

	(void)state;
	for (uint32_t i = 0; i < 65536; i++) {
		uint16_t bits = i, again;
		struct number number;
		bool is_nan = (bits & 0x7c00) == 0x7c00 && (bits & 0x3ff);

		ok(number_read(&half, (unsigned char *)&bits, &number));
		ok(number_write(&number, &half, (unsigned char *)&again));
		if (is_nan)
			assert_int_equal(again & 0x7e00, 0x7e00);
		else
			assert_int_equal(again, bits);
	}
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		struct number number = { .kind = NUMBER_REAL, .re = turns[i].value };
		uint16_t bits;

		ok(number_write(&number, &half, (unsigned char *)&bits));
		assert_int_equal(bits, turns[i].bits);
	}
}

static int start(void **state)
{
	(void)state;
	srand48(1);
	types = types_create();
	return types ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	types_destroy(types);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integer_conversions),
		cmocka_unit_test(test_float_conversions),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_floats),
		cmocka_unit_test(test_complex),
		cmocka_unit_test(test_half),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, end);
}
