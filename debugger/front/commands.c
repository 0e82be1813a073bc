// SPDX-License-Identifier: MIT
// The table of commands, put together, and how one is run.
#include "debugger/front/commands.h"
#include "debugger/front/table/table.h"

#include <stdio.h>
#include <string.h>

// The first row of the first is what words without a command mean.
static const struct command *const parts[] = {
	table_calls,   table_places,  table_breakpoints, table_running,
	table_process, table_looking, table_scripts,	 table_life,
};

const struct command *command_at(size_t i)
{
	for (size_t part = 0; part < sizeof(parts) / sizeof(*parts); part++) {
		for (const struct command *row = parts[part]; row->name; row++) {
			if (!i--)
				return row;
		}
	}
	return NULL;
}

const struct command *command_find(const char *word)
{
	const struct command *command;
	const char *name;

	for (size_t i = 0; (command = command_at(i)); i++) {
		for (size_t k = 0; command->on_command_line && (name = command_name(command, k));
		     k++) {
			if (!strcmp(name, word))
				return command;
		}
	}
	return NULL;
}

bool command_accepts(const struct command *command, const struct words *words, char complaint[256])
{
	static const char *const nouns[] = { "expression", "expression", "regular expression",
					     "argument", "argument" };
	const char *noun = nouns[command->operand];

	// In the shell the first command shows the last value when it has no words.
	if (words->nr < command->min && words->shell && command == command_at(0))
		return true;
	if (words->nr < command->min && words->shell)
		snprintf(complaint, 256, "%s wants %s", command->name, command->arguments);
	else if (words->nr < command->min)
		snprintf(complaint, 256, "no %s to %s", noun, command->name);
	else if (words->nr > command->max && !command->max)
		snprintf(complaint, 256, "%s takes no %s: '%.100s'", command->name, noun,
			 words->operands[0]);
	else if (words->nr > command->max)
		snprintf(complaint, 256, "%s takes one %s: '%.100s'", command->name, noun,
			 words->operands[command->max]);
	else if (words->repeat && words->nr > 1)
		snprintf(complaint, 256, "--repeat takes one expression: '%.100s'",
			 words->operands[1]);
	else
		return true;
	return false;
}

int command_run(const struct command *command, struct dc_session *session,
		const struct words *words, struct records *out)
{
	// What waits already, for the whole of a command of the shell, goes on waiting.
	bool holds = command->borrows && !out->held;

	if (holds)
		records_hold(out);
	int status = command->run(session, words, out);
	if (holds)
		records_release(out);
	return !status && out->lost ? dc_code_status(DC_MEMORY) : status;
}
