// SPDX-License-Identifier: MIT
// Which command a line of the shell begins with: by its whole name, an alias, a unique beginning,
// and which one may have been meant.
#include "debugger/front/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 48 };

const char *command_name(const struct command *command, size_t i)
{
	if (!i)
		return command->name;
	return i <= sizeof(command->aliases) / sizeof(*command->aliases) ? command->aliases[i - 1]
									 : NULL;
}

static size_t word_length(const char *text)
{
	size_t n = 0;

	if (strchr("!#|", *text) && *text)
		return 1;
	while (isalnum((unsigned char)text[n]) || text[n] == '_' || (n && text[n] == '-'))
		n++;
	return n;
}

static size_t blanks(const char *text)
{
	return strspn(text, " \t");
}

size_t command_distance(const char *a, const char *b, size_t limit)
{
	size_t row[WORD_MAX + 1], n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX || (n > m ? n - m : m - n) > limit)
		return limit + 1;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t changed = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j - 1] + 1 < changed)
				changed = row[j - 1] + 1;
			if (row[j] + 1 < changed)
				changed = row[j] + 1;
			row[j] = changed;
		}
	}
	return row[m] > limit ? limit + 1 : row[m];
}

// The part of a name that a word of the line stands for: its first word, or the one behind a group.
struct search {
	const char *word;
	size_t length;
	const char *group; // NULL: first words are meant
	size_t group_length;
	struct command_match *ret;
	size_t best; // the nearest one's distance
	bool stands_alone; // a name is this one word
};

static bool is_of_group(const struct search *search, const char *name)
{
	return !strncmp(name, search->group, search->group_length) &&
	       name[search->group_length] == ' ';
}

// False: another name has begun with the same word.
static bool add_candidate(struct command_match *ret, const char *part, size_t length,
			  const char *name)
{
	for (size_t i = 0; i < ret->nr_candidates && i < 8; i++) {
		if (!strncmp(ret->candidates[i], part, length) &&
		    (!ret->candidates[i][length] || ret->candidates[i][length] == ' '))
			return false;
	}
	if (ret->nr_candidates < 8)
		ret->candidates[ret->nr_candidates] = name;
	ret->nr_candidates++;
	return true;
}

static void consider(struct search *search, const struct command *command, const char *name)
{
	const char *part = search->group ? name + search->group_length + 1 : name;
	size_t length = strcspn(part, " ");
	struct command_match *ret = search->ret;
	char copy[WORD_MAX], word[WORD_MAX];

	if (!strncmp(part, search->word, search->length)) {
		bool whole = length == search->length;

		if (whole && !part[length]) {
			ret->command = command;
			ret->is_exact = true;
			return;
		}
		// Two names of one command are no ambiguity.
		if (!ret->is_exact && !(ret->nr_candidates == 1 && ret->command == command)) {
			// "frame" is one beside "frame apply".
			if (add_candidate(ret, part, length, part))
				ret->command = NULL;
			if (ret->nr_candidates == 1 && !part[length])
				ret->command = command;
		}
		return;
	}
	if (length >= WORD_MAX || search->length >= WORD_MAX)
		return;
	memcpy(copy, part, length);
	copy[length] = '\0';
	memcpy(word, search->word, search->length);
	word[search->length] = '\0';

	size_t limit = search->length > 5 ? 2 : 1, distance = command_distance(word, copy, limit);

	if (search->length > 2 && distance <= limit && distance < search->best) {
		search->best = distance;
		ret->nearest = name;
	}
}

static void search_all(struct search *search)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)); i++) {
		const char *name;

		if (command->only_command_line)
			continue;
		for (size_t k = 0; (name = command_name(command, k)); k++) {
			if (!search->group || is_of_group(search, name))
				consider(search, command, name);
		}
	}
}

// The group that the word names or begins, alone of all first words; NULL: none.
static const char *group_of(const char *word, size_t length, size_t *ret)
{
	const struct command *command;
	const char *found = NULL;

	for (size_t i = 0; (command = command_at(i)); i++) {
		const char *name = command->name, *blank = strchr(name, ' ');

		if (!blank || strncmp(name, word, length) != 0 || (size_t)(blank - name) < length)
			continue;
		*ret = (size_t)(blank - name);
		if (*ret == length)
			return name;
		if (found && strncmp(found, name, *ret + 1) != 0)
			return NULL;
		found = name;
	}
	return found;
}

// "thread apply" is a command beside "thread". Where a function's name may follow, the second word
// is not shortened.
static void match_second(const char *line, size_t length, struct command_match *ret)
{
	const char *group = ret->command->name;
	size_t group_length = strlen(group), at = length + blanks(line + length);
	size_t second = word_length(line + at), whole;
	struct command_match found = { .length = at + second };
	struct search search = { .word = line + at,
				 .length = second,
				 .group = group,
				 .group_length = group_length,
				 .ret = &found,
				 .best = SIZE_MAX };

	if (!second || !group_of(group, group_length, &whole) || whole != group_length)
		return;
	search_all(&search);
	if (found.command && (found.is_exact || ret->command->complete != COMPLETE_FUNCTION))
		*ret = found;
}

void command_match(const char *line, struct command_match *ret)
{
	size_t length = word_length(line), group_length;
	struct search search = { .word = line, .length = length, .ret = ret, .best = SIZE_MAX };

	*ret = (struct command_match){ .length = length };
	if (!length)
		return;
	search_all(&search);
	if (ret->command) {
		match_second(line, length, ret);
		return;
	}

	bool is_info = length == 1 && *line == 'i';
	const char *group = group_of(is_info ? "info" : line, is_info ? 4 : length, &group_length);

	if (!group || (ret->nr_candidates > 1 && !is_info && group_length != length))
		return;

	size_t at = length + blanks(line + length);
	size_t second = word_length(line + at);

	*ret = (struct command_match){ .length = second ? at + second : length,
				       .is_group = true,
				       .second_length = second };
	snprintf(ret->group, sizeof(ret->group), "%.*s", (int)group_length, group);
	search = (struct search){ .word = line + at,
				  .length = second,
				  .group = group,
				  .group_length = group_length,
				  .ret = ret,
				  .best = SIZE_MAX };
	if (second)
		search_all(&search);
}
