// SPDX-License-Identifier: MIT
// The mappings of a target, from /proc/PID/maps.
// The kernel hands the text out page by page while the target maps and unmaps, so order is checked.
#include "debugger/target/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// "start-end perms offset major:minor inode   path"
static bool parse_number(char **text, int base, uint64_t max, char after, uint64_t *ret)
{
	char *end;

	// strtoull takes a sign, spaces and 0x; the kernel writes none of them.
	if (!((**text >= '0' && **text <= '9') || (base == 16 && **text >= 'a' && **text <= 'f')))
		return false;
	errno = 0;
	*ret = strtoull(*text, &end, base);
	if (errno || *ret > max || *end != after)
		return false;
	*text = end + 1;
	return true;
}

static bool parse_flag(char c, char set, char clear, bool *ret)
{
	*ret = c == set;
	return c == set || c == clear;
}

// A newline in a path is written \012; nothing else is escaped.
static void unescape(char *path)
{
	char *out = path;

	while (*path) {
		if (!strncmp(path, "\\012", 4)) {
			*out++ = '\n';
			path += 4;
		} else {
			*out++ = *path++;
		}
	}
	*out = '\0';
}

static bool parse_line(char *line, struct mapping *ret)
{
	static const char deleted[] = " (deleted)";
	uint64_t major, minor;

	if (!parse_number(&line, 16, UINT64_MAX, '-', &ret->start) ||
	    !parse_number(&line, 16, UINT64_MAX, ' ', &ret->end) || ret->start >= ret->end)
		return false;
	if (strnlen(line, 5) < 5 || line[4] != ' ' ||
	    !parse_flag(line[0], 'r', '-', &ret->readable) ||
	    !parse_flag(line[1], 'w', '-', &ret->writable) ||
	    !parse_flag(line[2], 'x', '-', &ret->executable) ||
	    !parse_flag(line[3], 's', 'p', &ret->shared))
		return false;
	line += 5;
	if (!parse_number(&line, 16, UINT64_MAX, ' ', &ret->offset) ||
	    !parse_number(&line, 16, UINT32_MAX, ':', &major) ||
	    !parse_number(&line, 16, UINT32_MAX, ' ', &minor))
		return false;

	// Lines without a path end at the inode, with or without trailing spaces.
	char *inode_end = line + strspn(line, "0123456789");
	char stopper = *inode_end;

	if (stopper && stopper != ' ')
		return false;
	if (!parse_number(&line, 10, UINT64_MAX, stopper, &ret->inode))
		return false;

	char *path = inode_end + strspn(inode_end, " ");
	size_t length = strlen(path);

	ret->dev_major = (uint32_t)major;
	ret->dev_minor = (uint32_t)minor;
	ret->deleted = length > strlen(deleted) &&
		       !strcmp(path + length - strlen(deleted), deleted);
	if (ret->deleted)
		path[length - strlen(deleted)] = '\0';
	unescape(path);
	ret->path = path;
	return true;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	while (*text) {
		text += strcspn(text, "\n");
		text += *text == '\n';
		n++;
	}
	return n;
}

enum parsed { PARSED, PARSED_TORN, PARSED_GARBAGE, PARSED_NO_MEMORY };

static enum parsed parse(char *text, struct maps *ret)
{
	*ret = (struct maps){ .text = text };
	ret->map = calloc(count_lines(text) + 1, sizeof(*ret->map));
	if (!ret->map)
		return PARSED_NO_MEMORY;
	while (*text) {
		char *line = text;
		struct mapping *mapping = &ret->map[ret->n];

		text += strcspn(text, "\n");
		if (*text)
			*text++ = '\0';
		if (!parse_line(line, mapping))
			return PARSED_GARBAGE;
		if (ret->n && mapping->start < mapping[-1].end)
			return PARSED_TORN;
		ret->n++;
	}
	return PARSED;
}

struct dc_error *maps_parse(char *text, struct maps *ret)
{
	enum parsed parsed = parse(text, ret);

	if (parsed == PARSED)
		return NULL;
	maps_deinit(ret);
	if (parsed == PARSED_NO_MEMORY)
		return &dc_out_of_memory;
	return error_make(DC_SYSTEM, "the list of mappings is not one that a kernel writes");
}

struct dc_error *maps_read(const struct process *process, struct maps *ret)
{
	// A mapping that was merged or split between two pages of the text shows as an overlap.
	enum { TRIES = 16 };

	for (int i = 0; i < TRIES; i++) {
		char *text;
		size_t size;
		struct dc_error *err = process_read_file(process, "maps", &text, &size);

		if (err)
			return err;

		enum parsed parsed = parse(text, ret);

		if (parsed == PARSED && ret->n)
			return NULL;
		maps_deinit(ret);
		if (parsed == PARSED_NO_MEMORY)
			return &dc_out_of_memory;
		if (parsed == PARSED)
			return error_in_state(error_make(DC_TARGET_ENDED,
							 "process %d (%s) has ended", process->pid,
							 process->name),
					      DC_STATE_ENDED);
		if (parsed == PARSED_GARBAGE)
			break;
	}
	return error_make(DC_SYSTEM, "cannot make sense of /proc/%d/maps", process->pid);
}

void maps_deinit(struct maps *maps)
{
	free(maps->map);
	free(maps->text);
	*maps = (struct maps){ 0 };
}

const struct mapping *maps_find(const struct maps *maps, uint64_t addr)
{
	size_t low = 0, high = maps->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr < maps->map[middle].start)
			high = middle;
		else if (addr >= maps->map[middle].end)
			low = middle + 1;
		else
			return &maps->map[middle];
	}
	return NULL;
}
