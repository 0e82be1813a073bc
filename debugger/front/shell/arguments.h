// SPDX-License-Identifier: MIT
// What a program is begun with: its words, its environment, its directory and its files.
#ifndef DEBUGGER_FRONT_SHELL_ARGUMENTS_H
#define DEBUGGER_FRONT_SHELL_ARGUMENTS_H

#include "debugger/front/records.h"

struct shell;

struct arguments {
	char *program; // as it was named; NULL: nobody has
	char *text; // the words behind it, as the system's shell would be given them; NULL: none
	char **words; // what the text means, the program first, up to NULL
	char *files[3]; // that input, output and errors are led to; NULL: they are as usual
	bool appends[3];
	bool is_joined; // errors go where the output goes
	char **environment; // what differs from ours, up to NULL: "NAME=VALUE", "NAME" for none
	char *directory; // NULL: ours
	char *terminal; // NULL: ours
	bool is_changed; // since a program was last begun with them
};

// From a command line: each word is meant as it is.
int arguments_name(struct shell *shell, const char *const *argv);
// What is run from now on; the words behind it, and their redirections.
int arguments_set_program(struct shell *shell, const char *text);
int arguments_set(struct shell *shell, const char *text);
int arguments_set_directory(struct shell *shell, const char *text); // "": ours
int arguments_set_terminal(struct shell *shell, const char *text); // "": ours
// "NAME=VALUE", "NAME VALUE"; "NAME" alone is one without a value.
int arguments_set_variable(struct shell *shell, const char *text);
int arguments_unset_variable(struct shell *shell, const char *text); // "": nothing differs any more
void arguments_say_environment(struct shell *shell);

// All of it, up to NULL; freed by arguments_free(). NULL: no memory.
char **arguments_environment(const struct arguments *arguments);
void arguments_free(char **words);
// Opened, as dc_launch() takes them: -1 is ours. input: what is read when nothing is said.
int arguments_open(struct shell *shell, int input, int fds[3]);

void arguments_deinit(struct arguments *arguments);

#endif
