// SPDX-License-Identifier: MIT
// stdout and stderr as streams of ours, pages of a terminal, a log, and the command pipe.
#include "debugger/front/shell/output.h"

#include "debugger/front/interrupt.h"
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/progress.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static struct {
	struct shell *shell;
	FILE *out, *err; // as they were; NULL: they are
	FILE *log; // NULL: none
	unsigned row, column; // of the page
	bool is_page_off; // for the rest of the command
	bool is_in_escape; // a sequence for the terminal, which takes no room
} output;

// ---- pages ----------------------------------------------------------------------------------------

static void page_size(unsigned *rows, unsigned *columns)
{
	const struct settings *settings = &output.shell->settings;
	struct winsize size = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*rows = settings->height ? settings->height : size.ws_row;
	*columns = settings->width ? settings->width : size.ws_col;
	if (!*columns)
		*columns = 80;
}

static bool pages(void)
{
	// Who interrupts wants the prompt.
	return output.shell->at_terminal && output.shell->settings.paginates &&
	       !output.is_page_off && !interrupt_came();
}

static bool put(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t put = write(fd, text, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		text += put;
		n -= (size_t)put;
	}
	return true;
}

static int read_key(void)
{
	struct termios before, raw;
	char key = 'q';

	if (tcgetattr(STDIN_FILENO, &before))
		return key;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	// From here on Ctrl-C is a key.
	if (interrupt_came() || read(STDIN_FILENO, &key, 1) != 1)
		key = 'q';
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	return key;
}

static void end_page(void)
{
	static const char question[] = "-- more: Enter; all: c; no more: q --", gone[] = "\r\033[K";
	int key;

	put(STDOUT_FILENO, question, sizeof(question) - 1);
	do
		key = read_key();
	while (!strchr("\r\n cCqQ\003\004", key) || !key);
	put(STDOUT_FILENO, gone, sizeof(gone) - 1);
	output.row = 0;
	if (strchr("cC", key))
		output.is_page_off = true;
	else if (!strchr("\r\n ", key))
		output.shell->out->unwanted = true;
}

// How much of the text fits the page. *fills: the page ends there.
static size_t take_rows(const char *text, size_t n, unsigned rows, unsigned columns, bool *fills)
{
	*fills = false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (output.is_in_escape) {
			output.is_in_escape = !isalpha(c);
			continue;
		}
		if (c == '\033') {
			output.is_in_escape = true;
			continue;
		}
		if (c == '\n') {
			output.row++;
			output.column = 0;
		} else if (c == '\t') {
			output.column = (output.column | 7) + 1;
		} else if ((c & 0xc0) != 0x80 && output.column++ >= columns) {
			output.row++;
			output.column = 1;
		}
		if (output.row + 1 >= rows && rows > 1) {
			*fills = c == '\n';
			if (*fills)
				return i + 1;
		}
	}
	return n;
}

static bool put_pages(int fd, const char *text, size_t n)
{
	unsigned rows, columns;

	page_size(&rows, &columns);
	while (n && !output.shell->out->unwanted) {
		bool fills;
		size_t part = take_rows(text, n, rows, columns, &fills);

		if (!put(fd, text, part))
			return false;
		text += part;
		n -= part;
		if (fills && pages())
			end_page();
	}
	return true;
}

// ---- the streams ----------------------------------------------------------------------------------

static ssize_t take(int fd, const char *text, size_t n)
{
	bool good = true;

	if (output.log) {
		fwrite(text, 1, n, output.log);
		fflush(output.log);
	}
	if (output.log && output.shell->logging.redirects)
		return (ssize_t)n;
	progress_hide();
	good = pages() ? put_pages(fd, text, n) : put(fd, text, n);
	progress_show(n && text[n - 1] == '\n');
	return good ? (ssize_t)n : 0;
}

static ssize_t take_out(void *cookie, const char *text, size_t n)
{
	(void)cookie;
	return take(STDOUT_FILENO, text, n);
}

static ssize_t take_err(void *cookie, const char *text, size_t n)
{
	(void)cookie;
	return take(STDERR_FILENO, text, n);
}

void output_begin(struct shell *shell)
{
	FILE *out, *err;

	if (output.out)
		return;
	out = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = take_out });
	err = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = take_err });
	if (!out || !err) {
		if (out)
			fclose(out);
		if (err)
			fclose(err);
		return;
	}
	fflush(stdout);
	setvbuf(out, NULL, _IOFBF, 1 << 16);
	setvbuf(err, NULL, _IOLBF, 1 << 12);
	output.shell = shell;
	output.out = stdout;
	output.err = stderr;
	stdout = out;
	stderr = err;
}

void output_end(void)
{
	if (!output.out)
		return;

	FILE *out = stdout, *err = stderr;

	fflush(out);
	stdout = output.out;
	stderr = output.err;
	output.out = output.err = NULL;
	fclose(out);
	fclose(err);
	if (output.log)
		fclose(output.log);
	output.log = NULL;
}

void output_begin_command(void)
{
	if (!output.out)
		return;
	output.row = output.column = 0;
	output.is_page_off = false;
	output.shell->out->unwanted = false;
}

// ---- a log ----------------------------------------------------------------------------------------

static bool parse_flag(const char *text, bool *ret)
{
	*ret = !*text || !strcmp(text, "on");
	return *ret || !strcmp(text, "off");
}

