// SPDX-License-Identifier: MIT
// --at: what is evaluated where threads come by.
#ifndef DEBUGGER_FRONT_AT_H
#define DEBUGGER_FRONT_AT_H

#include "debugger/front/commands.h"

// As a command's handler, of what words->at says.
int evaluate_at(struct dc_session *session, const struct words *words, struct records *out);

#endif
