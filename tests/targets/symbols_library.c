// SPDX-License-Identifier: MIT
// A library whose file a test damages while a program has it mapped: nothing in it is ever called.
#include <stddef.h>

enum library_enum { LIBRARY_A, LIBRARY_B = 7 };
struct library_struct {
	int a : 3;
	struct library_struct *next;
	union {
		double d;
		char text[8];
	};
	int (*method)(struct library_struct *, ...);
	int grid[2][3];
};
typedef struct library_struct library_alias;
typedef int library_vector __attribute__((vector_size(16)));

struct library_struct library_variable = { 1, NULL, { 2.5 }, NULL, { { 0 } } };
static const int library_constant = 5;
__thread int library_tls = 3;
library_vector library_vec;
_Complex double library_complex;
enum library_enum library_enum_variable;

static inline int library_inline(int x)
{
	int doubled = x * 2;

	return doubled + library_constant;
}

int library_function(library_alias *alias, const char *text, double d, int n, ...)
{
	int local = library_inline(n);
	{
		int block = local + (int)d;

		for (int i = 0; text[i]; i++)
			block += alias->grid[i & 1][0];
		local += block;
	}
	return local + library_tls;
}
