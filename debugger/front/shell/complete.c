// SPDX-License-Identifier: MIT
// Completion by the table: a command's row says what its operands are.
#include "debugger/front/shell/complete.h"

#include "debugger/front/shell/places.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// More than these nobody reads; a longer beginning finds the rest.
enum { CANDIDATES_MAX = 500 };

static struct shell *current;

void complete_for(struct shell *shell)
{
	current = shell;
}

static const char in_files[] = " \t", in_expressions[] = " \t\n\"'`@$><=;|&{}()[],+-*/%^!~?.";

// A set of words, each once.
struct candidates {
	void (*add)(const char *word, void *list);
	void *list;
	const char *prefix;
	size_t length;
	char **seen;
	size_t n;
};

static void offer(struct candidates *candidates, const char *word)
{
	if (strncmp(word, candidates->prefix, candidates->length) != 0 ||
	    candidates->n >= CANDIDATES_MAX)
		return;
	for (size_t i = 0; i < candidates->n; i++) {
		if (!strcmp(candidates->seen[i], word))
			return;
	}

	char **seen = reallocarray(candidates->seen, candidates->n + 1, sizeof(*seen));

	if (!seen)
		return;
	candidates->seen = seen;
	seen[candidates->n] = strdup(word);
	if (!seen[candidates->n])
		return;
	candidates->n++;
	candidates->add(word, candidates->list);
}

static void candidates_deinit(struct candidates *candidates)
{
	for (size_t i = 0; i < candidates->n; i++)
		free(candidates->seen[i]);
	free(candidates->seen);
}

static bool offer_name(const char *name, void *arg)
{
	struct candidates *candidates = arg;

	offer(candidates, name);
	return candidates->n < CANDIDATES_MAX;
}

// ---- what operands are ----------------------------------------------------------------------------

static void offer_commands(struct candidates *candidates, const char *before)
{
	const struct command *command;
	size_t length = strlen(before);

	for (size_t i = 0; (command = command_at(i)); i++) {
		const char *name;

		if (command->only_command_line)
			continue;
		for (size_t k = 0; (name = command_name(command, k)); k++) {
			char word[64];

			// "info " goes on with second words, nothing else does.
			if (length ? strncmp(name, before, length) || name[length] != ' ' : 0)
				continue;
			name += length ? length + 1 : 0;
			// Letters that stand for a command need no completion.
			if (k && strlen(name) < 3)
				continue;
			snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, " "), name);
			offer(candidates, word);
		}
	}
	if (length)
		return;
	for (const struct definition *each = current->definitions; each; each = each->next)
		offer(candidates, each->name);
}

static void offer_settings(struct candidates *candidates)
{
	const char *name;

	for (size_t i = 0; (name = setting_name(i)); i++)
		offer(candidates, name);
	offer(candidates, "var");
}

static void offer_registers(struct candidates *candidates)
{
	if (!current->session)
		return;
	dc_error_destroy(
		dc_names(current->session, DC_NAMES_REGISTERS, NULL, offer_name, candidates));
	dc_error_destroy(dc_names(current->session, DC_NAMES_VECTOR_REGISTERS, NULL, offer_name,
				  candidates));
}

static void offer_threads(struct candidates *candidates)
{
	struct dc_check check;
	struct dc_error *err = current->session ? dc_check(current->session, NULL,
							   &current->usual.call, &check)
						: NULL;
	char word[16];

	if (err || !current->session) {
		dc_error_destroy(err);
		return;
	}
	for (size_t i = 0; i < check.nr_threads; i++) {
		snprintf(word, sizeof(word), "%d", check.threads[i].tid);
		offer(candidates, word);
	}
	dc_check_deinit(&check);
}

static bool offer_goroutine(const struct dc_goroutine *goroutine, void *arg)
{
	char word[24];

	snprintf(word, sizeof(word), "%ju", (uintmax_t)goroutine->id);
	return offer_name(word, arg);
}

static void offer_files(struct candidates *candidates, bool *blank)
{
	const char *slash = strrchr(candidates->prefix, '/');
	size_t length = slash ? (size_t)(slash - candidates->prefix) + 1 : 0;
	char directory[PATH_MAX], path[PATH_MAX];
	struct stat stat_;

	if (length >= sizeof(directory))
		return;
	snprintf(directory, sizeof(directory), "%.*s", (int)length, candidates->prefix);

	DIR *dir = opendir(length ? directory : ".");

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		// Hidden ones only when asked for.
		if (*entry->d_name == '.' && candidates->prefix[length] != '.')
			continue;
		if (snprintf(path, sizeof(path), "%s%s", directory, entry->d_name) >=
		    (int)sizeof(path) - 1)
			continue;
		if (!strncmp(path, candidates->prefix, candidates->length) && !stat(path, &stat_) &&
		    S_ISDIR(stat_.st_mode)) {
			strcat(path, "/");
			*blank = false;
		}
		offer(candidates, path);
	}
	closedir(dir);
}

// The expression before "." or "->" that a member's name follows: as far back as it is one.
static const char *object_before(const char *text, size_t end)
{
	size_t at = end;
	int depth = 0;

	while (at) {
		char c = text[at - 1];

		if (c == ')' || c == ']') {
			depth++;
		} else if (c == '(' || c == '[') {
			if (!depth)
				break;
			depth--;
		} else if (c == '>' && at > 1 && text[at - 2] == '-') {
			at--;
		} else if (!depth && !isalnum((unsigned char)c) && c != '_' && c != '.' &&
			   c != '$' && c != ':') {
			break;
		}
		at--;
	}
	return text + at;
}

static struct dc_scope quiet_scope(void)
{
	struct dc_scope scope = current->usual.scope;

