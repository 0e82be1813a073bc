// SPDX-License-Identifier: MIT
// Types, functions and variables of every kind, and a table of what the compiler made of them, for
// tests of the symbol reader. Built many ways; says "ready" and waits.
#include "tests/targets/symbols_zoo.h"

#include <complex.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum color { RED, GREEN = 5, BLUE };
enum tone { DARK = -3, LIGHT = 3 };
enum wide { NARROW = 1, VERY_WIDE = 0x123456789abcLL };
struct point {
	int x;
	double y;
};
struct bits {
	unsigned a : 3;
	int b : 5;
	long c : 33;
	char d;
	bool e : 1;
	unsigned long : 0;
	unsigned f : 31;
	unsigned g : 2;
};
struct __attribute__((packed)) packed {
	char c;
	int i;
	struct point p;
	unsigned x : 7;
	unsigned y : 20;
	char last;
};
struct around_packed {
	char c;
	struct packed inner;
};
union both {
	int i;
	float f;
	char bytes[12];
};
struct node {
	struct node *next;
	struct hidden *hidden;
	int (*visit)(struct node *, const char *, ...);
	int matrix[2][3];
	struct {
		int inner;
		union {
			int u;
			float v;
		};
	} named;
	struct {
		short anonymous;
	};
	int tail[];
};
struct holder {
	char c;
	__attribute__((aligned(32))) int aligned;
	long double ld;
	_Complex double cd;
	_Complex long double cld;
	__int128 wide;
	enum color color;
	bool flag;
	const volatile char *text;
	union both both[2];
	float vector __attribute__((vector_size(16)));
};
typedef struct {
	int only;
} untagged;
typedef int (*binary)(int, int);

#define MEMBER(type, member)                                                        \
	{                                                                           \
#type, #member, offsetof(type, member), sizeof(((type *)0)->member) \
	}
const struct layout layouts[] = {
	MEMBER(struct point, x),
	MEMBER(struct point, y),
	MEMBER(struct bits, d),
	MEMBER(struct packed, c),
	MEMBER(struct packed, i),
	MEMBER(struct packed, p),
	MEMBER(struct packed, last),
	MEMBER(struct around_packed, inner),
	MEMBER(union both, f),
	MEMBER(union both, bytes),
	MEMBER(struct node, next),
	MEMBER(struct node, hidden),
	MEMBER(struct node, visit),
	MEMBER(struct node, matrix),
	MEMBER(struct node, named),
	MEMBER(struct holder, aligned),
	MEMBER(struct holder, ld),
	MEMBER(struct holder, cd),
	MEMBER(struct holder, wide),
	MEMBER(struct holder, color),
	MEMBER(struct holder, flag),
	MEMBER(struct holder, text),
	MEMBER(struct holder, both),
	MEMBER(struct holder, vector),
	{ "untagged", "only", 0, sizeof(int) },
};
const unsigned int nr_layouts = sizeof(layouts) / sizeof(layouts[0]);

#define SIZE(type)                                  \
	{                                           \
#type, sizeof(type), _Alignof(type) \
	}
const struct extent extents[] = {
	SIZE(struct point), SIZE(struct bits), SIZE(struct packed), SIZE(struct around_packed),
	SIZE(union both),   SIZE(struct node), SIZE(struct holder), SIZE(untagged),
	SIZE(enum color),   SIZE(enum wide),   SIZE(binary),
};
const unsigned int nr_extents = sizeof(extents) / sizeof(extents[0]);

struct bits all_ones_a = { .a = 7 }, all_ones_b = { .b = -1 }, all_ones_c = { .c = -1 },
	    all_ones_e = { .e = 1 }, all_ones_f = { .f = 0x7fffffff }, all_ones_g = { .g = 3 };
struct packed packed_x = { .x = 127 }, packed_y = { .y = 0xfffff };

int global = 3;
static int file_static = 4;
const char *const text = "abc";
struct point points[2] = { { 1, 2.5 }, { 3, 4.5 } };
struct node *list;
struct holder holder;
binary chosen;
int (*(*tangle)(int (*)(char), const char *const *))[3];
__thread int thread_local_int = 11;
static __thread char thread_local_text[8] = "tls";
untagged plain;
struct around_packed around_packed;
enum tone tone = DARK;
volatile enum wide wide = VERY_WIDE;

struct here here;

int add(int a, int b)
{
	return a + b;
}

static int hidden_helper(struct point p, const char *s)
{
	return p.x + (int)strlen(s);
}

int old_style(a, b)
int a;
float b;
{
	return a + (int)b;
}

int variadic(const char *format, ...)
{
	va_list args;

	va_start(args, format);

	int first = va_arg(args, int);

	va_end(args);
	return first;
}

struct point make_point(int x, double y)
{
	return (struct point){ x, y };
}

float complex mix(_Complex double a, __int128 b, unsigned char c)
{
	return a + (double)b + c;
}

void nothing(void)
{
}

// Its place in the program is published, so that a test need not unwind to it.
__attribute__((noinline)) int frame(int parameter)
{
	int local = parameter + 1;
	volatile int shadowed = 1;
	static int counted = 77;

	here.parameter = &parameter;
	here.local = &local;
	here.counted = &counted;
	{
		volatile int shadowed = 2;
		enum inner_color { PINK = 40 } pink = PINK;

		here.inner = (int *)&shadowed;
		here.cfa = __builtin_dwarf_cfa();
		here.rbp = __builtin_frame_address(0);
		__asm__ volatile("lea 0(%%rip), %0" : "=r"(here.pc));
		shadowed += pink - PINK;
		here.outer = (int *)&shadowed;
	}
	here.outer = (int *)&shadowed;
	return local + shadowed + counted;
}

int main(void)
{
	here.tls_int = &thread_local_int;
	here.tls_text = thread_local_text;
	here.errno_address = &errno;
	__asm__ volatile("mov %%fs:0, %0" : "=r"(here.fs_base));
	chosen = add;
	global = frame(5) + old_style(1, 2.0f) + variadic("", 1) + hidden_helper(points[0], "x");
	here.file_static = &file_static;
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	for (;;)
		pause();
}
