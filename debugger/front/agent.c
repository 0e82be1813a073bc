// SPDX-License-Identifier: MIT
// The commands that bring an agent into a process, and put it to sleep.
#include "debugger/front/commands.h"
#include "debugger/front/report.h"

#include <inttypes.h>
#include <stdlib.h>

int command_inject(struct dc_session *session, const struct words *words, struct records *out)
{
	struct dc_injection injection = { 0 };
	struct dc_error *err = dc_inject(session, getenv("DEBUGCALL_AGENT_LIBRARY"), &words->call,
					 &injection);

	if (err)
		return report_failure(out, NULL, err);
	report_note(out, "an agent takes calls now%s; a thread was borrowed for %.0f us",
		    injection.is_from_memory ? ", from a memory file, as the process does not see "
					       "the library's"
					     : "",
		    (double)injection.pause_ns / 1000);
	if (injection.literals_left)
		report_note(out, "%" PRIu64 " bytes of literals stay mapped in the target",
			    injection.literals_left);
	return 0;
}

int command_eject(struct dc_session *session, const struct words *words, struct records *out)
{
	struct dc_error *err = dc_eject(session);

	(void)words;
	if (err)
		return report_failure(out, NULL, err);
	report_note(out, "the agent sleeps for good; its code stays mapped, and what it does at "
			 "fork and exit is nothing");
	return 0;
}
