// SPDX-License-Identifier: MIT
// readline by its callbacks, so that signals and what the target does are seen while a line is
// edited; the terminal is as it was whenever no line is.
#include "debugger/front/shell/line.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/shell/history.h"
#include "debugger/front/shell/progress.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <readline/history.h>
#include <readline/readline.h>

enum { NO_KEY = -2 }; // EOF is -1

static struct {
	line_completer *complete;
	line_breaker *breaks;
	bool is_done, remembers;
	char *got; // NULL, done: the end
	char *pasted; // lines behind the first of what was pasted
	int fd;
	void (*told)(void *);
	void *arg;
	int key; // that was read before readline asks for it, or NO_KEY
	sigset_t waiting; // what is blocked while a key is waited for
	char **words; // of the completion under way
	size_t nr_words, next_word;
} line = { .fd = -1, .key = NO_KEY };

// ---- the terminal as it was, whatever becomes of us -----------------------------------------------

static struct termios before;
static volatile sig_atomic_t is_prepared; // readline has the terminal

static void crashed(int signo)
{
	static const char leave_paste[] = "\033[?2004l\n";

	if (is_prepared) {
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
		(void)!write(STDOUT_FILENO, leave_paste, sizeof(leave_paste) - 1);
	}
	// SA_RESETHAND: this time it is the end.
	raise(signo);
}

static void guard_terminal(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction action = { .sa_handler = crashed,
				    .sa_flags = (int)SA_RESETHAND | SA_NODEFER };

	tcgetattr(STDIN_FILENO, &before);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		sigaction(crashes[i], &action, NULL);
}

