// SPDX-License-Identifier: MIT
// A shell: what it knows between commands, and how a line of it is run.
#ifndef DEBUGGER_FRONT_SHELL_SHELL_H
#define DEBUGGER_FRONT_SHELL_SHELL_H

#include "debugger/front/commands.h"
#include "debugger/front/options.h"
#include "debugger/front/shell/arguments.h"
#include "debugger/front/shell/settings.h"
#include "debugger/front/shell/signals.h"
#include "debugger/front/shell/skips.h"
#include "debugger/front/shell/source.h"

// What words are parted by.
#define BLANKS " \t\r\n\v\f"

struct display {
	unsigned number;
	char *expression; // with its format: "/x state"
	struct display *next;
};

struct definition {
	char *name, *text; // text: of an alias; NULL: it is a command
	char *document; // NULL: nobody said what it is for
	struct lines body;
	struct definition *next;
};

struct shell {
	struct dc_session *session; // NULL: there is no target
	pid_t pid;
	struct dc_options session_options;
	struct records *out;
	bool json;
	struct words usual; // the scope and the call options of every command
	char frame[24]; // that was chosen, for usual.scope; "": none
	struct settings settings;
	struct logging logging;

	struct source *source; // whose lines are run; NULL: none yet
	unsigned depth; // of sources, definitions and blocks
	const struct words *arguments; // of the definition that is run; NULL: of none
	enum { LOOP_GOES_ON, LOOP_BREAK, LOOP_CONTINUE } loop;
	bool leaves; // quit was said
	int leave_status;

	struct arguments arguments_of_run; // what run begins
	struct signals signals; // what is done about them
	bool reads_input; // its lines come from standard input, and no terminal
	bool is_ours; // the process was begun by the shell, and is killed when it is left
	bool is_fresh; // it stands before its first instruction
	struct kept *kept; // the breakpoints of a program that is run again

	struct skip *skips;
	unsigned last_skip;
	struct stepping stepping;
	struct breakpoint_script *scripts; // what is done at breakpoints
	unsigned stopped_at; // the breakpoint of the stop just told; 0: none
	unsigned last_breakpoint; // that the chosen thread stands at, perhaps
	struct lua_State *lua; // of its scripts; NULL: there was none
	bool in_script; // of a breakpoint
	bool at_terminal; // a person sits there
	struct definition *definitions;
	struct display *displays;
	unsigned last_display;
	pid_t *threads; // by number, from 1
	size_t nr_threads;
	// Where list and x go on.
	char *listed_file;
	int listed_from, listed_to;
	uint64_t examine_at;
	char examine_format, examine_unit;
};

// Everything from the first line to the last: the status that the program ends with.
int shell_run(struct options *options, struct records *out);

// One line. again: Enter repeats it.
int shell_obey(struct shell *shell, const char *line, bool again);
// Lines until there are no more, or one of them fails and the source is not a person.
int shell_obey_source(struct shell *shell, struct source *source);
// Goes to the process of that name or id, and leaves the one before.
int shell_attach(struct shell *shell, const char *who);
void shell_detach(struct shell *shell);
// Threads, and places that were looked at, are another process's now.
void shell_forget_process(struct shell *shell);
void shell_deinit(struct shell *shell); // leaves its process
// The alias or command that was defined; NULL: none was.
struct definition *shell_definition(struct shell *shell, const char *name, size_t length);

#endif
