// SPDX-License-Identifier: MIT
// Words and redirections as the system's shell writes them, and a program's environment.
#include "debugger/front/shell/arguments.h"

#include "debugger/front/report.h"
#include "debugger/front/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wordexp.h>

extern char **environ;

// ---- lists of words -------------------------------------------------------------------------------

void arguments_free(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

static size_t count(char *const *words)
{
	size_t n = 0;

	while (words && words[n])
		n++;
	return n;
}

// Takes the word. False: no memory, and the word is gone.
static bool add(char ***words, char *word)
{
	size_t n = count(*words);
	char **more = word ? reallocarray(*words, n + 2, sizeof(*more)) : NULL;

	if (!more) {
		free(word);
		return false;
	}
	more[n] = word;
	more[n + 1] = NULL;
	*words = more;
	return true;
}

// ---- a text of words ------------------------------------------------------------------------------

struct parts {
	char **words;
	char *files[3];
	bool appends[3];
	bool is_joined;
};

static void parts_deinit(struct parts *parts)
{
	arguments_free(parts->words);
	for (int i = 0; i < 3; i++)
		free(parts->files[i]);
}

static int refuse(struct shell *shell, const char *text, const char *why)
{
	return report_message(shell->out, DC_USAGE, "'%.100s': %s", text, why);
}

// Quotes, variables, patterns and ~ mean what they do in the system's shell; nothing is run.
static int expand(struct shell *shell, const char *text, char ***words)
{
	wordexp_t found;
	int status = 0;

	switch (wordexp(text, &found, WRDE_NOCMD)) {
	case 0: break;
	case WRDE_BADCHAR: return refuse(shell, text, "quote | & ; < > ( ) { }");
	case WRDE_CMDSUB: return refuse(shell, text, "no command is run for a word; quote it");
	case WRDE_SYNTAX: return refuse(shell, text, "a quote has no end");
	default: return report_memory(shell->out);
	}
	for (size_t i = 0; !status && i < found.we_wordc; i++)
		status = add(words, strdup(found.we_wordv[i])) ? 0 : report_memory(shell->out);
	wordfree(&found);
	return status;
}

// Behind a part that is quoted, or one character.
static const char *pass(const char *text)
{
	if (*text == '\\' && text[1])
		return text + 2;
	if (*text != '\'' && *text != '"')
		return text + 1;

	char quote = *text++;

	while (*text && *text != quote)
		text += *text == '\\' && quote == '"' && text[1] ? 2 : 1;
	return *text ? text + 1 : text;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

// "<", "2>>", "&>" at the beginning of a word: which of the three, and how long; 0: it is none.
static size_t redirection(const char *text, int *which, bool *appends, bool *joins)
{
	size_t n = 0;

	*appends = *joins = false;
	*which = -1;
	if (text[n] == '0' || text[n] == '1' || text[n] == '2') {
		*which = text[n++] - '0';
	} else if (text[n] == '&' && text[n + 1] == '>') {
		*joins = true;
		n++;
	}
	if (text[n] == '<' && (*which == -1 || *which == 0) && !*joins) {
		*which = 0;
		return n + 1;
	}
	if (text[n] != '>' || *which == 0)
		return 0;
	if (*which < 0)
		*which = 1;
	n++;
	if (text[n] == '>') {
		*appends = true;
		n++;
	}
	return n;
}

static int take_file(struct shell *shell, struct parts *parts, int which, const char *word)
{
	char **names = NULL;
	int status = expand(shell, word, &names);

	if (!status && count(names) != 1)
		status = refuse(shell, word, "is no single file to lead to");
	if (!status) {
		free(parts->files[which]);
		parts->files[which] = names[0];
		names[0] = NULL;
		free(names);
		return 0;
	}
	arguments_free(names);
	return status;
}

static int take_redirection(struct shell *shell, struct parts *parts, const char **text, size_t n,
			    int which, bool appends)
{
	const char *at = *text + n;
	int status;

	if (which == 2 && !strncmp(at, "&1", 2) && (!at[2] || is_blank(at[2]))) {
		parts->is_joined = true;
		free(parts->files[2]);
		parts->files[2] = NULL;
		*text = at + 2;
		return 0;
	}
	while (is_blank(*at))
		at++;

	const char *end = at;

	while (*end && !is_blank(*end))
		end = pass(end);

	char *word = strndup(at, (size_t)(end - at));

	if (!word)
		return report_memory(shell->out);
	parts->appends[which] = appends;
	if (which == 2)
		parts->is_joined = false;
	status = take_file(shell, parts, which, word);
	free(word);
	*text = end;
	return status;
}

// Redirections are taken out, what is left are words.
static int parse(struct shell *shell, const char *text, struct parts *parts)
{
	char *left = malloc(strlen(text) + 1);
	size_t n = 0;
	int status = left ? 0 : report_memory(shell->out);
	bool begins = true;

	while (!status && *text) {
		bool appends, joins;
		int which;
		size_t length = begins || strchr("<>", *text)
					? redirection(text, &which, &appends, &joins)
					: 0;

		if (length) {
			status = take_redirection(shell, parts, &text, length, which, appends);
			parts->is_joined |= joins;
			begins = true;
			continue;
		}
		begins = is_blank(*text);

		const char *end = pass(text);

		memcpy(left + n, text, (size_t)(end - text));
		n += (size_t)(end - text);
		text = end;
	}
	if (!status) {
		left[n] = '\0';
		status = expand(shell, left, &parts->words);
	}
	free(left);
	return status;
}

// ---- what is run ----------------------------------------------------------------------------------

static void take_parts(struct arguments *arguments, struct parts *parts)
{
	arguments_free(arguments->words);
	arguments->words = parts->words;
	for (int i = 0; i < 3; i++) {
		free(arguments->files[i]);
		arguments->files[i] = parts->files[i];
		arguments->appends[i] = parts->appends[i];
	}
	arguments->is_joined = parts->is_joined;
}

int arguments_set(struct shell *shell, const char *text)
{
	struct arguments *arguments = &shell->arguments_of_run;
	struct parts parts = { 0 };
	char *copy = strdup(text);
	bool good = copy && (!arguments->program || add(&parts.words, strdup(arguments->program)));
	int status = good ? parse(shell, text, &parts) : report_memory(shell->out);

	if (status) {
		parts_deinit(&parts);
		free(copy);
		return status;
	}
	take_parts(arguments, &parts);
	free(arguments->text);
	arguments->text = copy;
	arguments->is_changed = true;
	return 0;
}

int arguments_set_program(struct shell *shell, const char *text)
{
	struct arguments *arguments = &shell->arguments_of_run;
	const char *end = text;
	char **names = NULL, *word;
	int status;

	while (*end && !is_blank(*end))
		end = pass(end);
	word = strndup(text, (size_t)(end - text));
	status = word ? expand(shell, word, &names) : report_memory(shell->out);
	free(word);
	if (!status && count(names) != 1)
		status = refuse(shell, text, "is no single program");
	if (status) {
		arguments_free(names);
		return status;
	}

	char *before = arguments->program;

	arguments->program = names[0];
	free(names);
	while (is_blank(*end))
		end++;
	// The words that there were are another program's, unless none are said: then they stay.
	status = arguments_set(shell, *end || !arguments->text ? end : arguments->text);
	if (status) {
		free(arguments->program);
		arguments->program = before;
		return status;
	}
	free(before);
	return 0;
}

static void quote(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./,:=@%+";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

int arguments_name(struct shell *shell, const char *const *argv)
{
	struct arguments *arguments = &shell->arguments_of_run;
	struct parts parts = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool good = out && (arguments->program = strdup(argv[0]));

	for (size_t i = 0; good && argv[i]; i++) {
		good = add(&parts.words, strdup(argv[i]));
		if (i > 1)
			fputc(' ', out);
		if (i)
			quote(out, argv[i]);
	}
	if (out && fclose(out))
		good = false;
	if (!good) {
		parts_deinit(&parts);
		free(text);
		return report_memory(shell->out);
	}
	take_parts(arguments, &parts);
	free(arguments->text);
	arguments->text = text;
	return 0;
}

// One name as the system's shell reads it; "": none.
static int set_name(struct shell *shell, const char *text, const char *problem, char **ret)
{
	char **names = NULL;
	int status = *text ? expand(shell, text, &names) : 0;

	if (!status && *text && count(names) != 1)
		status = refuse(shell, text, problem);
	if (status) {
		arguments_free(names);
		return status;
	}
	free(*ret);
	*ret = names ? names[0] : NULL;
	free(names);
	shell->arguments_of_run.is_changed = true;
	return 0;
}

int arguments_set_directory(struct shell *shell, const char *text)
{
	return set_name(shell, text, "is no single directory", &shell->arguments_of_run.directory);
}

int arguments_set_terminal(struct shell *shell, const char *text)
{
	return set_name(shell, text, "is no single terminal", &shell->arguments_of_run.terminal);
}

// ---- environment ----------------------------------------------------------------------------------

static bool is_of(const char *entry, const char *name, size_t length)
{
	return !strncmp(entry, name, length) && (!entry[length] || entry[length] == '=');
}

static char **find(char **words, const char *name, size_t length)
{
	for (; words && *words; words++) {
		if (is_of(*words, name, length))
			return words;
	}
	return NULL;
}

static int put(struct shell *shell, char *entry)
{
	struct arguments *arguments = &shell->arguments_of_run;
	char **at = entry ? find(arguments->environment, entry, strcspn(entry, "=")) : NULL;

	if (at) {
		free(*at);
		*at = entry;
		return 0;
	}
	return add(&arguments->environment, entry) ? 0 : report_memory(shell->out);
}

int arguments_set_variable(struct shell *shell, const char *text)
{
	size_t length = strcspn(text, " \t=");
	const char *value = text + length + strspn(text + length, " \t");
	char *entry;

	shell->arguments_of_run.is_changed = true;
	if (!length)
		return refuse(shell, text, "environment wants NAME=VALUE");
	if (*value == '=')
		value += 1 + strspn(value + 1, text[length] == '=' ? "" : " \t");
	if (asprintf(&entry, "%.*s=%s", (int)length, text, value) < 0)
		entry = NULL;
	return put(shell, entry);
}

int arguments_unset_variable(struct shell *shell, const char *text)
{
	struct arguments *arguments = &shell->arguments_of_run;

	shell->arguments_of_run.is_changed = true;
	if (*text && text[strcspn(text, " \t=")])
		return refuse(shell, text, "is no name of a variable");
	if (*text)
		return put(shell, strdup(text));
	arguments_free(arguments->environment);
	arguments->environment = NULL;
	return 0;
}

void arguments_say_environment(struct shell *shell)
{
	char **at = shell->arguments_of_run.environment;

	for (; at && *at; at++) {
		record_begin(shell->out, "environment");
		record_format(shell->out, "name", "%.*s", (int)strcspn(*at, "="), *at);
		if (strchr(*at, '='))
			record_text(shell->out, "value", strchr(*at, '=') + 1);
		else
			record_none(shell->out, "value");
		record_end(shell->out);
	}
}

char **arguments_environment(const struct arguments *arguments)
{
	char **words = calloc(1, sizeof(*words));
	bool good = words;

	for (char **at = environ; good && *at; at++) {
		if (!find(arguments->environment, *at, strcspn(*at, "=")))
			good = add(&words, strdup(*at));
	}
	for (char **at = arguments->environment; good && at && *at; at++) {
		if (strchr(*at, '='))
			good = add(&words, strdup(*at));
	}
	if (good)
		return words;
	arguments_free(words);
	return NULL;
}

// ---- files ----------------------------------------------------------------------------------------

static int check_terminal(struct shell *shell)
{
	const char *name = shell->arguments_of_run.terminal;
	int fd = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1, status = 0;

	if (name && fd < 0)
		status = report_message(shell->out, DC_USAGE, "cannot open %.200s: %s", name,
					strerror(errno));
	else if (name && !isatty(fd))
		status = report_message(shell->out, DC_USAGE, "%.200s is no terminal", name);
	if (fd >= 0)
		close(fd);
	return status;
}

int arguments_open(struct shell *shell, int input, int fds[3])
{
	static const int how[] = { O_RDONLY, O_WRONLY | O_CREAT, O_WRONLY | O_CREAT };
	const struct arguments *arguments = &shell->arguments_of_run;

	fds[0] = input;
	fds[1] = fds[2] = -1;

	int status = check_terminal(shell);

	for (int i = 0; i < 3 && !status; i++) {
		const char *name = arguments->files[i];

		if (!name)
			continue;
		fds[i] = open(name,
			      how[i] | O_CLOEXEC |
				      (i && arguments->appends[i] ? O_APPEND
				       : i			  ? O_TRUNC
								  : 0),
			      0666);
		if (fds[i] < 0)
			status = report_message(shell->out, DC_USAGE, "cannot open %.200s: %s",
						name, strerror(errno));
	}
	if (!status && arguments->is_joined && (fds[1] >= 0 || !arguments->terminal))
		fds[2] = fcntl(fds[1] < 0 ? STDOUT_FILENO : fds[1], F_DUPFD_CLOEXEC, 3);
	return status;
}

void arguments_deinit(struct arguments *arguments)
{
	free(arguments->program);
	free(arguments->text);
	arguments_free(arguments->words);
	arguments_free(arguments->environment);
	free(arguments->directory);
	free(arguments->terminal);
	for (int i = 0; i < 3; i++)
		free(arguments->files[i]);
	*arguments = (struct arguments){ 0 };
}
