// SPDX-License-Identifier: MIT
// Lines of "START SIZE name", both in hexadecimal.
#include "debugger/symbols/perf_map.h"

#include "debugger/base/cleanup.h"
#include "debugger/symbols/set.h"

#include <string.h>
#include <sys/stat.h>

enum { TEXT_MAX = 256 << 20 };

// Only the target's own word is taken: anyone can write a file of that name.
static bool is_theirs(const struct process *process, const struct stat *file)
{
	struct stat owner;

	return fstat(process->proc_fd, &owner) == 0 &&
	       (file->st_uid == owner.st_uid || file->st_uid == 0);
}

// The whole file; NULL: there is none that counts.
static char *read_text(struct process *process)
{
	struct thread_info info;
	struct stat file;
	char path[48];
	_cleanup_error_ struct dc_error *err = process_thread_info(process, process->pid, &info);

	if (err)
		return NULL;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", info.inner_pid ?: process->pid);

	_cleanup_close_ int fd = process_open_file(process, path, 0, 0);

	if (fd < 0 || fstat(fd, &file) < 0 || !is_theirs(process, &file) || file.st_size <= 0 ||
	    file.st_size > TEXT_MAX)
		return NULL;

	char *text = malloc((size_t)file.st_size + 1);
	size_t n = 0;
	ssize_t got = 1;

	while (text && n < (size_t)file.st_size && got > 0) {
		got = read(fd, text + n, (size_t)file.st_size - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (text)
		text[n] = '\0';
	return text;
}

static bool parse_line(char *line, struct perf_map_entry *ret)
{
	char *end;

	ret->start = strtoull(line, &end, 16);
	if (end == line || *end != ' ')
		return false;
	line = end;
	ret->size = strtoull(line, &end, 16);
	if (end == line || *end != ' ' || !end[1])
		return false;
	ret->name = end + 1;
	return true;
}

struct dc_error *perf_map_load(struct process *process, struct perf_map *ret)
{
	char *next, *text = read_text(process);
	size_t room = 1;

	*ret = (struct perf_map){ .text = text };
	if (!text)
		return NULL;
	for (const char *c = text; *c; c++)
		room += *c == '\n';
	ret->entries = calloc(room, sizeof(*ret->entries));
	if (!ret->entries) {
		perf_map_deinit(ret);
		return &dc_out_of_memory;
	}
	for (char *line = text; line; line = next) {
		next = strchr(line, '\n');
		// A last line without an end is still being written.
		if (!next)
			break;
		*next++ = '\0';
		if (parse_line(line, &ret->entries[ret->n]))
			ret->n++;
	}
	return NULL;
}

void perf_map_deinit(struct perf_map *map)
{
	free(map->entries);
	free(map->text);
	*map = (struct perf_map){ 0 };
}

bool perf_map_find(const struct perf_map *map, struct symbols *symbols, uint64_t addr,
		   const char **name, uint64_t *offset)
{
	for (size_t i = map->n; i > 0; i--) {
		const struct perf_map_entry *entry = &map->entries[i - 1];

		if (addr - entry->start >= entry->size)
			continue;
		*name = symbols_text(symbols, "%s", entry->name);
		*offset = addr - entry->start;
		return *name != NULL;
	}
	return false;
}
