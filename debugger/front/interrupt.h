// SPDX-License-Identifier: MIT
// Ctrl-C and its kin become dc_cancel(): the library installs no signal handler, the program does.
#ifndef DEBUGGER_FRONT_INTERRUPT_H
#define DEBUGGER_FRONT_INTERRUPT_H

#include "debugger/debugcall.h"

// Before the session's threads are made, so that they inherit what is blocked.
void interrupt_install(void);
// From now on (NULL: no longer) an interrupt cancels this session.
void interrupt_session(struct dc_session *session);

#endif
