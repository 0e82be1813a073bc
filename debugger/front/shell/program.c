// SPDX-License-Identifier: MIT
// What the process and its program are made of: libraries, mappings, files, signals, names.
#include "debugger/front/report.h"
#include "debugger/front/shell/handlers.h"
#include "debugger/front/shell/shell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct listing {
	struct records *out;
	regex_t *regex; // NULL: all
	size_t n;
};

static int nothing(struct records *out, const struct listing *listing, const char *what)
{
	if (!listing->n)
		report_note(out, "no %s", what);
	return 0;
}

static bool show_module(const struct dc_module *module, void *arg)
{
	struct listing *listing = arg;

	if (listing->regex && regexec(listing->regex, module->path, 0, NULL, 0))
		return true;
	listing->n++;
	record_begin(listing->out, "module");
	record_address(listing->out, "start", module->start);
	record_address(listing->out, "end", module->end);
	record_flag(listing->out, "debug", module->has_debug);
	record_text(listing->out, "path",
		    module->path && *module->path ? module->path : module->name);
	record_text(listing->out, "problem", module->problem);
	record_end(listing->out);
	return !listing->out->unwanted;
}

int command_info_sharedlibrary(struct dc_session *session, const struct words *words,
			       struct records *out)
{
	struct listing listing = { .out = out };
	regex_t regex;

	if (words->nr && regcomp(&regex, words->operands[0], REG_EXTENDED | REG_NOSUB))
		return report_message(out, DC_USAGE, "'%.100s' is no regular expression",
				      words->operands[0]);
	listing.regex = words->nr ? &regex : NULL;

	struct dc_error *err = dc_modules(session, show_module, &listing);

	if (words->nr)
		regfree(&regex);
	return err ? report_failure(out, NULL, err) : nothing(out, &listing, "library matches");
}

static bool show_mapping(const struct dc_mapping *mapping, void *arg)
{
	struct listing *listing = arg;

	record_begin(listing->out, "mapping");
	record_address(listing->out, "start", mapping->start);
	record_address(listing->out, "end", mapping->end);
	record_count(listing->out, "size", mapping->end - mapping->start);
	record_format(listing->out, "access", "%c%c%c%c", mapping->readable ? 'r' : '-',
		      mapping->writable ? 'w' : '-', mapping->executable ? 'x' : '-',
		      mapping->shared ? 's' : 'p');
	record_address(listing->out, "offset", mapping->offset);
	record_format(listing->out, "path", "%s%s", mapping->path,
		      mapping->deleted ? " (deleted)" : "");
	record_end(listing->out);
	return !listing->out->unwanted;
}

int command_info_mappings(struct dc_session *session, const struct words *words,
			  struct records *out)
{
	struct listing listing = { .out = out };
	struct dc_error *err = dc_mappings(session, show_mapping, &listing);

	(void)words;
	return err ? report_failure(out, NULL, err) : 0;
}

static bool show_variable(const struct dc_variable *variable, void *arg)
{
	struct listing *listing = arg;

	listing->n++;
	record_begin(listing->out, "global");
	record_text(listing->out, "name", variable->name);
	record_text(listing->out, "declaration", variable->declaration);
	if (variable->addr)
		record_address(listing->out, "address", variable->addr);
	else
		record_none(listing->out, "address");
	record_text(listing->out, "module", variable->module);
	if (variable->file) {
		record_text(listing->out, "file", variable->file);
		record_integer(listing->out, "line", variable->line);
	}
	record_end(listing->out);
	return !listing->out->unwanted;
}

int command_info_variables(struct dc_session *session, const struct words *words,
			   struct records *out)
{
	struct listing listing = { .out = out };
	struct dc_error *err = dc_variables(session, words->nr ? words->operands[0] : NULL,
					    show_variable, &listing);

	return err ? report_failure(out, NULL, err) : nothing(out, &listing, "variable matches");
}

static bool show_type(const char *name, void *arg)
{
	struct listing *listing = arg;

	listing->n++;
	record_begin(listing->out, "type");
	record_text(listing->out, "name", name);
	record_end(listing->out);
	return !listing->out->unwanted;
}

int command_info_types(struct dc_session *session, const struct words *words, struct records *out)
{
	struct listing listing = { .out = out };
	struct dc_error *err = dc_types(session, words->nr ? words->operands[0] : NULL, show_type,
					&listing);

	return err ? report_failure(out, NULL, err) : nothing(out, &listing, "type matches");
}

// ---- the process, as /proc shows it ---------------------------------------------------------------

static bool read_text(pid_t pid, const char *name, char *ret, size_t size, size_t *n)
{
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	got = read(fd, ret, size - 1);
	close(fd);
	*n = got > 0 ? (size_t)got : 0;
	ret[*n] = '\0';
	return got >= 0;
}

