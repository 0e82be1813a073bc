// SPDX-License-Identifier: MIT
// The chosen thread and frame, for the commands that look around them.
#ifndef DEBUGGER_FRONT_SHELL_PLACES_H
#define DEBUGGER_FRONT_SHELL_PLACES_H

#include "debugger/front/shell/shell.h"

pid_t shell_thread(const struct shell *shell); // that stacks and frames are shown of
// Threads get numbers as they are first seen, and keep them; 0: no memory.
size_t shell_thread_number(struct shell *shell, pid_t tid);
void shell_say_thread_row(struct shell *shell, const struct dc_stack *stack);
// Frames of the thread, as scopes count them.
struct dc_error *shell_count_frames(struct shell *shell, size_t *ret) DC_CHECK;

// What is chosen, for commands that choose by the way.
struct scope_kept {
	struct dc_scope scope;
	char frame[24];
};
struct scope_kept shell_keep_scope(const struct shell *shell);
void shell_restore_scope(struct shell *shell, const struct scope_kept *kept);
int shell_say_frame(struct shell *shell);
int shell_show_locals(struct shell *shell, unsigned frame); // of a frame of that thread
// A place that a person names: what dc_find_lines() reads, and *ADDRESS. The first one, *more says
// how many others there are. Failures are reported: false and *status.
bool shell_location(struct shell *shell, const char *text, bool entry, struct dc_line *ret,
		    size_t *more, int *status);
// The text of an instruction and what it refers to, as fields.
void shell_say_instruction(struct records *out, const struct dc_instruction *instruction);
// A source file's lines as they are on disk, through substitute-path and directory; NULL: it is not
// there.
FILE *shell_open_source(struct shell *shell, const char *file);

// The line of a source file, marked, if the file is there.
void shell_show_line(struct shell *shell, const char *file, int line);
void shell_show_displays(struct shell *shell); // those whose names are there
// As break does; and the command that sets such a one.
int shell_break_and_say(struct shell *shell, const char *text);
const char *shell_break_command(const struct dc_breakpoint *breakpoint);
// A breakpoint at a place that a person names.
int shell_break(struct shell *shell, const char *text, bool temporary, pid_t thread,
		unsigned *number);

#endif
