// SPDX-License-Identifier: MIT
// What the program does with an open session; each gives the exit status.
#ifndef DEBUGGER_FRONT_COMMANDS_H
#define DEBUGGER_FRONT_COMMANDS_H

#include "debugger/front/options.h"
#include "debugger/front/sink.h"

int command_evaluate(struct dc_session *session, const struct options *options,
		     const struct sink *sink);
int command_check(struct dc_session *session, const struct options *options,
		  const struct sink *sink);
int command_functions(struct dc_session *session, const struct options *options,
		      const struct sink *sink);
int command_goroutines(struct dc_session *session, const struct options *options,
		       const struct sink *sink);

#endif
