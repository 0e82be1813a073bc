// SPDX-License-Identifier: MIT
// Commands about the shell itself: help and what is like it, settings, the target, the end.
#include "debugger/front/report.h"
#include "debugger/front/shell/complete.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/launch.h"
#include "debugger/front/shell/line.h"
#include "debugger/front/shell/shell.h"

#include <stdlib.h>
#include <string.h>

static const char *const groups[NR_GROUPS] = {
	[GROUP_CALLS] = "Calls and values",  [GROUP_PLACES] = "Threads and frames",
	[GROUP_BREAKPOINTS] = "Breakpoints", [GROUP_RUNNING] = "Running",
	[GROUP_PROCESS] = "The process",     [GROUP_LOOKING] = "The program",
	[GROUP_SCRIPTS] = "Scripts",	     [GROUP_SHELL] = "The shell",
};

static void show_row(const struct command *command, struct records *out)
{
	record_begin(out, "command");
	record_text(out, "name", command->name);
	record_text(out, "arguments", command->arguments);
	record_text(out, "help", command->help);
	record_end(out);
}

static void show_group(enum command_group group, struct records *out)
{
	const struct command *command;

	record_begin(out, "title");
	record_text(out, "text", groups[group]);
	record_end(out);
	for (size_t i = 0; (command = command_at(i)); i++) {
		if (command->group == group && !command->only_command_line)
			show_row(command, out);
	}
}

static void show_command(const struct command *command, struct records *out)
{
	const char *name;

	record_begin(out, "help");
	record_text(out, "name", command->name);
	record_text(out, "arguments", command->arguments);
	record_flag(out, "takes_format", command->takes_format);
	record_text(out, "help", command->help);
	record_list(out, "aliases");
	for (size_t i = 1; (name = command_name(command, i)); i++)
		record_text(out, NULL, name);
	record_close(out);
	if (command->example)
		record_text(out, "example", command->example);
	record_end(out);
}

static void show_definition(const struct definition *definition, struct records *out)
{
	record_begin(out, "help");
	record_text(out, "name", definition->name);
	record_text(out, "arguments", definition->text ? "" : "[WORD...]");
	record_format(out, "help", "%s%s",
		      definition->document ? definition->document
		      : definition->text   ? "stands for: "
					   : "a command that was defined",
		      definition->text ? definition->text : "");
	record_end(out);
}

int command_help(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *text = words->nr ? words->operands[0] : "all";
	struct definition *definition = shell_definition(words->shell, text, strlen(text));
	struct command_match match;

	(void)session;
	if (!strcmp(text, "all")) {
		for (int group = 0; group < NR_GROUPS; group++)
			show_group((enum command_group)group, out);
		for (definition = words->shell->definitions; definition;
		     definition = definition->next)
			show_definition(definition, out);
		return 0;
	}
	if (definition) {
		show_definition(definition, out);
		return 0;
	}
	command_match(text, &match);
	if (match.command) {
		show_command(match.command, out);
		return 0;
	}

	const struct command *command;
	bool found = false;
	size_t length = strlen(text);

	// "help info": all of them.
	for (size_t i = 0; length && (command = command_at(i)); i++) {
		if (strncmp(command->name, text, length) || command->only_command_line)
			continue;
		show_row(command, out);
		found = true;
	}
	if (found)
		return 0;
	if (match.nearest)
		return report_message(out, DC_USAGE, "no command '%.100s'; the nearest is '%s'",
				      text, match.nearest);
	return report_message(out, DC_USAGE, "no command '%.100s'", text);
}

int command_apropos(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *word = words->operands[0];
	const struct command *command;
	bool found = false;

	(void)session;
	for (size_t i = 0; (command = command_at(i)); i++) {
		if (command->only_command_line ||
		    (!strcasestr(command->name, word) && !strcasestr(command->help, word)))
			continue;
		show_row(command, out);
		found = true;
	}
	return found ? 0 : report_message(out, DC_USAGE, "nothing about '%.100s'", word);
}

static bool parse_number(const char *text, unsigned long max, unsigned long *ret)
{
	char *end;

	*ret = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && *ret <= max;
}

int command_history(struct dc_session *session, const struct words *words, struct records *out)
{
	unsigned long wanted = 20;
	size_t n = 0;

	(void)session;
	if (words->nr && !parse_number(words->operands[0], UINT32_MAX, &wanted))
		return report_message(out, DC_USAGE, "history wants a number, not '%.100s'",
				      words->operands[0]);
	while (line_history(n))
		n++;
	for (size_t i = n > wanted ? n - wanted : 0; i < n; i++) {
		record_begin(out, "history");
		record_count(out, "number", i + 1);
		record_text(out, "line", line_history(i));
		record_end(out);
	}
	return 0;
}

static void add_candidate(const char *word, void *arg)
{
	struct records *out = arg;

	record_begin(out, "candidate");
	record_text(out, "text", word);
	record_end(out);
}

int command_complete(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	complete_for(words->shell);
	complete_text(words->nr ? words->operands[0] : "", add_candidate, out);
	return 0;
}

int command_set(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *text = words->operands[0];
	struct words assignment = *words;
	size_t length;
	bool is_variable = !strncmp(text, "var ", 4) || !strncmp(text, "variable ", 9);

	if (is_variable)
		text = strchr(text, ' ') + 1;
	if (!is_variable && *text != '$' && setting_is(text, &length))
		return setting_set(words->shell, text);
	if (!is_variable && *text != '$' && !strchr(text, '='))
		return report_message(out, DC_USAGE, "no setting '%.100s' (show lists them)", text);
	if (!session)
		return report_message(out, DC_USAGE, "there is no process (attach PID)");
	assignment.operands = &text;
	assignment.nr = 1;
	assignment.call.no_number = true;
	assignment.is_quiet = true;
	return command_evaluate(session, &assignment, out);
}

int command_directory(struct dc_session *session, const struct words *words, struct records *out)
{
	char *text;
	int status;

	(void)session;
	if (!words->nr)
		return setting_show(words->shell, "directory");
	if (asprintf(&text, "directory %s", words->operands[0]) < 0)
		return report_memory(out);
	status = setting_set(words->shell, text);
	free(text);
	return status;
}

int command_show(struct dc_session *session, const struct words *words, struct records *out)
{
	(void)session;
	(void)out;
	return setting_show(words->shell, words->nr ? words->operands[0] : NULL);
}

int command_attach(struct dc_session *session, const struct words *words, struct records *out)
{
	struct shell *shell = words->shell;

	(void)session;
	(void)out;
	if (shell->is_ours && !shell_launch_may_end(shell))
		return 0;
	return shell_attach(shell, words->operands[0]);
}

int command_detach(struct dc_session *session, const struct words *words, struct records *out)
{
	pid_t pid = words->shell->pid;

	(void)session;
	// It is as any other then.
	words->shell->is_ours = false;
	shell_detach(words->shell);
	report_note(out, "process %d runs on", pid);
	return 0;
}

int command_quit(struct dc_session *session, const struct words *words, struct records *out)
{
	unsigned long status = 0;

	(void)session;
	if (words->nr && !parse_number(words->operands[0], 255, &status))
		return report_message(out, DC_USAGE,
				      "quit wants a status from 0 to 255, not '%.100s'",
				      words->operands[0]);
	if (words->shell->is_ours && !shell_launch_may_end(words->shell))
		return 0;
	words->shell->leaves = true;
	words->shell->leave_status = (int)status;
	return 0;
}
