// SPDX-License-Identifier: MIT
// Why the kernel would refuse an attach, found without trying one.
// Opening /proc/PID/mem for writing passes the very check that attaching does and stops nothing.
#include "debugger/target/permission.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/process.h"
#include "debugger/target/status.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_user(const struct permission_facts *facts)
{
	for (int i = 0; i < 3; i++)
		if (facts->uid[i] != facts->our_uid || facts->gid[i] != facts->our_gid)
			return false;
	return true;
}

#define CANNOT(cause, ...)                                                                         \
	error_make(DC_ATTACH, "cannot attach to process %d (%s): " cause, facts->pid, facts->name, \
		   ##__VA_ARGS__)

static struct dc_error *judge_yama(const struct permission_facts *facts)
{
	switch (facts->yama) {
	case 1:
		if (facts->is_descendant)
			return NULL;
		return CANNOT("Yama lets a process be attached to only by its ancestors "
			      "(kernel.yama.ptrace_scope is 1); run debugcall as root, or "
			      "sysctl kernel.yama.ptrace_scope=0");
	case 2:
		return CANNOT("Yama wants CAP_SYS_PTRACE (kernel.yama.ptrace_scope is 2); run "
			      "debugcall as root, or sysctl kernel.yama.ptrace_scope=0");
	default: return NULL;
	}
}

bool permission_is_translator(const char *path)
{
	static const char *const machines[] = { "aarch64", "alpha", "arm",    "cris",  "hexagon",
						"hppa",	   "i386",  "loong",  "m68k",  "microblaze",
						"mips",	   "or1k",  "ppc",    "riscv", "s390x",
						"sh4",	   "sparc", "x86_64", "xtensa" };
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	// /usr/libexec/valgrind/memcheck-amd64-linux
	if (strstr(path, "/valgrind/") && strstr(name, "-linux"))
		return true;
	if (strncmp(name, "qemu-", 5) != 0)
		return false;
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		if (!strncmp(name + 5, machines[i], strlen(machines[i])))
			return true;
	return false;
}

struct dc_error *permission_judge(const struct permission_facts *facts)
{
	if (facts->tracer)
		return CANNOT(
			"it is already traced by process %d (%s); detach or end that one first",
			facts->tracer, facts->tracer_name);
	if (facts->shadow_stack)
		return error_make(
			DC_REFUSED,
			"process %d (%s) runs with a user shadow stack, on which injected "
			"calls are not supported; start it with "
			"GLIBC_TUNABLES=glibc.cpu.hwcaps=-SHSTK",
			facts->pid, facts->name);
	if (facts->translator)
		return error_make(
			DC_REFUSED,
			"process %d (%s) is run by %s, which translates its code: what is "
			"called would run beside that, on no stack of the program's; %s",
			facts->pid, facts->name, facts->translator,
			strncmp(facts->translator, "qemu-", 5)
				? "gdb's \"target remote | vgdb\" calls inside of it"
				: "start it with qemu's -g and use gdb's target remote");
	if (facts->opens && facts->frozen)
		return error_make(DC_REFUSED,
				  "process %d (%s) is frozen by its cgroup, as a paused container "
				  "is, and would not run a call; thaw it first (docker unpause, "
				  "systemctl thaw)",
				  facts->pid, facts->name);
	if (facts->opens)
		return NULL;
	if (facts->yama == 3)
		return CANNOT("Yama forbids every attach (kernel.yama.ptrace_scope is 3) until the "
			      "next boot; set another value in /etc/sysctl.d and reboot");
	if (facts->have_ptrace && !facts->same_user_namespace)
		return CANNOT(
			"it lives in a user namespace where CAP_SYS_PTRACE does not reach; run "
			"debugcall in the namespace that started it, or inside it (nsenter -U)");
	if (!facts->have_ptrace && facts->our_uid == 0)
		return CANNOT("root has no CAP_SYS_PTRACE here, as in most containers; start the "
			      "container with --cap-add=SYS_PTRACE, or run debugcall on the host");
	if (!facts->have_ptrace && !same_user(facts)) {
		char number[16];

		snprintf(number, sizeof(number), "%u", facts->uid[0]);
		return CANNOT("it runs as user %s and debugcall as user %u; run debugcall as that "
			      "user or as root",
			      facts->user ? facts->user : number, facts->our_uid);
	}
	if (!facts->have_ptrace && facts->more_capable)
		return CANNOT(
			"it holds capabilities that debugcall does not; run debugcall as root");
	if (!facts->have_ptrace && !facts->is_dumpable)
		return CANNOT("it is not dumpable (a set-uid program, an unreadable one, or "
			      "PR_SET_DUMPABLE 0); run debugcall as root");
	if (!facts->have_ptrace) {
		struct dc_error *err = judge_yama(facts);

		if (err)
			return err;
	}
	return CANNOT("the kernel denies it, by a security module (SELinux, AppArmor, Landlock) or "
		      "because the process is ending; the kernel log tells which");
}

enum { CAP_PTRACE = 19 }; // CAP_SYS_PTRACE, without libcap's header

static bool same_namespace(const struct process *process, const char *which)
{
	char path[32];
	struct stat theirs, ours;

	snprintf(path, sizeof(path), "ns/%s", which);
	// Not even readable: then opening was denied for a reason that says more.
	if (fstatat(process->proc_fd, path, &theirs, 0) < 0)
		return true;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", which);
	return stat(path, &ours) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

static bool read_status(const struct process *process, const char *path, struct status *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	_cleanup_error_ struct dc_error *err = process_read_file(process, path, &text, &size);

	return !err && status_parse(text, ret);
}

static char *read_path(const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		return NULL;
	buf[n] = '\0';
	return buf;
}

static bool descends_from_us(pid_t pid)
{
	// Bounded, because parents may change while we climb.
	for (int i = 0; i < 1024 && pid > 1; i++) {
		char path[32], text[1024];
		struct status_stat stat;

		if (pid == getpid())
			return true;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		if (!read_path(path, text, sizeof(text)) || !status_parse_stat(text, &stat))
			return false;
		pid = stat.parent;
	}
	return false;
}

// Of the first thread: whoever traces a process traces that one. Others are passed over one by one
// when it comes to stopping them. A tracer of this very process does not count.
static void find_tracer(const struct process *process, struct permission_facts *facts,
			char name[16])
{
	char path[48], text[8192];
	struct status status;
	struct status_stat stat;

	if (!read_status(process, "status", &status))
		return;
	facts->shadow_stack = status.shadow_stack;
	if (!status.tracer)
		return;
	// The kernel names the tracing thread; users know processes.
	snprintf(path, sizeof(path), "/proc/%d/status", status.tracer);
	if (!read_path(path, text, sizeof(text)) || !status_parse(text, &status) ||
	    status.tgid == getpid())
		return;
	facts->tracer = status.tgid;
	snprintf(path, sizeof(path), "/proc/%d/stat", status.tgid);
	if (read_path(path, text, sizeof(text)) && status_parse_stat(text, &stat))
		memcpy(name, stat.name, sizeof(stat.name));
}

// A frozen process stops for a debugger, but runs nothing for it. Version 2 of cgroups only: with
// version 1 its threads are in an uninterruptible sleep.
static bool is_frozen(const struct process *process)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	_cleanup_free_ char *text = NULL;
	size_t size;
	_cleanup_error_ struct dc_error *err = process_read_file(process, "cgroup", &text, &size);
	const char *line = err ? NULL : strstr(text, "0::/");

	if (!line || (line != text && line[-1] != '\n'))
		return false;
	line += strlen("0::");
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		char path[4200], events[256];

		snprintf(path, sizeof(path), "%s%.*s/cgroup.events", mounts[i],
			 (int)strcspn(line, "\n"), line);
		if (read_path(path, events, sizeof(events)))
			return strstr(events, "frozen 1");
	}
	return false;
}

