// SPDX-License-Identifier: MIT
// The next line, whoever gives it, and the lines of a block.
#include "debugger/front/shell/source.h"

#include "debugger/front/report.h"
#include "debugger/front/shell/line.h"
#include "debugger/front/shell/shell.h"

#include <stdlib.h>
#include <string.h>

// A block within blocks without end is a mistake, not a program.
enum { LINES_MAX = 100 * 1000 };

bool lines_add(struct lines *lines, const char *text, int number)
{
	// Room doubles at each power of two.
	if (!(lines->n & (lines->n - 1))) {
		size_t room = lines->n ? 2 * lines->n : 1;
		char **texts = reallocarray(lines->text, room, sizeof(*texts));

		if (!texts)
			return false;
		lines->text = texts;

		int *numbers = reallocarray(lines->number, room, sizeof(*numbers));

		if (!numbers)
			return false;
		lines->number = numbers;
	}
	lines->text[lines->n] = strdup(text);
	lines->number[lines->n] = number;
	return lines->text[lines->n] && ++lines->n;
}

void lines_deinit(struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->text[i]);
	free(lines->text);
	free(lines->number);
	*lines = (struct lines){ 0 };
}

static enum source_state bad(char **ret, const char *why)
{
	*ret = strdup(why);
	return SOURCE_BAD;
}

// A backslash at its end joins the next line to it.
static enum source_state from_file(struct source *source, char **ret)
{
	enum { LINE_MAX_BYTES = 16 << 20 };
	char *whole = NULL, *part = NULL;
	size_t length = 0, room = 0;
	ssize_t n;

	*ret = NULL;
	for (;;) {
		n = getline(&part, &room, source->file);
		if (n < 0)
			break;
		source->line++;
		if (strlen(part) != (size_t)n) {
			free(whole);
			free(part);
			return bad(ret, "a NUL byte: this is no text");
		}
		if (n && part[n - 1] == '\n')
			part[--n] = '\0';
		if (n && part[n - 1] == '\r')
			part[--n] = '\0';

		bool more = n && part[n - 1] == '\\';
		char *longer = realloc(whole, length + (size_t)n + 1);

		if (!longer || length + (size_t)n > LINE_MAX_BYTES) {
			free(longer ? longer : whole);
			free(part);
			return bad(ret, "the line is too long");
		}
		whole = longer;
		memcpy(whole + length, part, (size_t)n + 1);
		length += (size_t)n;
		if (!more)
			break;
		whole[--length] = '\0';
	}
	free(part);
	if (!whole && ferror(source->file))
		return bad(ret, "cannot be read");
	*ret = whole;
	return whole ? SOURCE_LINE : SOURCE_END;
}

enum source_state source_next(struct shell *shell, struct source *source, bool in_block, char **ret)
{
	const char *text = NULL;

	*ret = NULL;
	if (source->is_terminal) {
		source->line++;
		return line_read(in_block ? ">" : shell->settings.prompt, ret);
	}
	if (source->file)
		return from_file(source, ret);
	if (source->lines && source->next < source->lines->n) {
		source->line = source->lines->number[source->next];
		text = source->lines->text[source->next++];
	} else if (source->text && !source->next++) {
		text = source->text;
	}
	if (!text)
		return SOURCE_END;
	*ret = strdup(text);
	return *ret ? SOURCE_LINE : SOURCE_BAD;
}

static bool is_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(text, word, n) && (!text[n] || text[n] == ' ' || text[n] == '\t');
}

static bool begins_block(const char *text)
{
	static const char *const words[] = { "if", "while", "define", "document", "commands" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (is_word(text, words[i]))
			return true;
	}
	return false;
}

int source_block(struct shell *shell, const char *what, struct lines *ret, struct lines *otherwise)
{
	struct source *source = shell->source;
	struct lines *into = ret;
	int began = source->line;
	unsigned depth = 0;
	char *line;

	for (;;) {
		enum source_state state = source_next(shell, source, true, &line);

		if (state == SOURCE_INTERRUPTED)
			return dc_code_status(DC_CANCELLED);
		if (state == SOURCE_END)
			return report_message(shell->out, DC_USAGE,
					      "%s, begun in line %d, has no end", what, began);
		if (state == SOURCE_BAD) {
			int status = line ? report_message(shell->out, DC_USAGE, "%s", line)
					  : report_memory(shell->out);

			free(line);
			return status;
		}

		const char *text = line + strspn(line, " \t");
		bool ends = is_word(text, "end"), splits = is_word(text, "else");

		if (ends && !depth) {
			free(line);
			return 0;
		}
		depth += begins_block(text);
		depth -= ends;
		if (splits && !depth && otherwise && into == ret) {
			into = otherwise;
		} else if (into->n > LINES_MAX || !lines_add(into, line, source->line)) {
			free(line);
			return report_memory(shell->out);
		}
		free(line);
	}
}