static void say_link(struct records *out, pid_t pid, const char *name, const char *as)
{
	char path[64], target[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);

	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return;
	target[n] = '\0';
	record_text(out, as, target);
}

// A field of /proc/PID/status; NULL: it has none of that name.
static const char *status_field(const char *status, const char *name, char *ret, size_t size)
{
	size_t n = strlen(name);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " \t");
		snprintf(ret, size, "%.*s", (int)strcspn(line, "\n"), line);
		return ret;
	}
	return NULL;
}

static int gone(struct records *out, pid_t pid)
{
	return report_message(out, DC_TARGET_ENDED, "process %d is gone", pid);
}

int command_info_proc(struct dc_session *session, const struct words *words, struct records *out)
{
	static const char *const fields[][2] = {
		{ "State", "state" },	{ "PPid", "parent" },	  { "Uid", "uids" },
		{ "Gid", "gids" },	{ "Threads", "threads" }, { "VmRSS", "resident" },
		{ "VmSize", "mapped" }, { "Seccomp", "seccomp" }, { "TracerPid", "tracer" },
	};
	pid_t pid = words->shell->pid;
	char command[4096], status[8192], value[256];
	size_t n;

	if (words->nr && !strcmp(words->operands[0], "mappings"))
		return command_info_mappings(session, words, out);
	if (words->nr)
		return report_message(out, DC_USAGE, "info proc wants mappings, or nothing");
	if (!read_text(pid, "status", status, sizeof(status), &n))
		return gone(out, pid);
	record_begin(out, "process");
	record_integer(out, "process", pid);
	if (read_text(pid, "cmdline", command, sizeof(command), &n)) {
		for (size_t i = 0; i + 1 < n; i++)
			command[i] = command[i] ? command[i] : ' ';
		record_text(out, "command", command);
	}
	say_link(out, pid, "cwd", "directory");
	say_link(out, pid, "exe", "program");
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (status_field(status, fields[i][0], value, sizeof(value)))
			record_text(out, fields[i][1], value);
	}
	record_end(out);
	return 0;
}

int command_info_signals(struct dc_session *session, const struct words *words, struct records *out)
{
	static const char *const names[] = { "SigCgt", "SigIgn", "SigBlk", "ShdPnd" };
	uint64_t sets[4] = { 0 };
	char status[8192], value[64];
	size_t n;

	(void)session;
	if (!read_text(words->shell->pid, "status", status, sizeof(status), &n))
		return gone(out, words->shell->pid);
	for (size_t i = 0; i < 4; i++) {
		if (status_field(status, names[i], value, sizeof(value)))
			sets[i] = strtoull(value, NULL, 16);
	}
	for (int signo = 1; signo <= SIGRTMAX; signo++) {
		uint64_t bit = UINT64_C(1) << (signo - 1);
		const char *name = sigabbrev_np(signo);

		// Of the many without names only those that something is done about.
		if (!name && !((sets[0] | sets[1] | sets[2] | sets[3]) & bit))
			continue;
		record_begin(out, "signal");
		record_integer(out, "number", signo);
		if (name)
			record_format(out, "name", "SIG%s", name);
		else
			record_format(out, "name", "SIG%d", signo);
		record_text(out, "action",
			    sets[0] & bit   ? "handler"
			    : sets[1] & bit ? "ignored"
					    : "default");
		record_flag(out, "blocked", sets[2] & bit);
		record_flag(out, "pending", sets[3] & bit);
		record_text(out, "description", sigdescr_np(signo));
		record_end(out);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int command_info_files(struct dc_session *session, const struct words *words, struct records *out)
{
	pid_t pid = words->shell->pid;
	char path[64];
	int *fds = NULL;
	size_t n = 0;

	(void)session;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);

	DIR *directory = opendir(path);

	if (!directory)
		return errno == ENOENT ? gone(out, pid)
				       : report_message(out, DC_SYSTEM, "cannot read %s: %s", path,
							strerror(errno));
	for (struct dirent *entry; (entry = readdir(directory));) {
		int *more = *entry->d_name == '.' ? NULL : reallocarray(fds, n + 1, sizeof(*more));

		if (!more)
			continue;
		fds = more;
		fds[n++] = atoi(entry->d_name);
	}
	closedir(directory);
	if (n)
		qsort(fds, n, sizeof(*fds), compare);
	for (size_t i = 0; i < n && !out->unwanted; i++) {
		char name[32];

		snprintf(name, sizeof(name), "fd/%d", fds[i]);
		record_begin(out, "file");
		record_integer(out, "number", fds[i]);
		say_link(out, pid, name, "target");
		record_end(out);
	}
	free(fds);
	return 0;
}
