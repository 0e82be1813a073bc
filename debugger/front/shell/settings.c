// SPDX-License-Identifier: MIT
// The settings of a shell, one row each.
#include "debugger/front/shell/settings.h"

#include "debugger/front/report.h"
#include "debugger/front/shell/children.h"
#include "debugger/front/shell/output.h"
#include "debugger/front/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	SETTING_FLAG,
	SETTING_NUMBER,
	SETTING_TEXT,
	SETTING_DURATION,
	SETTING_HOST,
	SETTING_PAIR,
	SETTING_OTHER // of a room of its own
};

struct setting {
	const char *name;
	enum kind kind;
	size_t offset; // in struct shell
	bool is_negated; // the flag is kept as its opposite
	const char *help;
	int (*set)(struct shell *shell, const char *text); // OTHER, whose text offset is of
};

static int set_locking(struct shell *shell, const char *text)
{
	static const char *const words[] = { "off", "step", "on" };

	// gdb's usual one, of which we have the part that is not about replaying.
	if (!strcmp(text, "replay"))
		text = "off";
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		shell->settings.locking = words[i];
		return 0;
	}
	return report_message(shell->out, DC_USAGE,
			      "scheduler-locking wants off, step or on, not '%.100s'", text);
}

#define SETTING(member)	    offsetof(struct shell, settings.member)
#define CALL_OPTION(member) offsetof(struct shell, usual.call.member)
static const struct setting rows[] = {
	{ "all-stop", SETTING_FLAG, CALL_OPTION(all_stop), false,
	  "every thread is stopped for a call", NULL },
	{ "args", SETTING_OTHER, offsetof(struct shell, arguments_of_run.text), false,
	  "the words of the program that run begins", arguments_set },
	{ "color", SETTING_FLAG, SIZE_MAX, false, "names and numbers have colours", NULL },
	{ "confirm", SETTING_FLAG, SETTING(confirm), false, "ask before something is lost", NULL },
	{ "cwd", SETTING_OTHER, offsetof(struct shell, arguments_of_run.directory), false,
	  "the directory that run begins it in", arguments_set_directory },
	{ "detach-on-fork", SETTING_OTHER, SETTING(detach), false,
	  "on: of parent and child, the one that is not followed runs on by itself",
	  children_set_detach },
	{ "directory", SETTING_TEXT, SETTING(directory), false,
	  "where source files are looked for, too", NULL },
	{ "drop-literals", SETTING_FLAG, CALL_OPTION(drop_literals), false,
	  "unmap string literals after a call", NULL },
	{ "environment", SETTING_OTHER, SIZE_MAX, false,
	  "NAME=VALUE: a variable of the program that run begins", arguments_set_variable },
	{ "follow-exec-mode", SETTING_OTHER, SETTING(exec_mode), false,
	  "same: what becomes another program stays the target", children_set_exec_mode },
	{ "follow-fork-mode", SETTING_OTHER, SETTING(fork_mode), false,
	  "parent, or child: whom the shell goes on with when the target makes a process",
	  children_set_mode },
	{ "force", SETTING_FLAG, CALL_OPTION(force), false,
	  "borrow threads that are not at a safe point", NULL },
	{ "height", SETTING_NUMBER, SETTING(height), false, "lines of a page; 0: the terminal's",
	  NULL },
	{ "history", SETTING_FLAG, SETTING(no_history), true, "keep the lines that are given",
	  NULL },
	{ "history-size", SETTING_NUMBER, SETTING(history_size), false, "how many lines are kept",
	  NULL },
	{ "host", SETTING_HOST, 0, false, "who runs calls: auto, or one that check names", NULL },
	{ "inferior-tty", SETTING_OTHER, offsetof(struct shell, arguments_of_run.terminal), false,
	  "the terminal of the program that run begins", arguments_set_terminal },
	{ "keep-going", SETTING_FLAG, SETTING(keeps_going), false,
	  "scripts go on after a line that fails", NULL },
	{ "listsize", SETTING_NUMBER, SETTING(list_size), false, "lines that list shows", NULL },
	{ "logging", SETTING_OTHER, offsetof(struct shell, logging.file), false,
	  "on, off, file NAME, redirect on, overwrite on: what is said goes to a file",
	  output_set_logging },
	{ "may-call-functions", SETTING_FLAG, CALL_OPTION(no_call), true,
	  "expressions may call functions", NULL },
	{ "pagination", SETTING_FLAG, SETTING(paginates), false, "long output stops at each page",
	  NULL },
	{ "patch", SETTING_FLAG, SETTING(no_patch), true,
	  "a breakpoint that can be no other way is patched into the code, once that is said",
	  NULL },
	{ "prompt", SETTING_TEXT, SETTING(prompt), false, "what asks for a line", NULL },
	{ "scheduler-locking", SETTING_OTHER, SETTING(locking), false,
	  "where all stand: off, others run, too; step, not while one steps; on, never",
	  set_locking },
	{ "stop-all", SETTING_FLAG, SETTING(stops_all), false,
	  "a breakpoint stops all threads, not only the one that hits", NULL },
	{ "substitute-path", SETTING_PAIR, SETTING(from), false,
	  "FROM TO: source files that begin with FROM are under TO", NULL },
	{ "timeout", SETTING_DURATION, CALL_OPTION(timeout_ns), false,
	  "the deadline of each call; 0: none", NULL },
	{ "trace-commands", SETTING_FLAG, SETTING(echoes), false, "show each line of a script",
	  NULL },
	{ "wait", SETTING_DURATION, CALL_OPTION(wait_ns), false,
	  "how long to look for a safe point", NULL },
	{ "width", SETTING_NUMBER, SETTING(width), false, "columns of a line; 0: the terminal's",
	  NULL },
};
enum { NR_ROWS = sizeof(rows) / sizeof(*rows) };