static int begin_log(struct shell *shell)
{
	static const char usual[] = "debugcall.txt";
	const struct logging *logging = &shell->logging;
	const char *name = logging->file ? logging->file : usual;
	FILE *log = fopen(name, logging->overwrites ? "we" : "ae");

	if (!log)
		return report_message(shell->out, DC_USAGE, "cannot write %.200s: %s", name,
				      strerror(errno));
	output_begin(shell);
	fflush(stdout);
	if (output.log)
		fclose(output.log);
	output.log = log;
	if (!output.out)
		return report_memory(shell->out);
	report_note(shell->out, "what is said goes to %.200s%s", name,
		    logging->redirects ? " alone" : ", too");
	return 0;
}

static int end_log(struct shell *shell)
{
	fflush(stdout);
	if (output.log && fclose(output.log)) {
		output.log = NULL;
		return report_message(shell->out, DC_SYSTEM, "the log cannot be written: %s",
				      strerror(errno));
	}
	output.log = NULL;
	return 0;
}

int output_set_logging(struct shell *shell, const char *text)
{
	struct logging *logging = &shell->logging;
	size_t n = strcspn(text, " \t");
	const char *rest = text + n + strspn(text + n, " \t");
	bool flag;

	if (!strncmp(text, "file", n) && n == 4 && *rest) {
		free(logging->file);
		logging->file = strdup(rest);
		return logging->file ? 0 : report_memory(shell->out);
	}
	if (!strncmp(text, "overwrite", n) && n == 9 && parse_flag(rest, &flag)) {
		logging->overwrites = flag;
		return 0;
	}
	if (!strncmp(text, "redirect", n) && n == 8 && parse_flag(rest, &flag)) {
		logging->redirects = flag;
		return 0;
	}
	if (!strncmp(text, "enabled", n) && n == 7)
		text = rest;
	if (!parse_flag(text, &flag))
		return report_message(shell->out, DC_USAGE,
				      "logging wants on, off, file NAME, overwrite on or redirect "
				      "on, not '%.100s'",
				      text);
	return flag ? begin_log(shell) : end_log(shell);
}

int command_logging(struct dc_session *session, const struct words *words, struct records *out)
{
	const char *text = words->nr ? words->operands[0] : "on";
	struct logging *logging = &words->shell->logging;

	(void)session;
	if (!strcmp(text, "on") || !strcmp(text, "off"))
		return output_set_logging(words->shell, text);
	free(logging->file);
	logging->file = strdup(text);
	return logging->file ? begin_log(words->shell) : report_memory(out);
}

// ---- pipe -----------------------------------------------------------------------------------------

// The first bar that is no operator's and not quoted, or the delimiter that -d names.
static char *take_delimiter(char *text, char **command)
{
	if (!strncmp(text, "-d ", 3)) {
		char *delimiter = text + 3 + strspn(text + 3, " ");
		char *end = strchr(delimiter, ' '), *found;

		if (!end)
			return NULL;
		*end = '\0';
		*command = end + 1;
		found = strstr(*command, delimiter);
		if (!found)
			return NULL;
		*found = '\0';
		return found + strlen(delimiter);
	}
	*command = text;
	for (char *at = text, quote = 0; *at; at++) {
		if (quote) {
			at += *at == '\\' && at[1];
			quote = *at == quote ? 0 : quote;
		} else if (*at == '"' || *at == '\'') {
			quote = *at;
		} else if (*at == '|' && at[1] == '|') {
			at++;
		} else if (*at == '|') {
			*at = '\0';
			return at + 1;
		}
	}
	return NULL;
}

static pid_t start_reader(const char *command, int *fd)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	fflush(stdout);
	interrupt_hand_over(true);
	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		dup2(ends[0], STDIN_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	interrupt_hand_over(false);
	close(ends[0]);
	*fd = ends[1];
	if (pid < 0)
		close(ends[1]);
	return pid;
}

static int obey_into(struct shell *shell, const char *command, int fd)
{
	struct records *out = shell->out;
	bool unwanted = out->unwanted, page_off = output.is_page_off, coloured = text_is_coloured;
	int failure = out->failure, before = dup(STDOUT_FILENO);

	if (before < 0)
		return report_message(out, DC_SYSTEM, "no descriptor is left: %s", strerror(errno));
	output.is_page_off = true;
	text_is_coloured = false;
	dup2(fd, STDOUT_FILENO);

	int status = shell_obey(shell, command, false);

	fflush(stdout);
	// Who has read enough is no fault of the output's.
	clearerr(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	out->unwanted = unwanted;
	out->failure = failure;
	output.is_page_off = page_off;
	text_is_coloured = coloured;
	return status;
}

int command_pipe(struct dc_session *session, const struct words *words, struct records *out)
{
	char *text = strdup(words->operands[0]), *command, *reader;
	int fd = -1, how = 0, status;

	(void)session;
	if (!text)
		return report_memory(out);
	reader = take_delimiter(text, &command);
	if (!reader || !reader[strspn(reader, " \t")] || !command[strspn(command, " \t")]) {
		free(text);
		return report_message(out, DC_USAGE, "pipe wants COMMAND | SYSTEM'S COMMAND");
	}

	pid_t pid = start_reader(reader, &fd);

	if (pid < 0) {
		free(text);
		return report_message(out, DC_SYSTEM, "cannot run a shell: %s", strerror(errno));
	}
	status = obey_into(words->shell, command, fd);
	close(fd);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	free(text);
	if (!status && WIFEXITED(how) && WEXITSTATUS(how))
		status = report_message(out, DC_SYSTEM, "the shell ended with status %d",
					WEXITSTATUS(how));
	return status;
}
