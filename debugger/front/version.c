// SPDX-License-Identifier: MIT
// What the kernel allows is tried, on ourselves, rather than read from settings that may not say all.
#include "debugger/front/version.h"

#include "debugger/debugcall.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef DC_COMMIT
#define DC_COMMIT ""
#endif

// The setting's number; -1: this kernel has none.
static int setting(const char *path)
{
	FILE *in = fopen(path, "re");
	int number = -1;

	if (!in)
		return -1;
	if (fscanf(in, "%d", &number) != 1)
		number = -1;
	fclose(in);
	return number;
}

static void say_attempt(struct records *out, const char *name, int fd)
{
	if (fd < 0)
		record_format(out, name, "no: %s", strerror(errno));
	else
		record_text(out, name, "yes");
	if (fd >= 0)
		close(fd);
}

static int try_breakpoint(void)
{
	static int here;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&here,
		.bp_len = HW_BREAKPOINT_LEN_4,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.disabled = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static int try_samples(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr),
		.sample_period = 1000 * 1000,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.disabled = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

// A task iterator is what stacks are read by: a tracing program, which a map alone does not promise;
// but who may not have the one has not the other.
static int try_bpf(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static const char *yama(int scope)
{
	switch (scope) {
	case -1: return "not there: processes of the same user may be attached to";
	case 0: return "0: processes of the same user may be attached to";
	case 1: return "1: only children, unless with CAP_SYS_PTRACE";
	case 2: return "2: only with CAP_SYS_PTRACE";
	default: return "3: no process may be attached to";
	}
}

int version_say(struct records *out)
{
	struct utsname system = { 0 };
	const char *name;

	uname(&system);
	record_begin(out, "version");
	record_text(out, "version", DC_VERSION);
	if (*DC_COMMIT)
		record_text(out, "commit", DC_COMMIT);
	else
		record_none(out, "commit");
	record_list(out, "hosts");
	for (int host = DC_HOST_AUTO + 1; (name = dc_host_name((enum dc_host)host)); host++)
		record_text(out, NULL, name);
	record_close(out);
	record_format(out, "kernel", "%s %s %s", system.sysname, system.release, system.machine);
	say_attempt(out, "breakpoints", try_breakpoint());
	say_attempt(out, "samples", try_samples());
	say_attempt(out, "bpf", access("/sys/kernel/btf/vmlinux", R_OK) ? -1 : try_bpf());
	record_integer(out, "perf_event_paranoid", setting("/proc/sys/kernel/perf_event_paranoid"));
	record_text(out, "yama", yama(setting("/proc/sys/kernel/yama/ptrace_scope")));
	record_end(out);
	return 0;
}
