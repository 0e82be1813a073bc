// SPDX-License-Identifier: MIT
// Colours of text.
#include "debugger/front/style.h"

#include <stdarg.h>

bool text_is_coloured;

void style_print(FILE *out, enum style style, const char *format, ...)
{
	static const char *const codes[] = {
		[STYLE_PLAIN] = NULL,	[STYLE_FUNCTION] = "33", [STYLE_FILE] = "32",
		[STYLE_ADDRESS] = "34", [STYLE_NAME] = "36",	 [STYLE_ERROR] = "31",
		[STYLE_TITLE] = "1",	[STYLE_FAINT] = "2",
	};
	const char *code = text_is_coloured ? codes[style] : NULL;
	va_list args;

	if (code)
		fprintf(out, "\033[%sm", code);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	if (code)
		fputs("\033[m", out);
}
