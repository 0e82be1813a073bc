// SPDX-License-Identifier: MIT
// Reading the CPU limit of the leaf cgroup.
#include "runtime/sched/cgroup.h"
#include "runtime/base/print.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TEXT = 64 << 10, // of a /proc file; more is cut
	PATH = 4096,
	MIN_LIMITED =
		2, // with one P a limit below two CPUs would serialise what the limit lets overlap
};

bool gort__cgroup_parse_max(const char *text, struct cpu_limit *ret)
{
	char *end;

	if (!strncmp(text, "max", 3))
		return false;
	ret->quota = strtoll(text, &end, 10);
	if (end == text || *end != ' ')
		return false;
	ret->period = strtoll(end, NULL, 10);
	return ret->quota > 0 && ret->period > 0;
}

static const char *next_line(const char *s)
{
	const char *nl = strchr(s, '\n');

	return nl ? nl + 1 : s + strlen(s);
}

// Whether the comma-separated list of n bytes at s has the word cpu.
static bool lists_cpu(const char *s, size_t n)
{
	while (n) {
		const char *comma = memchr(s, ',', n);
		size_t len = comma ? (size_t)(comma - s) : n;
		if (len == 3 && !memcmp(s, "cpu", 3))
			return true;
		s += len;
		n -= len;
		if (comma)
			s++, n--;
	}
	return false;
}

static bool copy(char *to, size_t room, const char *from, size_t len)
{
	if (len >= room)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

int gort__cgroup_parse_self(const char *text, char *path, size_t n)
{
	int version = 0;

	// HIERARCHY:CONTROLLERS:PATH. The cpu controller is in one hierarchy only: where v1 has it,
	// v2 has not.
	for (const char *line = text; *line; line = next_line(line)) {
		const char *end = next_line(line);
		const char *list = strchr(line, ':');
		const char *at = list ? strchr(list + 1, ':') : NULL;
		size_t len;

		if (!at || at >= end)
			continue;
		len = (size_t)(end - at - 1);
		if (len && at[len] == '\n')
			len--;
		if (at == list + 1 && line[0] == '0') {
			if (version != 1 && copy(path, n, at + 1, len))
				version = 2;
		} else if (lists_cpu(list + 1, (size_t)(at - list - 1))) {
			if (copy(path, n, at + 1, len))
				version = 1;
		}
	}
	return version;
}

// Mount paths write space, tab, newline and backslash as \ooo.
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

bool gort__cgroup_parse_mounts(const char *text, int version, const char *path, char *dir, size_t n)
{
	// ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS... - TYPE SOURCE SUPEROPTIONS
	for (const char *line = text; *line; line = next_line(line)) {
		const char *end = next_line(line);
		const char *field[5];
		const char *s = line, *type, *super;
		char root[PATH], mount[PATH];
		size_t root_len;
		int i;

		for (i = 0; i < 5 && s < end; i++) {
			field[i] = s;
			s = memchr(s, ' ', (size_t)(end - s));
			if (!s)
				break;
			s++;
		}
		type = i == 5 ? strstr(s - 1, " - ") : NULL;
		if (!type || type >= end)
			continue;
		type += 3;
		if (strncmp(type, version == 2 ? "cgroup2 " : "cgroup ", version == 2 ? 8 : 7))
			continue;
		super = strchr(type + 8, ' ');
		if (version == 1 &&
		    (!super || super >= end ||
		     !lists_cpu(super + 1, (size_t)(end - super - 1 - (end[-1] == '\n')))))
			continue;
		if (!copy(root, sizeof(root), field[3], (size_t)(field[4] - field[3] - 1)) ||
		    !copy(mount, sizeof(mount), field[4], strcspn(field[4], " \n")))
			continue;
		unescape(root);
		unescape(mount);
		// In a container the mount shows a subtree: its root is taken off the path.
		root_len = strcmp(root, "/") ? strlen(root) : 0;
		if (strncmp(path, root, root_len) || (path[root_len] && path[root_len] != '/'))
			continue;
		return gort__format(dir, n, "%s%s", mount, path + root_len) < n;
	}
	return false;
}

int gort__default_procs(int cpus, const struct cpu_limit *limit)
{
	int64_t n;

	if (!limit || limit->quota <= 0 || limit->period <= 0)
		return cpus;
	n = (limit->quota + limit->period - 1) / limit->period;
	if (n < MIN_LIMITED)
		n = MIN_LIMITED;
	return n < cpus ? (int)n : cpus;
}

// ---- files --------------------------------------------------------------------------------------

static bool slurp(const char *path, char *buf, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return false;
	while (len < n - 1 && (got = read(fd, buf + len, n - 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	buf[len] = '\0';
	return true;
}

static int open_in(const char *dir, const char *name)
{
	char path[PATH + 64];

	gort__format(path, sizeof(path), "%s/%s", dir, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

void gort__cgroup_open(struct cgroup *cg)
{
	static char text[TEXT]; // once, at the start; too large for a stack
	char path[PATH], dir[PATH];
	int version;

	cg->max = cg->quota = cg->period = -1;
	if (!slurp("/proc/self/cgroup", text, sizeof(text)))
		return;
	version = gort__cgroup_parse_self(text, path, sizeof(path));
	if (!version || !slurp("/proc/self/mountinfo", text, sizeof(text)) ||
	    !gort__cgroup_parse_mounts(text, version, path, dir, sizeof(dir)))
		return;
	if (version == 2) {
		cg->max = open_in(dir, "cpu.max");
	} else {
		cg->quota = open_in(dir, "cpu.cfs_quota_us");
		cg->period = open_in(dir, "cpu.cfs_period_us");
	}
}

void gort__cgroup_close(struct cgroup *cg)
{
	const int fds[] = { cg->max, cg->quota, cg->period };

	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	cg->max = cg->quota = cg->period = -1;
}

static bool read_text(int fd, char *buf, size_t n)
{
	ssize_t len = fd < 0 ? -1 : pread(fd, buf, n - 1, 0);

	if (len <= 0)
		return false;
	buf[len] = '\0';
	return true;
}

bool gort__cgroup_read(const struct cgroup *cg, struct cpu_limit *ret)
{
	char buf[64];

	if (read_text(cg->max, buf, sizeof(buf)))
		return gort__cgroup_parse_max(buf, ret);
	if (!read_text(cg->quota, buf, sizeof(buf)))
		return false;
	ret->quota = strtoll(buf, NULL, 10);
	if (!read_text(cg->period, buf, sizeof(buf)))
		return false;
	ret->period = strtoll(buf, NULL, 10);
	return ret->quota > 0 && ret->period > 0;
}
