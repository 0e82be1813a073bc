// SPDX-License-Identifier: MIT
// The commands, one row each. The command line, --help and what else lists commands read the table.
// To add one: write its handler, declare it below, add its row; the manual page wants a paragraph,
// and its test says so.
#ifndef DEBUGGER_FRONT_COMMANDS_H
#define DEBUGGER_FRONT_COMMANDS_H

#include "debugger/debugcall.h"
#include "debugger/front/records.h"

// A command's words, parsed: from the command line, or from whatever else runs commands.
struct words {
	const char *const *operands;
	size_t nr;
	const char *finally; // --finally; NULL: none
	uint64_t repeat; // --repeat; 0: not asked for
	bool ungrouped, folded; // how stacks are shown
	bool stop; // threads may be stopped for them
	struct dc_at at; // --at; no place: at once
	struct dc_scope scope;
	struct dc_call_options call;
};

// Says what there is to say by records, failures too, and gives the exit status.
typedef int handler(struct dc_session *session, const struct words *words, struct records *out);
handler command_evaluate, command_check, command_functions, command_goroutines, command_stacks;
handler command_inject, command_eject;

// What an operand is.
enum operand { OPERAND_NONE, OPERAND_EXPRESSION, OPERAND_REGEX };

struct command {
	const char *name;
	const char *aliases[4]; // up to the first NULL
	const char *arguments; // as --help shows them; "": none
	enum operand operand;
	size_t min, max; // operands
	const char *help; // one line
	// It may borrow a thread: its records wait until it is done. Else they go out at once.
	bool borrows;
	handler *run;
};

extern const struct command commands[]; // the first is what words without a command mean
extern const size_t nr_commands;

const struct command *command_find(const char *word); // by name or alias; NULL: none
// False: complaint is one line about what is wrong with the operands, for the user.
bool command_accepts(const struct command *command, const struct words *words, char complaint[256]);
int command_run(const struct command *command, struct dc_session *session,
		const struct words *words, struct records *out);

#endif
