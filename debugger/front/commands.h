// SPDX-License-Identifier: MIT
// The commands, one row each. The command line, --help, the shell, its help and completion, and
// what else lists commands read the table. To add one: write its handler, declare it below, add its
// row to its group in table/; tests/shell/manual writes the manual page.
#ifndef DEBUGGER_FRONT_COMMANDS_H
#define DEBUGGER_FRONT_COMMANDS_H

#include "debugger/debugcall.h"
#include "debugger/front/records.h"

struct shell;

// A command's words, parsed: from the command line, or from whatever else runs commands.
struct words {
	const char *const *operands;
	size_t nr;
	const char *finally; // --finally; NULL: none
	uint64_t repeat; // --repeat; 0: not asked for
	bool ungrouped, folded; // how stacks are shown
	bool stop; // threads may be stopped for them
	bool no_patch; // no breakpoint is patched into the code
	struct dc_at at; // --at; no place: at once
	struct dc_scope scope;
	struct dc_call_options call;
	struct shell *shell; // that it was given to; NULL: the command line
	const char *format; // of "x/4xw": "4xw"; NULL: none
	enum {
		EACH_NONE,
		EACH_THREAD,
		EACH_GOROUTINE,
		EACH_PROCESS
	} each; // where it runs many times
	bool again; // Enter repeats it: it goes on where it ended
	bool is_quiet; // the value is of no interest
};

// Says what there is to say by records, failures too, and gives the exit status.
typedef int handler(struct dc_session *session, const struct words *words, struct records *out);
handler command_inject, command_eject;

// What operands are. From the shell, all but WORDS are one: the rest of the line.
enum operand { OPERAND_NONE, OPERAND_EXPRESSION, OPERAND_REGEX, OPERAND_WORDS, OPERAND_TEXT };

// What the Tab key offers for them.
enum completer {
	COMPLETE_NOTHING,
	COMPLETE_EXPRESSION, // names of the program, registers, members
	COMPLETE_FUNCTION,
	COMPLETE_LOCATION, // functions, files with lines
	COMPLETE_TYPE,
	COMPLETE_FILE,
	COMPLETE_COMMAND,
	COMPLETE_THREAD,
	COMPLETE_GOROUTINE,
	COMPLETE_SETTING,
	COMPLETE_REGISTER,
};

enum command_group {
	GROUP_CALLS,
	GROUP_PLACES,
	GROUP_BREAKPOINTS,
	GROUP_RUNNING,
	GROUP_PROCESS,
	GROUP_LOOKING,
	GROUP_SCRIPTS,
	GROUP_SHELL,
	NR_GROUPS
};

struct command {
	const char *name; // one word or two: "info threads"
	const char *aliases[5]; // up to the first NULL
	const char *arguments; // as --help shows them; "": none
	enum operand operand;
	enum command_group group;
	size_t min, max; // operands
	const char *help; // one line
	const char *example; // a line for help NAME; NULL: none
	// It may borrow a thread: its records wait until it is done. Else they go out at once.
	bool borrows;
	bool on_command_line; // before -p, too; all are in the shell
	bool only_command_line;
	bool needs_no_target;
	bool runs_lines; // of its own: each says by itself what it has to say
	bool takes_format; // "/FMT" right behind its name
	bool repeats; // Enter runs it again
	enum completer complete;
	handler *run;
};

// The rows in their order, the first is what words without a command mean; NULL: there are no more.
const struct command *command_at(size_t i);

handler command_evaluate, command_check, command_functions, command_goroutines, command_stacks;

const struct command *command_find(const char *word); // of the command line; NULL: none
// Its i-th name, from 0; NULL: it has no more.
const char *command_name(const struct command *command, size_t i);
// False: complaint is one line about what is wrong with the operands, for the user.
bool command_accepts(const struct command *command, const struct words *words, char complaint[256]);
int command_run(const struct command *command, struct dc_session *session,
		const struct words *words, struct records *out);

// What a line of the shell begins with.
struct command_match {
	const struct command *command; // NULL: none, or several
	size_t length; // of its words in the line
	bool is_exact; // not abbreviated
	size_t nr_candidates; // more than one: the abbreviation is of all of them
	const char *candidates[8];
	const char *nearest; // of no command's: the name that was meant, perhaps; NULL: none
	bool is_group; // "info" and the like, whose second word is wrong or missing
	char group[16]; // its whole first word
	size_t second_length; // of the second
};
void command_match(const char *line, struct command_match *ret);
// How many letters apart, for messages; more than limit is limit + 1.
size_t command_distance(const char *a, const char *b, size_t limit);

#endif
