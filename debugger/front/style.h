// SPDX-License-Identifier: MIT
// How text looks on a terminal: colours where they are wanted, and layouts.
#ifndef DEBUGGER_FRONT_STYLE_H
#define DEBUGGER_FRONT_STYLE_H

#include "debugger/front/records.h"

#include <stdio.h>

enum style {
	STYLE_PLAIN,
	STYLE_FUNCTION,
	STYLE_FILE,
	STYLE_ADDRESS,
	STYLE_NAME,
	STYLE_ERROR,
	STYLE_TITLE,
	STYLE_FAINT
};

// Formatted in the style; to a stream that is coloured.
void style_print(FILE *out, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// How kinds of records are laid out.
struct layout {
	const char *kind;
	void (*put)(const struct field *fields);
};
extern const struct layout shell_layouts[]; // up to one without a kind

#endif
