// SPDX-License-Identifier: MIT
// Types of expressions, and types by name: their spelling, their members.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"

#include <stdlib.h>
#include <string.h>

static int show(const struct words *words, enum dc_type_text how, const char *kind,
		struct dc_session *session, struct records *out)
{
	char *text;
	struct dc_error *err = dc_type_text(session, words->operands[0], &words->scope, how, &text);

	if (err)
		return report_failure(out, words->operands[0], err);
	record_begin(out, kind);
	record_text(out, "expr", words->operands[0]);
	if (how == DC_TYPE_NAME)
		record_text(out, "type", text);
	else
		record_lines(out, "lines", text);
	record_end(out);
	free(text);
	return 0;
}

int command_whatis(struct dc_session *session, const struct words *words, struct records *out)
{
	return show(words, DC_TYPE_NAME, "whatis", session, out);
}

int command_ptype(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *format = words->format ? words->format : "";

	if (strspn(format, "o") != strlen(format))
		return report_message(out, DC_USAGE, "/%.20s: ptype knows /o alone", format);
	return show(words, *format ? DC_TYPE_LAYOUT : DC_TYPE_DEFINITION, "ptype", session, out);
}
