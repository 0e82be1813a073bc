// SPDX-License-Identifier: MIT
// The CPU limit of the process's leaf cgroup, v1 or v2.
#ifndef RUNTIME_SCHED_CGROUP_H
#define RUNTIME_SCHED_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Descriptors kept open from the start: a later chroot or unshare changes nothing. -1: none.
struct cgroup {
	int max; // v2: cpu.max
	int quota, period; // v1: cpu.cfs_quota_us, cpu.cfs_period_us
};

struct cpu_limit {
	int64_t quota, period; // us; quota <= 0: no limit
};

void gort__cgroup_open(struct cgroup *cg);
void gort__cgroup_close(struct cgroup *cg);
// False when there is no limit or it cannot be read.
bool gort__cgroup_read(const struct cgroup *cg, struct cpu_limit *ret);

// ---- the pure parts -----------------------------------------------------------------------------

// "QUOTA PERIOD\n" or "max PERIOD\n".
bool gort__cgroup_parse_max(const char *text, struct cpu_limit *ret);
// The path of the leaf that limits CPU time in the text of /proc/self/cgroup, and which version it
// is of; 0: none.
int gort__cgroup_parse_self(const char *text, char *path, size_t n);
// Where that path is mounted, from the text of /proc/self/mountinfo: the directory of the leaf.
bool gort__cgroup_parse_mounts(const char *text, int version, const char *path, char *dir,
			       size_t n);
// min(cpus, max(2, ceil(quota / period))); cpus without a limit.
int gort__default_procs(int cpus, const struct cpu_limit *limit);

#endif
