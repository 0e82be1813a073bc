// SPDX-License-Identifier: MIT
// The command line, read into one struct. Nothing of the target is touched here.
#ifndef DEBUGGER_FRONT_OPTIONS_H
#define DEBUGGER_FRONT_OPTIONS_H

#include "debugger/debugcall.h"

enum command {
	COMMAND_EVALUATE,
	COMMAND_CHECK,
	COMMAND_FUNCTIONS,
	COMMAND_GOROUTINES,
	COMMAND_HELP,
	COMMAND_VERSION
};

struct options {
	enum command command;
	struct dc_options session; // pid still 0: who names it
	const char *who; // PID, TID or name
	char *const *exprs; // into argv
	size_t nr_exprs;
	const char *finally; // NULL: none
	uint64_t repeat; // 0: not asked for
	const char *regex; // functions: NULL for all
	bool json, quiet;
};

// False: complaint is one line about what is wrong, for the user.
bool options_parse(int argc, char *const argv[], struct options *ret, char complaint[256]);
void options_help(void);

#endif
