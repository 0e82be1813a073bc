// SPDX-License-Identifier: MIT
// The program that the tests of values/ evaluate expressions in: objects of every kind of type. A
// forked copy of the test is the target, so that its symbols are the test's own and its addresses
// too.
#ifndef TESTS_UNIT_VALUES_PROGRAM_H
#define TESTS_UNIT_VALUES_PROGRAM_H

#include <complex.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <uchar.h>
#include <wchar.h>

// Kept by the compiler although only expressions use them.
#define KEEP   __attribute__((used))
#define CALLEE __attribute__((used, noinline)) static

enum color { RED, GREEN, BLUE = 5 };
enum flags { FLAG_A = 1, FLAG_B = 2, FLAG_C = 4 };
enum sign { MINUS = -1, NOTHING, PLUS };
enum mask { MASK_1 = 1, MASK_2 = 2, MASK_HIGH = 0xc };
enum wide { WIDE = 0x100000000 };
typedef char letter;
typedef char *text;
typedef int (*binary)(int, int);
typedef int ints __attribute__((vector_size(16)));
typedef float floats __attribute__((vector_size(16)));
typedef char bytes __attribute__((vector_size(16)));
typedef float wide_floats __attribute__((vector_size(32)));
struct point {
	int a;
	double b;
};
struct bits {
	unsigned a : 3;
	int b : 5;
	unsigned long c : 40;
	bool d : 1;
	enum color e : 4;
};
struct __attribute__((packed)) odd {
	char c;
	unsigned long wide : 60;
	int after;
};
union number {
	int i;
	float f;
	char c[4];
};
struct never;
struct nothing {
};
struct open {
	int n;
	char d[];
};
struct node {
	struct node *next;
	int v;
};
static int add(int a, int b);
struct all {
	struct point p;
	int array[3];
	char name[8];
	union {
		int u;
		float v;
	};
	struct {
		int x, y;
	} in;
	int *ip;
	char *str;
	int (*cb)(int, int);
	void *vp;
	enum color c;
	bool b;
	char ch;
};

KEEP int gi = 3;
KEEP unsigned gu = 4000000000u;
KEEP short gsh = -2;
KEEP long gl = -7;
KEEP unsigned long gul = ~0ul;
KEEP long long gll = 1;
KEEP char gc = 'c', newline = '\n', quote = '\'', backslash = '\\', escape = 27, delete = 127, nul;
KEEP signed char gsc = -1;
KEEP unsigned char guc = 200, small = 5;
KEEP bool yes = true, no, flags3[3] = { true, false, true };
KEEP enum color red = RED, blue = BLUE, color9 = (enum color)9;
KEEP enum flags flag0, flag3 = (enum flags)3, flag9 = (enum flags)9, flag8 = (enum flags)8;
KEEP enum sign minus = MINUS, sign7 = (enum sign)7;
KEEP enum mask mask13 = (enum mask)13, mask12 = MASK_HIGH;
KEEP enum wide wide_enum = WIDE;
KEEP int *gp = &gi, **gpp = &gp, *gbad = (int *)16;
KEEP char *gs = "abc", *gnull, *gbadtext = (char *)16, *gempty = "";
KEEP const char *const gconst = "q", *names[3] = { "a", "b", NULL };
KEEP unsigned char *gus = (unsigned char *)"xyz\377";
KEEP uint8_t *gu8 = (uint8_t *)"ab";
KEEP letter *gletters = "mc";
KEEP text gtext = "ts";
KEEP void *gv = &gi;
KEEP const int *volatile gcp = &gi;
KEEP char *glong = "0123456789012345678901234567890123456789012345678901234567890123456789"
		   "0123456789012345678901234567890123456789012345678901234567890123456789"
		   "012345678901234567890123456789012345678901234567890123456789012345";
KEEP char *grun = "aaaaaaaaaaaaaaaaaaaabcccccccccccccccc";
KEEP char *gmixed = "ab\001\002\0331\"'\\\t\n\r\a\b\f\v\177\200\xc3\xa9z",
	  *gutf = "a\u00e9\x80\xc3";