// Its name, in path.
static const char *find_translator(const struct process *process, char *path, size_t size)
{
	ssize_t n = readlinkat(process->proc_fd, "exe", path, size - 1);

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	return permission_is_translator(path) ? strrchr(path, '/') + 1 : NULL;
}

static struct dc_error *may_attach(const struct process *process, bool is_later)
{
	char tracer_name[16] = "?", text[8192], *yama, user[64], program[4096];
	struct status theirs, ours;
	struct permission_facts facts = { .pid = process->pid, .name = process->name };

	facts.tracer_name = tracer_name;
	facts.translator = find_translator(process, program, sizeof(program));
	find_tracer(process, &facts, tracer_name);
	if (is_later)
		facts.tracer = 0;

	_cleanup_close_ int fd = process_openat(process, "mem", O_RDWR);
	bool has_no_task = fd < 0 && errno == ESRCH;

	facts.opens = fd >= 0;
	facts.frozen = facts.opens && is_frozen(process);
	if (facts.opens || facts.tracer || facts.shadow_stack || facts.translator)
		return permission_judge(&facts);
	if (!read_status(process, "status", &theirs) ||
	    !read_path("/proc/self/status", text, sizeof(text)) || !status_parse(text, &ours)) {
		// The kernel may have taken it apart before it tells of its end.
		if (has_no_task || !process_alive(process))
			return error_in_state(error_make(DC_TARGET_ENDED,
							 "process %d (%s) has ended", process->pid,
							 process->name),
					      DC_STATE_ENDED);
		return error_make(DC_SYSTEM, "cannot read the rights of process %d (%s) in /proc",
				  process->pid, process->name);
	}
	facts.our_uid = ours.uid[0];
	facts.our_gid = ours.gid[0];
	memcpy(facts.uid, theirs.uid, sizeof(facts.uid));
	memcpy(facts.gid, theirs.gid, sizeof(facts.gid));
	facts.have_ptrace = ours.cap_effective >> CAP_PTRACE & 1;
	facts.more_capable = theirs.cap_permitted & ~ours.cap_permitted;
	facts.same_user_namespace = same_namespace(process, "user");
	facts.is_descendant = descends_from_us(process->pid);

	struct stat owner;

	// The kernel gives the files of a process that is not dumpable to root.
	facts.is_dumpable = fstat(process->proc_fd, &owner) < 0 || owner.st_uid == theirs.uid[1];

	struct passwd entry, *found = NULL;

	if (!getpwuid_r(theirs.uid[0], &entry, text, sizeof(text), &found) && found) {
		snprintf(user, sizeof(user), "%s", entry.pw_name);
		facts.user = user;
	}
	yama = read_path("/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text));
	facts.yama = yama ? atoi(yama) : -1;
	return permission_judge(&facts);
}

struct dc_error *process_may_attach(const struct process *process)
{
	return may_attach(process, false);
}

bool process_may_attach_later(const struct process *process)
{
	struct dc_error *err = may_attach(process, true);

	dc_error_destroy(err);
	return !err;
}

bool permission_is_first_pid_namespace(void)
{
	enum { PROC_PID_INIT_INO = 0xeffffffc }; // linux/proc_ns.h
	struct stat stat_of;

	return stat("/proc/self/ns/pid", &stat_of) == 0 &&
	       stat_of.st_ino == (ino_t)PROC_PID_INIT_INO;
}
