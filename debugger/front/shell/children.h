// SPDX-License-Identifier: MIT
// Processes that the target makes: which of the two the shell goes on with.
#ifndef DEBUGGER_FRONT_SHELL_CHILDREN_H
#define DEBUGGER_FRONT_SHELL_CHILDREN_H

#include "debugger/front/shell/shell.h"

enum dc_children children_wanted(const struct shell *shell);
// Of set: "parent" or "child".
int children_set_mode(struct shell *shell, const char *text);
int children_set_exec_mode(struct shell *shell, const char *text);
int children_set_detach(struct shell *shell, const char *text);
// The child of DC_EVENT_CHILD is the target from here on. goes: it runs on; else it stands where it
// begins. False: it is not there any more, or nobody wants it.
bool children_follow(struct shell *shell, const struct dc_event *event, bool goes);

#endif
