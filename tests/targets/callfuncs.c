// SPDX-License-Identifier: MIT
// Functions of every kind of argument and result, and data of every kind of type, for the
// expression tests. Each function computes something that depends on every byte it was given.
#include <complex.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef __int128 int128;
typedef int v4si __attribute__((vector_size(16)));
typedef float v8sf __attribute__((vector_size(32)));
typedef double v8df __attribute__((vector_size(64)));

enum color { RED, GREEN = 5, BLUE };
enum flags { FLAG_A = 1, FLAG_B = 2, FLAG_C = 4 };

struct point {
	int x, y;
};
struct pair {
	double a;
	long b;
};
struct floats {
	float a, b, c;
};
struct big {
	long v[5];
};
struct bits {
	unsigned a : 3;
	int b : 5;
	unsigned long c : 40;
};
struct __attribute__((packed)) packed {
	char c;
	double d;
};
struct x87 {
	long double v;
};
struct node {
	struct node *next;
	int value;
	int (*op)(int, int);
};
struct anonymous {
	int tag;
	union {
		int i;
		float f;
	};
};
union number {
	int i;
	double d;
};

// ---- data ---------------------------------------------------------------------------------------

int add(int a, int b);
int g_int = 42;
static int s_int = 7;
unsigned char g_uchar = 200;
char g_char = 'c';
signed char g_schar = -1;
short g_short = -300;
unsigned long g_ulong = 18446744073709551615UL;
int128 g_int128 = ((int128)0x0123456789abcdef << 64) | 0xfedcba9876543210;
float g_float = 1.5f;
double g_double = 0.1;
long double g_ldouble = 3.25L;
bool g_bool = true;
double _Complex g_complex = 1.0 + 2.0 * I;
enum color g_color = BLUE;
enum flags g_flags = FLAG_A | FLAG_C;
struct point g_point = { 3, 4 };
struct pair g_pair = { 2.5, 10 };
struct bits g_bits = { 5, -3, 0x123456789a };
struct packed g_packed = { 'p', 9.75 };
struct big g_big = { { 1, 2, 3, 4, 5 } };
struct anonymous g_anonymous = { 1, { .i = 1 } };
union number g_number = { .d = 1.0 };
struct node g_tail = { NULL, 2, add };
struct node g_head = { &g_tail, 1, add };
int g_array[4] = { 1, 2, 3, 4 };
int g_matrix[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
int g_many[300];
char g_text[16] = "hello";
char g_escapes[] = "a\tb\n\"\\\x01\xff";
const char *g_string = "a string";
const char *g_null;
int *g_pointer = &g_int;
int (*g_function)(int, int) = add;
v4si g_vector = { 1, 2, 3, 4 };
volatile int keep_static;

// ---- functions ----------------------------------------------------------------------------------

int add(int a, int b)
{
	return a + b;
}
char next_char(char c)
{
	return c + 1;
}
unsigned char not_uchar(unsigned char c)
{
	return ~c;
}
short twice(short s)
{
	return 2 * s;
}
long sum9(int a, long b, short c, char d, unsigned e, long f, long g, int h, char i)
{
	return a + 2 * b + 3 * c + 4 * d + 5L * e + 6 * f + 7 * g + 8 * h + 9 * i;
}
float addf(float a, float b)
{
	return a + b;
}
double muld(double a, double b)
{
	return a * b;
}
double sum10d(double a, double b, double c, double d, double e, double f, double g, double h,
	      double i, double j)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
long double addl(long double a, long double b)
{
	return a + b;
}
double mixed(int a, double b, long c, float d, struct point p, long double e)
{
	return a + b + c + d + p.x * p.y + (double)e;
}
float _Complex conjf_(float _Complex z)
{
	return conjf(z);
}
double _Complex mulc(double _Complex a, double _Complex b)
{
	return a * b;
}
long double _Complex swapl(long double _Complex a)
{
	return cimagl(a) + creall(a) * I;
}
bool negate(bool b)
{
	return !b;
}
enum color next_color(enum color c)
{
	return c == RED ? GREEN : c == GREEN ? BLUE : RED;
}
int128 square(int128 a)
{
	return a * a;
}
int128 late128(long a, long b, long c, long d, long e, int128 f, long g)
{
	return a + b + c + d + e + f * g;
}
v4si add4(v4si a, v4si b)
{
	return a + b;
}
__attribute__((target("avx"))) v8sf add8(v8sf a, v8sf b)
{
	return a + b;
}
__attribute__((target("avx512f"))) v8df add8d(v8df a, v8df b)
{
	return a + b;
}
struct point flip(struct point p)
{
	return (struct point){ p.y, p.x };
}
struct pair scale_pair(struct pair p, int by)
{
	return (struct pair){ p.a * by, p.b * by };
}
struct floats rotate(struct floats f)
{
	return (struct floats){ f.b, f.c, f.a };
}
struct big shift(struct big b, long by)
{
	for (int i = 0; i < 5; i++)
		b.v[i] += by;
	return b;
}
struct bits more_bits(struct bits b)
{
	b.a++, b.b--, b.c++;
	return b;
}
struct packed more_packed(struct packed p)
{
	return (struct packed){ p.c + 1, p.d * 2 };
}
struct x87 more_x87(struct x87 x)
{
	return (struct x87){ x.v + 1 };
}
union number as_double(union number n)
{
	return (union number){ .d = n.i };
}
int sum_list(const struct node *n)
{
	int sum = 0;

	for (; n; n = n->next)
		sum += n->value;
	return sum;
}
int sum_array(const int *a, int n)
{
	int sum = 0;

	while (n--)
		sum += *a++;
	return sum;
}
int length(const char *s)
{
	return (int)strlen(s);
}
int sum_va(int n, ...)
{
	int sum = 0;
	va_list args;

	va_start(args, n);
	while (n--)
		sum += va_arg(args, int);
	va_end(args);
	return sum;
}
double sum_vad(int n, ...)
{
	double sum = 0;
	va_list args;

	va_start(args, n);
	while (n--)
		sum += va_arg(args, double);
	va_end(args);
	return sum;
}
int apply(int (*f)(int, int), int a, int b)
{
	return f(a, b);
}
int (*choose(int which))(int, int)
{
	return which ? add : NULL;
}
void set_int(int v)
{
	g_int = v;
}
void *self(void *p)
{
	return p;
}
const char *greeting(void)
{
	return "good day";
}
_Float16 half(_Float16 a)
{
	return a;
}
__float128 quad(__float128 a)
{
	return a;
}
// Old style: arguments come promoted.
float kr(a, b)
float a;
char b;
{
	return a + b;
}

static int middle(int depth, const char *label)
{
	int local = depth * 10;
	volatile struct point where = { depth, local };

	if (depth < 3)
		return middle(depth + 1, label) + local;
	char c;

	while (read(0, &c, 1) == 1)
		local += c + where.x + (label ? label[0] : 0);
	return local + s_int;
}

int main(void)
{
	printf("ready\n");
	fflush(stdout);
	return middle(1, "label") & 1;
}