	scope.no_stop = true;
	return scope;
}

// True: a member was meant, whether there is one or not.
static bool offer_members(struct candidates *candidates, const char *text, size_t start)
{
	size_t end = start;
	struct dc_scope scope = quiet_scope();

	if (end && text[end - 1] == '.')
		end--;
	else if (end > 1 && text[end - 1] == '>' && text[end - 2] == '-')
		end -= 2;
	else
		return false;

	const char *from = object_before(text, end);
	char *object = strndup(from, (size_t)(text + end - from));

	// "1." is a number.
	if (object && *object && !isdigit((unsigned char)*object))
		dc_error_destroy(
			dc_members(current->session, object, &scope, offer_name, candidates));
	free(object);
	return true;
}

static void offer_names(struct candidates *candidates, const char *text, size_t start)
{
	struct dc_scope scope = quiet_scope();

	if (!current->session)
		return;
	if (start && text[start - 1] == '$') {
		offer_registers(candidates);
		return;
	}
	if (offer_members(candidates, text, start))
		return;
	dc_error_destroy(
		dc_names(current->session, DC_NAMES_ARGUMENTS, &scope, offer_name, candidates));
	dc_error_destroy(
		dc_names(current->session, DC_NAMES_LOCALS, &scope, offer_name, candidates));
	// All of the program's names are no help.
	if (candidates->length)
		dc_error_destroy(
			dc_complete(current->session, candidates->prefix, offer_name, candidates));
}

static bool offer_type(const char *name, void *arg)
{
	struct candidates *candidates = arg;
	const char *blank = strchr(name, ' ');

	offer(candidates, name);
	if (blank)
		offer(candidates, blank + 1);
	return candidates->n < CANDIDATES_MAX;
}

static void offer_types(struct candidates *candidates, const char *text, size_t start)
{
	char *regex;

	if (current->session && candidates->length &&
	    strspn(candidates->prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				       "0123456789:") == candidates->length &&
	    asprintf(&regex, "^%s", candidates->prefix) >= 0) {
		dc_error_destroy(dc_types(current->session, regex, offer_type, candidates));
		free(regex);
	}
	offer(candidates, "struct");
	offer(candidates, "union");
	offer(candidates, "enum");
	offer_names(candidates, text, start);
}

// ---- lines ----------------------------------------------------------------------------------------

static const struct command *command_of(const char *text, size_t start)
{
	struct command_match match;

	command_match(text, &match);
	return match.command && match.length < start ? match.command : NULL;
}

const char *complete_breaks(const char *text)
{
	const struct command *command = command_of(text, strlen(text));

	return command && (command->complete == COMPLETE_FILE ||
			   command->complete == COMPLETE_LOCATION)
		       ? in_files
		       : in_expressions;
}

static void complete_operand(struct candidates *candidates, const struct command *command,
			     const char *text, size_t start, bool *blank)
{
	switch (command ? command->complete : COMPLETE_EXPRESSION) {
	case COMPLETE_NOTHING: break;
	case COMPLETE_FILE: offer_files(candidates, blank); break;
	case COMPLETE_COMMAND: offer_commands(candidates, ""); break;
	case COMPLETE_THREAD: offer_threads(candidates); break;
	case COMPLETE_GOROUTINE:
		if (current->session)
			dc_error_destroy(
				dc_goroutines(current->session, offer_goroutine, candidates));
		break;
	case COMPLETE_SETTING: offer_settings(candidates); break;
	case COMPLETE_REGISTER: offer_registers(candidates); break;
	case COMPLETE_TYPE: offer_types(candidates, text, start); break;
	case COMPLETE_EXPRESSION:
	case COMPLETE_FUNCTION:
	case COMPLETE_LOCATION:
		*blank = false;
		offer_names(candidates, text, start);
		break;
	}
}

void complete_line(const char *text, size_t start, void (*add)(const char *word, void *list),
		   void *list, bool *blank)
{
	struct candidates candidates = {
		.add = add, .list = list, .prefix = text + start, .length = strlen(text + start)
	};
	size_t lead = strspn(text, " \t"), first = strcspn(text + lead, " \t");
	char before[32];

	if (!current)
		return;
	if (start <= lead) {
		offer_commands(&candidates, "");
		if (candidates.length)
			offer_names(&candidates, text, start);
	} else {
		const struct command *command = command_of(text + lead, start - lead);
		size_t behind = lead + first + strspn(text + lead + first, " \t");

		snprintf(before, sizeof(before), "%.*s", (int)first, text + lead);
		if (!strcmp(before, "i"))
			strcpy(before, "info");
		// A second word of a command, unless it has none.
		if (start == behind && (!command || strlen(command->name) > strlen(before)))
			offer_commands(&candidates, before);
		if (command || !candidates.n)
			complete_operand(&candidates, command, text, start, blank);
	}
	candidates_deinit(&candidates);
}

// ---- the command complete -------------------------------------------------------------------------

struct whole {
	const char *text;
	size_t start;
	void (*add)(const char *line, void *arg);
	void *arg;
};

static void add_whole(const char *word, void *arg)
{
	const struct whole *whole = arg;
	char *line;

	if (asprintf(&line, "%.*s%s", (int)whole->start, whole->text, word) < 0)
		return;
	whole->add(line, whole->arg);
	free(line);
}

void complete_text(const char *text, void (*add)(const char *line, void *arg), void *arg)
{
	const char *breaks = complete_breaks(text);
	struct whole whole = { .text = text, .start = strlen(text), .add = add, .arg = arg };
	bool blank = true;

	while (whole.start && !strchr(breaks, text[whole.start - 1]))
		whole.start--;
	complete_line(text, whole.start, add_whole, &whole, &blank);
}
