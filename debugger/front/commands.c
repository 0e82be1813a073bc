// SPDX-License-Identifier: MIT
// The table of commands, and how one is run.
#include "debugger/front/commands.h"

#include <stdio.h>
#include <string.h>

const struct command commands[] = {
	{
		.name = "evaluate",
		.aliases = { "print", "call" },
		.arguments = "EXPR...",
		.operand = OPERAND_EXPRESSION,
		.min = 1,
		.max = SIZE_MAX,
		.help = "evaluate C expressions, calls included; what no command names",
		.borrows = true,
		.run = command_evaluate,
	},
	{
		.name = "check",
		.arguments = "",
		.help = "say which threads may be borrowed, and why not",
		.run = command_check,
	},
	{
		.name = "functions",
		.arguments = "[REGEX]",
		.operand = OPERAND_REGEX,
		.max = 1,
		.help = "list the functions that can be called",
		.run = command_functions,
	},
	{
		.name = "goroutines",
		.arguments = "",
		.help = "list the program's goroutines",
		.run = command_goroutines,
	},
	{
		.name = "stacks",
		.arguments = "[REGEX]",
		.operand = OPERAND_REGEX,
		.max = 1,
		.help = "show the stacks of all threads, or of those named so; stops none",
		.run = command_stacks,
	},
	{
		.name = "inject",
		.arguments = "",
		.help = "have the process load an agent, through which calls stop no thread",
		.borrows = true,
		.run = command_inject,
	},
	{
		.name = "eject",
		.arguments = "",
		.help = "put the process's agent to sleep, for good",
		.run = command_eject,
	},
};
const size_t nr_commands = sizeof(commands) / sizeof(*commands);

static bool is_named(const struct command *command, const char *word)
{
	if (!strcmp(command->name, word))
		return true;
	for (size_t i = 0; i < sizeof(command->aliases) / sizeof(*command->aliases); i++) {
		if (command->aliases[i] && !strcmp(command->aliases[i], word))
			return true;
	}
	return false;
}

const struct command *command_find(const char *word)
{
	for (size_t i = 0; i < nr_commands; i++) {
		if (is_named(&commands[i], word))
			return &commands[i];
	}
	return NULL;
}

bool command_accepts(const struct command *command, const struct words *words, char complaint[256])
{
	static const char *const nouns[] = { "expression", "expression", "regular expression" };
	const char *noun = nouns[command->operand];

	if (words->nr < command->min)
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
	if (command->borrows)
		records_hold(out);
	int status = command->run(session, words, out);
	records_release(out);
	return !status && out->lost ? dc_code_status(DC_MEMORY) : status;
}
