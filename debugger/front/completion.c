// SPDX-License-Identifier: MIT
// What bash and zsh need to complete the command line, made from the tables of options and commands.
#include "debugger/front/options.h"

#include <stdio.h>
#include <string.h>

static void put_commands(void)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)); i++) {
		if (command->on_command_line)
			printf(" %s", command->name);
	}
}

static void put_bash(void)
{
	struct option_text option;

	fputs("_debugcall()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tcase $before in\n"
	      "\t-p|--pid) COMPREPLY=($(compgen -W \"$(ps -eo pid=,comm=)\" -- \"$word\")); return "
	      ";;\n"
	      "\t-x|--script) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
	      "\t--color) COMPREPLY=($(compgen -W 'auto always never' -- \"$word\")); return ;;\n"
	      "\tesac\n"
	      "\tCOMPREPLY=($(compgen -W '",
	      stdout);
	put_commands();
	for (size_t i = 0; options_text(i, &option); i++)
		printf(" --%s", option.name);
	fputs("' -- \"$word\"))\n}\ncomplete -o default -F _debugcall debugcall\n", stdout);
}

// A description between brackets, within quotes.
static void put_described(const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			putchar('\\');
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
}

static void put_zsh(void)
{
	struct option_text option;

	fputs("#compdef debugcall\n_arguments -s \\\n", stdout);
	for (size_t i = 0; options_text(i, &option); i++) {
		printf("\t'*--%s[", option.name);
		put_described(option.help);
		putchar(']');
		if (option.arg) {
			fputs(": ", stdout);
			put_described(option.arg);
			printf(":%s", !strcmp(option.name, "script") ? "_files"
				      : !strcmp(option.name, "pid")  ? "_pids"
								     : "");
		}
		fputs("' \\\n", stdout);
	}
	fputs("\t'-p[the process]: PID:_pids' \\\n\t'*-x[a script]: FILE:_files' \\\n\t'1: :(",
	      stdout);
	put_commands();
	fputs(")' \\\n\t'*: :_files'\n", stdout);
}

bool completion_put(const char *shell)
{
	if (!strcmp(shell, "bash"))
		put_bash();
	else if (!strcmp(shell, "zsh"))
		put_zsh();
	else
		return false;
	return true;
}