bool settings_init(struct settings *settings)
{
	*settings = (struct settings){ .prompt = strdup("(debugcall) "),
				       .locking = "off",
				       .fork_mode = "parent",
				       .exec_mode = "same",
				       .detach = "on",
				       .confirm = true,
				       .paginates = true,
				       .history_size = 2000,
				       .list_size = 10 };
	return settings->prompt;
}

void settings_deinit(struct settings *settings)
{
	free(settings->prompt);
	free(settings->from);
	free(settings->to);
	free(settings->directory);
}

const char *setting_name(size_t i)
{
	return i < NR_ROWS ? rows[i].name : NULL;
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '-' || text[n] == '_')
		n++;
	return n;
}

// gdb writes "style enabled" and "history save"; the names that people know lead here too.
static const struct {
	const char *theirs, *ours;
} synonyms[] = {
	{ "style enabled", "color" },	      { "colour", "color" },
	{ "direct-call-timeout", "timeout" }, { "history save", "history" },
	{ "history size", "history-size" },   { "environ", "environment" },
};

static const struct setting *find(const char *text, size_t *length)
{
	const struct setting *found = NULL;

	for (size_t i = 0; i < sizeof(synonyms) / sizeof(*synonyms); i++) {
		size_t n = strlen(synonyms[i].theirs), ignored;

		if (strncmp(text, synonyms[i].theirs, n) || name_length(text + n))
			continue;
		*length = n;
		return find(synonyms[i].ours, &ignored);
	}
	*length = name_length(text);
	for (size_t i = 0; *length && i < NR_ROWS; i++) {
		if (strncmp(rows[i].name, text, *length) != 0)
			continue;
		if (!rows[i].name[*length])
			return &rows[i];
		if (found)
			return NULL;
		found = &rows[i];
	}
	return found;
}

bool setting_is(const char *text, size_t *length)
{
	return find(text, length) != NULL;
}

static bool parse_flag(const char *text, bool *ret)
{
	static const char *const words[] = {
		"off", "on", "0", "1", "no", "yes", "never", "always"
	};

	if (!*text) {
		*ret = true;
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(text, words[i])) {
			*ret = i & 1;
			return true;
		}
	}
	return false;
}

static int refuse(struct shell *shell, const struct setting *setting, const char *wanted,
		  const char *text)
{
	return report_message(shell->out, DC_USAGE, "%s wants %s, not '%.100s'", setting->name,
			      wanted, text);
}

static int replace(struct shell *shell, char **at, const char *text)
{
	char *copy = *text ? strdup(text) : NULL;

	if (*text && !copy)
		return report_memory(shell->out);
	free(*at);
	*at = copy;
	return 0;
}

static int set_host(struct shell *shell, const struct setting *setting, const char *text)
{
	const char *name;

	if (!strcmp(text, "auto")) {
		shell->usual.call.host = DC_HOST_AUTO;
		return 0;
	}
	for (int host = DC_HOST_AUTO + 1; (name = dc_host_name((enum dc_host)host)); host++) {
		if (strcmp(text, name) != 0)
			continue;
		shell->usual.call.host = (enum dc_host)host;
		return 0;
	}
	return refuse(shell, setting, "auto or a host's name", text);
}

