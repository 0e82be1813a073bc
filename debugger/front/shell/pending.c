// SPDX-License-Identifier: MIT
// Calls whose callees have come to a breakpoint: listed, undone, and told of when they end.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/running.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool say_call(const struct dc_pending_call *call, void *arg)
{
	struct records *out = arg;

	record_begin(out, "call");
	record_count(out, "number", call->number);
	record_integer(out, "thread", call->thread);
	record_text(out, "expr", call->text);
	record_end(out);
	return true;
}

static bool take_number(const struct dc_pending_call *call, void *arg)
{
	*(unsigned *)arg = call->number;
	return false;
}

static struct dc_error *last_call(struct dc_session *session, unsigned *ret)
{
	*ret = 0;
	return dc_is_controlled(session) ? dc_pending_calls(session, take_number, ret) : NULL;
}

int command_info_calls(struct dc_session *session, const struct words *words, struct records *out)
{
	unsigned last;
	struct dc_error *err = last_call(session, &last);

	(void)words;
	if (!err && last)
		err = dc_pending_calls(session, say_call, out);
	else if (!err)
		report_note(out, "no call is pending");
	return err ? report_failure(out, NULL, err) : 0;
}

int command_abandon(struct dc_session *session, const struct words *words, struct records *out)
{
	char *end = NULL;
	unsigned long number = words->nr ? strtoul(words->operands[0], &end, 10) : 0;
	unsigned last = 0;
	struct dc_error *err = words->nr ? NULL : last_call(session, &last);

	if (words->nr &&
	    (!isdigit((unsigned char)*words->operands[0]) || *end || number > UINT32_MAX))
		return report_message(out, DC_USAGE, "'%.100s' is no call's number",
				      words->operands[0]);
	if (!words->nr && !err && !last)
		return report_message(out, DC_NAME, "no call is pending");
	if (!err)
		err = dc_abandon(session, words->nr ? (unsigned)number : last);
	return err ? report_failure(out, NULL, err) : 0;
}

void shell_say_returned_call(struct shell *shell, const struct dc_event *event)
{
	struct records *out = shell->out;
	char *text = NULL;

	if (event->result)
		dc_error_destroy(dc_print_result(shell->session, event->result, &text));
	record_begin(out, "returned");
	record_count(out, "call", event->call);
	record_integer(out, "thread", event->thread);
	if (event->result)
		record_count(out, "result", event->result);
	record_text(out, "value", text);
	record_text(out, "failure", event->failure);
	record_end(out);
	free(text);
}