static void prepare(int meta)
{
	struct termios raw;

	is_prepared = 1;
	rl_prep_terminal(meta);
	// A read does not wait: a poll does, in which signals are let in.
	if (!tcgetattr(STDIN_FILENO, &raw)) {
		raw.c_cc[VMIN] = raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
}

static void unprepare(void)
{
	rl_deprep_terminal();
	is_prepared = 0;
}

// ---- completion -----------------------------------------------------------------------------------

static void add_word(const char *word, void *list)
{
	(void)list;
	if (!(line.nr_words & (line.nr_words - 1))) {
		size_t room = line.nr_words ? 2 * line.nr_words : 1;
		char **words = reallocarray(line.words, room, sizeof(*words));

		if (!words)
			return;
		line.words = words;
	}
	line.words[line.nr_words] = strdup(word);
	line.nr_words += line.words[line.nr_words] != NULL;
}

static char *next_word(const char *text, int state)
{
	(void)text;
	(void)state;
	return line.next_word < line.nr_words ? line.words[line.next_word++] : NULL;
}

static char **completions(const char *text, int start, int end)
{
	bool blank = true;
	char *whole = strndup(rl_line_buffer, (size_t)end);

	(void)text;
	rl_attempted_completion_over = 1;
	if (!whole)
		return NULL;
	line.nr_words = line.next_word = 0;
	line.complete(whole, (size_t)start, add_word, NULL, &blank);
	free(whole);
	rl_completion_append_character = blank ? ' ' : '\0';
	// What is offered is a part of the line, quotes and all.
	rl_filename_completion_desired = 0;

	char **matches = rl_completion_matches(text, next_word);

	while (line.next_word < line.nr_words)
		free(line.words[line.next_word++]);
	free(line.words);
	line.words = NULL;
	line.nr_words = 0;
	return matches;
}

static char *word_breaks(void)
{
	char *whole = strndup(rl_line_buffer, (size_t)rl_point);
	const char *breaks = line.breaks(whole ? whole : "");

	free(whole);
	return (char *)breaks;
}

// ---- keys -----------------------------------------------------------------------------------------

// What was seen to be there may have been thrown away by Ctrl-C: NO_KEY.
static int take_key(short seen)
{
	unsigned char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (n == 1)
		return key;
	if (n == 0 ? seen & POLLHUP : errno != EINTR && errno != EAGAIN)
		return EOF;
	return NO_KEY;
}

// For readline. An interrupt between the keys of a sequence ends the wait with a key that the line,
// which is then given up, will not miss.
static int get_key(FILE *in)
{
	struct pollfd fd = { .fd = fileno(in), .events = POLLIN };
	int key = line.key;

	line.key = NO_KEY;
	while (key == NO_KEY && !interrupt_came()) {
		if (ppoll(&fd, 1, NULL, &line.waiting) < 0)
			fd.revents = 0;
		else
			key = take_key(fd.revents);
	}
	return key == NO_KEY ? '\0' : key;
}

// ---- lines ----------------------------------------------------------------------------------------

static void got_line(char *text)
{
	line.is_done = true;
	line.got = text;
	rl_callback_handler_remove();
}

void line_begin(line_completer *completer, line_breaker *breaks, unsigned history_size)
{
	line.complete = completer;
	line.breaks = breaks;
	line.remembers = history_size > 0;
	rl_readline_name = "debugcall";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_prep_term_function = prepare;
	rl_deprep_term_function = unprepare;
	rl_attempted_completion_function = completions;
	rl_completion_word_break_hook = word_breaks;
	rl_completer_quote_characters = "";
	rl_getc_function = get_key;
	rl_outstream = stdout;
	rl_instream = stdin;
	guard_terminal();
	history_begin(history_size);
}

void line_end(void)
{
	history_end();
	free(line.pasted);
	line.pasted = NULL;
}

void line_watch(int fd, void (*told)(void *), void *arg)
{
	line.fd = fd;
	line.told = told;
	line.arg = arg;
}

static void tell_above(void)
{
	char *text = rl_copy_text(0, rl_end);
	int point = rl_point;

	rl_save_prompt();
	rl_replace_line("", 0);
	rl_redisplay();
	fputs("\r\033[K", stdout);
	line.told(line.arg);
	fflush(stdout);
	rl_restore_prompt();
	rl_replace_line(text ? text : "", 0);
	rl_point = point;
	rl_on_new_line();
	rl_redisplay();
	free(text);
}

static void pause_here(const char *prompt)
{
	rl_callback_handler_remove();
	raise(SIGSTOP);
	// Here we go on.
	rl_callback_handler_install(prompt, got_line);
}

// The first line of what was pasted at once; the others wait.
static char *take_first(char *text)
{
	char *end = text ? strchr(text, '\n') : NULL;

	if (!end)
		return text;
	*end = '\0';
	free(line.pasted);
	line.pasted = strdup(end + 1);
	return text;
}

static char *take_pasted(void)
{
	char *text = line.pasted;

	line.pasted = NULL;
	if (text && !*text) {
		free(text);
		return NULL;
	}
	return take_first(text);
}

enum source_state line_read(const char *prompt, char **ret)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = line.fd, .events = POLLIN } };
	enum source_state state = SOURCE_LINE;
	sigset_t usual;

	progress_end();
	*ret = take_pasted();
	if (*ret)
		return SOURCE_LINE;
	fflush(stdout);
	interrupt_forget();
	line.is_done = false;
	line.got = NULL;
	sigprocmask(SIG_SETMASK, NULL, &usual);
	interrupt_hold(&line.waiting);
	rl_callback_handler_install(prompt, got_line);
	while (!line.is_done) {
		int n = ppoll(fds, 2, NULL, &line.waiting);
		bool broken = n < 0 && errno != EINTR;

		if (interrupt_take_resize())
			rl_resize_terminal();
		if (interrupt_take_pause())
			pause_here(prompt);
		if (interrupt_came()) {
			rl_free_line_state();
			rl_callback_sigcleanup();
			rl_point = rl_end;
			rl_callback_handler_remove();
			fputs("^C\n", stdout);
			state = interrupt_end() ? SOURCE_END : SOURCE_INTERRUPTED;
			break;
		}
		if (broken) {
			rl_callback_handler_remove();
			state = SOURCE_END;
			break;
		}
		if (n > 0 && fds[1].revents)
			tell_above();
		if (n > 0 && fds[0].revents)
			line.key = take_key(fds[0].revents);
		if (line.key != NO_KEY)
			rl_callback_read_char();
	}
	sigprocmask(SIG_SETMASK, &usual, NULL);
	if (state != SOURCE_LINE) {
		free(line.got);
		return state;
	}
	if (!line.got) {
		putchar('\n');
		return SOURCE_END;
	}
	*ret = take_first(line.got);
	return SOURCE_LINE;
}

const char *line_history(size_t i)
{
	const HIST_ENTRY *entry = i < (size_t)history_length ? history_get(history_base + (int)i)
							     : NULL;

	return entry ? entry->line : NULL;
}

void line_remember(const char *text)
{
	size_t n = strlen(text);
	char *kept;

	// What completion left behind the last word makes no other line.
	while (n && strchr(" \t", text[n - 1]))
		n--;
	kept = line.remembers ? strndup(text, n) : NULL;
	if (kept)
		history_keep(kept);
	free(kept);
}

bool line_confirm(const char *question)
{
	char prompt[256], *answer;

	snprintf(prompt, sizeof(prompt), "%s (y or n) ", question);

	enum source_state state = line_read(prompt, &answer);

	// Who ends the input wants an end.
	if (state != SOURCE_LINE)
		return state == SOURCE_END;

	bool yes = *answer == 'y' || *answer == 'Y';

	free(answer);
	return yes;
}
