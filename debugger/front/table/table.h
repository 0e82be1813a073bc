// SPDX-License-Identifier: MIT
// The parts of the table of commands, a group each, up to a row without a name.
#ifndef DEBUGGER_FRONT_TABLE_TABLE_H
#define DEBUGGER_FRONT_TABLE_TABLE_H

#include "debugger/front/commands.h"

extern const struct command table_calls[], table_places[], table_breakpoints[], table_running[],
	table_process[], table_looking[], table_scripts[], table_life[];

#endif
