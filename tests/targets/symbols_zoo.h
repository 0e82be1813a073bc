// SPDX-License-Identifier: MIT
// What tests/targets/symbols_zoo.c tells about itself, read from its memory by the test.
#ifndef TESTS_TARGETS_SYMBOLS_ZOO_H
#define TESTS_TARGETS_SYMBOLS_ZOO_H

#include <stddef.h>

struct layout {
	char type[24], member[16];
	size_t offset, size;
};
struct extent {
	char type[24];
	size_t size, align;
};
struct here {
	void *pc, *cfa, *rbp;
	int *parameter, *local, *inner, *outer, *counted, *file_static;
	int *tls_int, *errno_address;
	char *tls_text;
	void *fs_base;
};

#endif
