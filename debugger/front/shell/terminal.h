// SPDX-License-Identifier: MIT
// The terminal that the shell shares with a program that it has launched: one of the two has it.
#ifndef DEBUGGER_FRONT_SHELL_TERMINAL_H
#define DEBUGGER_FRONT_SHELL_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

bool terminal_is_ours(void); // there is one, and we are in its foreground
// The process group has it, in the modes that it left it in, until it is taken back.
void terminal_lend(pid_t group);
void terminal_take_back(void);
void terminal_forget(void); // the modes: another program will have its own

#endif
