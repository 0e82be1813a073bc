// SPDX-License-Identifier: MIT
// Ctrl-C and its kin become dc_cancel(): the library installs no signal handler, the program does.
#ifndef DEBUGGER_FRONT_INTERRUPT_H
#define DEBUGGER_FRONT_INTERRUPT_H

#include "debugger/debugcall.h"

#include <signal.h>

// Before the session's threads are made, so that they inherit what is blocked.
void interrupt_install(void);
// From now on (NULL: no longer) an interrupt cancels this session.
void interrupt_session(struct dc_session *session);

// A shell outlives what is cancelled: without a session an interrupt is only noted, and one that is
// the first since interrupt_forget() cancels.
void interrupt_keep_shell(void);
void interrupt_forget(void);
bool interrupt_came(void); // since interrupt_forget()
int interrupt_end(void); // the signal that asks the program to end; 0: none has come
// What a prompt waits with: signals that it must see at once come only there.
void interrupt_hold(sigset_t *while_waiting);
// A command of the system's shell has the terminal: what stops programs is its again.
void interrupt_hand_over(bool does);
bool interrupt_take_resize(void); // the terminal has another size
bool interrupt_take_pause(void); // Ctrl-Z

#endif