static int set_pair(struct shell *shell, const struct setting *setting, const char *text)
{
	char from[4096], to[4096], rest[2];

	if (!*text) {
		replace(shell, &shell->settings.from, "");
		return replace(shell, &shell->settings.to, "");
	}
	if (sscanf(text, "%4095s %4095s %1s", from, to, rest) != 2)
		return refuse(shell, setting, "two paths", text);
	int status = replace(shell, &shell->settings.from, from);
	return status ? status : replace(shell, &shell->settings.to, to);
}

static void *place_of(struct shell *shell, const struct setting *setting)
{
	return setting->offset == SIZE_MAX ? (void *)&text_is_coloured
					   : (char *)shell + setting->offset;
}

int setting_set(struct shell *shell, const char *text)
{
	size_t length;
	const struct setting *setting = find(text, &length);
	bool flag;
	char *end;

	text += length;
	text += strspn(text, " \t");
	// "set timeout = 5s" means what it seems to.
	if (*text == '=' && setting->kind != SETTING_TEXT && setting->kind != SETTING_OTHER)
		text += 1 + strspn(text + 1, " \t");

	void *at = place_of(shell, setting);

	switch (setting->kind) {
	case SETTING_FLAG:
		if (!parse_flag(text, &flag))
			return refuse(shell, setting, "on or off", text);
		*(bool *)at = flag != setting->is_negated;
		return 0;
	case SETTING_NUMBER: {
		unsigned long number = strtoul(text, &end, 10);

		if (!strcmp(text, "unlimited"))
			number = 0;
		else if (*text < '0' || *text > '9' || *end || number > 1000 * 1000)
			return refuse(shell, setting, "a number", text);
		*(unsigned *)at = (unsigned)number;
		return 0;
	}
	case SETTING_DURATION:
		if (!strcmp(text, "unlimited"))
			text = "0";
		if (!options_duration(text, at))
			return refuse(shell, setting, "a duration such as 5s or 200ms", text);
		return 0;
	case SETTING_TEXT: return replace(shell, at, text);
	case SETTING_OTHER: return setting->set(shell, text);
	case SETTING_HOST: return set_host(shell, setting, text);
	case SETTING_PAIR: return set_pair(shell, setting, text);
	}
	return 0;
}

static void show_value(struct shell *shell, const struct setting *setting)
{
	const void *at = place_of(shell, setting);
	const char *host = dc_host_name(shell->usual.call.host);

	switch (setting->kind) {
	case SETTING_FLAG:
		record_text(shell->out, "value",
			    *(const bool *)at != setting->is_negated ? "on" : "off");
		break;
	case SETTING_NUMBER: record_count(shell->out, "value", *(const unsigned *)at); break;
	case SETTING_OTHER:
		if (setting->offset == SIZE_MAX)
			record_none(shell->out, "value");
		else
			record_text(shell->out, "value", *(char *const *)at);
		break;
	case SETTING_TEXT: record_text(shell->out, "value", *(char *const *)at); break;
	case SETTING_DURATION:
		record_format(shell->out, "value", "%gs", (double)*(const int64_t *)at / 1e9);
		break;
	case SETTING_HOST: record_text(shell->out, "value", host ? host : "auto"); break;
	case SETTING_PAIR:
		if (shell->settings.from && shell->settings.to)
			record_format(shell->out, "value", "%s %s", shell->settings.from,
				      shell->settings.to);
		else
			record_none(shell->out, "value");
		break;
	}
}

int setting_show(struct shell *shell, const char *name)
{
	size_t length;
	const struct setting *one = name ? find(name, &length) : NULL;

	if (name && (!one || name[length]))
		return report_message(shell->out, DC_USAGE, "no setting '%.100s'", name);
	if (one && one->set == arguments_set_variable) {
		arguments_say_environment(shell);
		return 0;
	}
	for (size_t i = 0; i < NR_ROWS; i++) {
		if (one && one != &rows[i])
			continue;
		record_begin(shell->out, "setting");
		record_text(shell->out, "name", rows[i].name);
		show_value(shell, &rows[i]);
		record_text(shell->out, "help", rows[i].help);
		record_end(shell->out);
	}
	return 0;
}
