// SPDX-License-Identifier: MIT
// The text of /proc/TID/stat, status and syscall as fields.
// Numbers are parsed strictly: a field that does not fit makes the whole text refused.
#include "debugger/target/status.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool parse_number(const char **text, int base, uint64_t max, uint64_t *ret)
{
	char *end;

	while (**text == ' ' || **text == '\t')
		++*text;
	if (!isxdigit((unsigned char)**text))
		return false;
	errno = 0;
	*ret = strtoull(*text, &end, base);
	if (errno || end == *text || *ret > max)
		return false;
	*text = end;
	return true;
}

static bool skip_fields(const char **text, unsigned n)
{
	for (; n; n--) {
		*text += strspn(*text, " ");
		size_t length = strcspn(*text, " \n");

		if (!length)
			return false;
		*text += length;
	}
	return true;
}

enum { PROC_KTHREAD = 0x00200000 }; // PF_KTHREAD, field 9

bool status_parse_stat(const char *text, struct status_stat *ret)
{
	// The name may hold anything but NUL, ")" and newlines included: it ends at the last ")".
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	uint64_t parent, flags, cpu;

	memset(ret, 0, sizeof(*ret));
	if (!open || !close || close < open || close[1] != ' ')
		return false;

	size_t length = (size_t)(close - open - 1);

	if (length >= sizeof(ret->name))
		length = sizeof(ret->name) - 1;
	memcpy(ret->name, open + 1, length);
	text = close + 2;
	if (!isalpha((unsigned char)*text))
		return false;
	ret->state = *text++;
	// Fields are counted from 1; the state was the third.
	if (!parse_number(&text, 10, INT32_MAX, &parent) || !skip_fields(&text, 4) ||
	    !parse_number(&text, 10, UINT32_MAX, &flags) || !skip_fields(&text, 12) ||
	    !parse_number(&text, 10, UINT64_MAX, &ret->start_time) || !skip_fields(&text, 5) ||
	    !parse_number(&text, 10, UINT64_MAX, &ret->start_stack) || !skip_fields(&text, 10) ||
	    !parse_number(&text, 10, INT32_MAX, &cpu))
		return false;
	ret->parent = (pid_t)parent;
	ret->is_kernel_thread = flags & PROC_KTHREAD;
	ret->last_cpu = (int)cpu;
	return true;
}

static bool parse_id(const char *text, void *ret)
{
	uint64_t id;

	if (!parse_number(&text, 10, INT32_MAX, &id))
		return false;
	*(int32_t *)ret = (int32_t)id;
	return true;
}

// "7 1": one number per nested namespace, the innermost last.
static bool parse_innermost(const char *text, void *ret)
{
	uint64_t id;

	while (parse_number(&text, 10, INT32_MAX, &id))
		*(int32_t *)ret = (int32_t)id;
	return true;
}

static bool parse_four_ids(const char *text, void *ret)
{
	uint32_t *ids = ret;
	uint64_t id;

	for (int i = 0; i < 4; i++) {
		if (!parse_number(&text, 10, UINT32_MAX, &id))
			return false;
		ids[i] = (uint32_t)id;
	}
	return true;
}

static bool parse_set(const char *text, void *ret)
{
	return parse_number(&text, 16, UINT64_MAX, ret);
}

static bool parse_kilobytes(const char *text, void *ret)
{
	uint64_t kilobytes;

	if (!parse_number(&text, 10, UINT64_MAX / 1024, &kilobytes))
		return false;
	*(uint64_t *)ret = kilobytes * 1024;
	return true;
}

// "shstk wrss"
static bool parse_features(const char *text, void *ret)
{
	size_t line = strcspn(text, "\n");

	*(bool *)ret = memmem(text, line, "shstk", 5) != NULL;
	return true;
}

#define FIELDS(X)                                  \
	X("Tgid:", tgid, parse_id)                 \
	X("TracerPid:", tracer, parse_id)          \
	X("Uid:", uid, parse_four_ids)             \
	X("Gid:", gid, parse_four_ids)             \
	X("NStgid:", inner_pid, parse_innermost)   \
	X("NSpid:", inner_tid, parse_innermost)    \
	X("VmLck:", locked_bytes, parse_kilobytes) \
	X("SigPnd:", sig_pending, parse_set)       \
	X("ShdPnd:", shared_pending, parse_set)    \
	X("SigBlk:", sig_blocked, parse_set)       \
	X("SigIgn:", sig_ignored, parse_set)       \
	X("SigCgt:", sig_caught, parse_set)        \
	X("CapPrm:", cap_permitted, parse_set)     \
	X("CapEff:", cap_effective, parse_set)     \
	X("Seccomp:", seccomp, parse_id)           \
	X("x86_Thread_features:", shadow_stack, parse_features)

bool status_parse(const char *text, struct status *ret)
{
	static const struct {
		const char *key;
		size_t offset;
		bool (*parse)(const char *text, void *ret);
	} fields[] = {
#define X(key, member, parse) { key, offsetof(struct status, member), parse },
		FIELDS(X)
#undef X
	};

	memset(ret, 0, sizeof(*ret));
	// The kernel escapes newlines in the name, so no line is the program's own.
	while (*text) {
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			size_t length = strlen(fields[i].key);

			if (!strncmp(text, fields[i].key, length) &&
			    !fields[i].parse(text + length, (char *)ret + fields[i].offset))
				return false;
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	if (!ret->inner_pid)
		ret->inner_pid = ret->tgid;
	return ret->tgid != 0;
}

bool status_parse_syscall(const char *text, struct status_syscall *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!strncmp(text, "running", 7)) {
		ret->is_running = true;
		return true;
	}
	if (!strncmp(text, "-1 ", 3)) {
		ret->nr = -1;
		text += 3;
	} else {
		uint64_t nr;

		if (!parse_number(&text, 10, INT32_MAX, &nr))
			return false;
		ret->nr = (long)nr;
		for (int i = 0; i < 6; i++)
			if (!parse_number(&text, 16, UINT64_MAX, &ret->args[i]))
				return false;
	}
	return parse_number(&text, 16, UINT64_MAX, &ret->sp) &&
	       parse_number(&text, 16, UINT64_MAX, &ret->pc);
}
