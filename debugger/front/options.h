// SPDX-License-Identifier: MIT
// The command line, read into one struct. Nothing of the target is touched here.
#ifndef DEBUGGER_FRONT_OPTIONS_H
#define DEBUGGER_FRONT_OPTIONS_H

#include "debugger/front/commands.h"

struct script {
	bool is_file; // else one line
	const char *text; // the line, or the file's name; "-": standard input
};

struct options {
	enum { OPTIONS_RUN, OPTIONS_SHELL, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_COMPLETION } what;
	const struct command *command; // RUN
	struct words words; // of the command; into argv
	struct dc_options session; // pid still 0: who names it
	const char *who; // PID, TID or name
	bool json, quiet, raw;
	const char **operands; // argv's words that are no options
	// SHELL
	const char *const *program; // to be launched, and its arguments, up to NULL; NULL: none
	struct script *scripts; // in the order that they were given
	size_t nr_scripts;
	const char *completion; // COMPLETION: the shell
	bool batch, keeps_going, no_init;
	enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour;
};

// False: complaint is one line about what is wrong, for the user; json and quiet are valid even so.
bool options_parse(int argc, char *argv[], struct options *ret, char complaint[256]);
void options_deinit(struct options *options);
void options_help(void);
// "5s", "200ms", "1.5m", "0"; a bare number is seconds, as for timeout(1).
bool options_duration(const char *text, int64_t *ret);

// The i-th option; false: there are no more.
struct option_text {
	const char *name, *arg, *help; // arg NULL: none
};
bool options_text(size_t i, struct option_text *ret);
// What bash or zsh reads to complete the command line. False: it is neither.
bool completion_put(const char *shell);

#endif