KEEP binary gfp = add;
KEEP int (*gfps[2])(int, int) = { add, NULL };
KEEP struct point s = { 1, 2.5 }, *ps = &s;
KEEP const struct point cs = { 3, 4 };
KEEP struct bits bf = { 5, -3, 0xffffffffff, true, GREEN };
KEEP struct odd odd = { 'x', 0x123456789abcdef, -9 };
KEEP union number un = { 65 };
KEEP struct never *gnever;
KEEP struct nothing gnothing;
KEEP struct open gopen = { 1 };
KEEP struct node list = { &list, 7 };
KEEP struct {
	int k;
} unnamed = { 4 };
KEEP int array[3] = { 1, 2, 3 }, matrix[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
KEEP int run12[20] = { 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 2 }, run10[12] = { 1, 2 }, zeros[300];
KEEP int counting[250];
KEEP struct point points[12] = { { 1, 2 }, { 1, 2 } };
KEEP char ca[4] = "abc", cb[8] = "abc", cc[3] = { 'a', 'b', 'c' }, cz[8], cm[8] = "a\0b", ck[300];
KEEP char cr[40] = "xxaaaaaaaaaaaaaaaybbbbbbbbbbbbbbbb", rows[2][4] = { "abc", "de" };
KEEP char hexdigit[6] = { 1, '1', (char)0xff, 'a', '9', 0 };
KEEP unsigned char uca[4] = { 1, 2, 3, 255 };
KEEP signed char sca[3] = { -1, 65, 0 };
KEEP wchar_t *ws = L"wide\u00e9", wc = L'x', wa[4] = L"abc",
	     wbad[4] = { 0xd800, '1', 0x12345678, '2' };
KEEP char16_t *w16 = u"a\u00e9\U0001F600", c16 = u'y';
KEEP char32_t *w32 = U"thirty";
KEEP float gf = 1.1f, ffs3[3] = { 1, 1.5, 0.1f };
KEEP double gd = 1.1, third = 1.0 / 3, hundred = 1e100, minus_zero = -0.0,
	    dones[12] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
KEEP double infinite = 1e308 * 10, minus_infinite = -1e308 * 10;
KEEP union {
	uint64_t bits;
	double value;
} dnan = { 0x7ff8000000000000 }, dnan1 = { 0xfff8000000000001 };
KEEP union {
	uint32_t bits;
	float value;
} fnan = { 0x7fc00005 };
KEEP long double gld = 1.1L;
KEEP float _Complex cf = 1 + 2i;
KEEP double _Complex cd = 1.5 - 2i;
KEEP long double _Complex cld = 1 + 2i;
KEEP __int128 i128 = -5;
KEEP unsigned __int128 u128 = (unsigned __int128)1 << 100;
KEEP ints vi = { 1, 2, 3, 4 };
KEEP floats vf = { 1, 2, 3.5, 4 };
KEEP bytes vb = { 65, 66 };
KEEP wide_floats vw = { 1, 2, 3, 4, 5, 6, 7, 8 };
KEEP struct all all = { { 1, 2 }, { 1, 2, 3 }, "abc", { 7 }, { 8, 9 }, &gi,
			"str",	  add,	       &gi,   BLUE,  true,     'x' };
KEEP struct {
	struct point *p;
	struct point q[2];
} nest = { &s, { { 1, 2 }, { 3, 4 } } };
KEEP char pool[1 << 20]; // the target's memory for literals

CALLEE int add(int a, int b)
{
	return a + b;
}
CALLEE char next_char(char c)
{
	return c + 1;
}
CALLEE unsigned char low(unsigned char c)
{
	return c;
}
CALLEE double scale(double d, int by)
{
	return d * by;
}
CALLEE float addf(float a, float b)
{
	return a + b;
}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
CALLEE float old_style(a, b)
float a;
char b;
{
	return a + b;
}
#pragma GCC diagnostic pop
CALLEE long length(const char *text)
{
	return strlen(text);
}
CALLEE int sum(const int *first, int n)
{
	return n ? *first + sum(first + 1, n - 1) : 0;
}
CALLEE int at(const struct point *p)
{
	return p->a + (int)p->b;
}
CALLEE int apply(int (*f)(int, int), int a, int b)
{
	return f(a, b);
}
CALLEE int bump(int *n)
{
	static int calls = 40;

	*n += 1;
	return ++calls;
}
CALLEE int variadic(const char *format, ...)
{
	__builtin_va_list args;
	int sum = 0;

	__builtin_va_start(args, format);
	for (; *format; format++)
		sum += *format == 'd' ? __builtin_va_arg(args, int)
				      : (int)__builtin_va_arg(args, double);
	__builtin_va_end(args);
	return sum;
}
CALLEE void nothing(void)
{
}
CALLEE int zero(void)
{
	return 0;
}

#endif
