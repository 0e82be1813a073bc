// SPDX-License-Identifier: MIT
// A target as /proc shows it: identity, threads, files.
// Everything is opened below one O_PATH descriptor, which a reused pid can never answer for.
#include "debugger/target/process.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/maps.h"
#include "debugger/target/status.h"

#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct dc_error *read_all(int fd, char **ret, size_t *size)
{
	_cleanup_free_ char *text = NULL;
	size_t used = 0, room = 0;

	for (;;) {
		if (room - used < 4096) {
			char *grown = realloc(text, room = room ? room * 2 : 8192);

			if (!grown)
				return &dc_out_of_memory;
			text = grown;
		}

		ssize_t n = read(fd, text + used, room - used - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(errno, "read");
		if (n == 0)
			break;
		used += (size_t)n;
	}
	text[used] = '\0';
	*size = used;
	*ret = take_ptr(text);
	return NULL;
}

static struct dc_error *read_at(int dir, const char *path, char **ret, size_t *size)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(errno, "open");
	return read_all(fd, ret, size);
}

// One of another process's small files, without holding on to that process.
static bool stat_of(pid_t pid, struct status_stat *ret)
{
	char path[32];
	_cleanup_free_ char *text = NULL;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);

	_cleanup_error_ struct dc_error *err = read_at(AT_FDCWD, path, &text, &size);

	return !err && status_parse_stat(text, ret);
}

static bool status_of(pid_t pid, struct status *ret)
{
	char path[32];
	_cleanup_free_ char *text = NULL;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);

	_cleanup_error_ struct dc_error *err = read_at(AT_FDCWD, path, &text, &size);

	return !err && status_parse(text, ret);
}

// The main thread of a program may end before the others; then it has no memory to look at, and
// /proc/TID of a living thread shows the process in its place.
static pid_t living_thread(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);

	_cleanup_closedir_ DIR *dir = opendir(path);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		struct status_stat stat;
		pid_t tid = atoi(entry->d_name);

		if (tid > 0 && stat_of(tid, &stat) && stat.state != 'Z' && stat.state != 'X')
			return tid;
	}
	return 0;
}

static struct dc_error *no_such_process(pid_t pid)
{
	return error_make(DC_ATTACH, "there is no process or thread %d; ps -eLf lists them", pid);
}

static struct dc_error *check_program(struct process *process)
{
	unsigned char ident[EI_NIDENT] = { 0 };
	_cleanup_close_ int fd = process_openat(process, "exe", O_RDONLY);

	// Not readable is a question of rights, which process_may_attach() answers.
	if (fd < 0 || pread(fd, ident, sizeof(ident), 0) != sizeof(ident))
		return NULL;
	if (!memcmp(ident, ELFMAG, SELFMAG) && ident[EI_CLASS] == ELFCLASS32)
		return error_make(DC_ATTACH,
				  "process %d (%s) runs a 32-bit program, and debugcall calls only "
				  "into x86-64 ones; gdb can do it",
				  process->pid, process->name);
	return NULL;
}

struct dc_error *process_open(pid_t tid, struct process **ret)
{
	struct status status;
	struct status_stat stat;

	if (tid <= 0 || !status_of(tid, &status) || !stat_of(status.tgid, &stat))
		return no_such_process(tid);

	struct process *process = malloc(sizeof(*process));

	if (!process)
		return &dc_out_of_memory;
	*process = (struct process){
		.pid = status.tgid,
		.start_time = stat.start_time,
		.start_stack = stat.start_stack,
		.mem_fd = -1,
		.proc_fd = -1,
		.pidfd = -1,
	};
	memcpy(process->name, stat.name, sizeof(process->name));

	struct dc_error *err = NULL;
	pid_t shown = process->pid;
	struct status_stat parent = { .name = "?" };

	if (stat.is_kernel_thread) {
		err = error_make(DC_ATTACH,
				 "process %d (%s) is a kernel thread; there is no program in it to "
				 "call",
				 process->pid, process->name);
		goto fail;
	}
	if (stat.state == 'Z' || stat.state == 'X') {
		shown = living_thread(process->pid);
		if (!shown) {
			if (!stat_of(stat.parent, &parent))
				parent.name[0] = '?';
			err = error_make(
				DC_ATTACH,
				"process %d (%s) is a zombie: it has ended and waits to be "
				"reaped by its parent, process %d (%s)",
				process->pid, process->name, stat.parent, parent.name);
			goto fail;
		}
	}

	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", shown);
	process->proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	// Where the kernel or a filter has no pidfds (-1), /proc alone says who lives.
	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	// Opened by number: these are the same process only if the first one still lives, and began
	// when it was asked for.
	if (process->proc_fd < 0 || !process_alive(process) || !stat_of(process->pid, &stat) ||
	    stat.start_time != process->start_time) {
		err = no_such_process(tid);
		goto fail;
	}
	err = check_program(process);
	if (err)
		goto fail;
	process_renew(process);
	*ret = process;
	return NULL;
fail:
	process_close(process);
	return err;
}

void process_renew(struct process *process)
{
	struct status_stat stat;

	if (stat_of(process->pid, &stat) && stat.start_time == process->start_time) {
		process->start_stack = stat.start_stack;
		memcpy(process->name, stat.name, sizeof(process->name));
	}
	cleanup_close(&process->mem_fd);
	process->mem_fd = process_openat(process, "mem", O_RDWR);
	process->mem_errno = process->mem_fd < 0 ? errno : 0;
}

void process_close(struct process *process)
{
	if (!process)
		return;
	cleanup_close(&process->proc_fd);
	cleanup_close(&process->mem_fd);
	cleanup_close(&process->pidfd);
	free(process->gadgets);
	free(process->patched);
	free(process);
}

void process_become(struct process *process, struct process *other)
{
	struct process was = *process;

	*process = *other;
	*other = was;
	process_close(other);
}

bool process_alive(const struct process *process)
{
	if (process->pidfd >= 0) {
		struct pollfd fd = { .fd = process->pidfd, .events = POLLIN };
		int n;

		do
			n = poll(&fd, 1, 0);
		while (n < 0 && errno == EINTR);
		return n == 0;
	}

	_cleanup_free_ char *text = NULL;
	size_t size;
	struct status_stat stat;
	_cleanup_error_ struct dc_error *err = read_at(process->proc_fd, "stat", &text, &size);

	return !err && status_parse_stat(text, &stat) && stat.state != 'Z' && stat.state != 'X';
}

int process_openat(const struct process *process, const char *path, int flags)
{
	return openat(process->proc_fd, path, flags | O_CLOEXEC);
}

struct dc_error *process_read_file(const struct process *process, const char *path, char **ret,
				   size_t *size)
{
	_cleanup_close_ int fd = process_openat(process, path, O_RDONLY);
	int saved = errno;
	struct dc_error *err = fd < 0 ? error_errno(saved, "cannot open /proc/%d/%s", process->pid,
						    path)
				      : read_all(fd, ret, size);

	// What a dead process answers depends on the file: ENOENT, ESRCH, or nothing at all.
	if (err && !process_alive(process)) {
		dc_error_destroy(err);
		err = error_make(DC_TARGET_ENDED, "process %d (%s) has ended", process->pid,
				 process->name);
		return error_in_state(err, DC_STATE_ENDED);
	}
	return err;
}

// Only regular files are opened for reading: opening a device or a pipe can act or block.
static int reopen_regular(int path_fd)
{
	struct stat stat;
	char link[32];

	if (fstat(path_fd, &stat) < 0)
		return -1;
	if (!S_ISREG(stat.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	return open(link, O_RDONLY | O_CLOEXEC);
}

static int open_in_root(const struct process *process, const char *path)
{
	// Symbolic links inside the target's root must be followed there, not in ours.
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	_cleanup_close_ int root = process_openat(process, "root", O_PATH | O_DIRECTORY);

	if (root < 0)
		return -1;

	_cleanup_close_ int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(root, path + strspn(path, "/"), O_PATH | O_CLOEXEC);
	return fd < 0 ? -1 : reopen_regular(fd);
}

// /proc/PID/exe opens the running program itself, whatever happened to its name.
static bool is_program(const struct process *process, const char *path)
{
	static const char deleted[] = " (deleted)";
	char link[4096];
	ssize_t n = readlinkat(process->proc_fd, "exe", link, sizeof(link) - 1);
	size_t length = strlen(path);

	if (n < 0)
		return false;
	link[n] = '\0';
	return !strncmp(link, path, length) && (!link[length] || !strcmp(link + length, deleted));
}

static bool mapping_deleted(const struct process *process, uint64_t start)
{
	struct maps maps;
	_cleanup_error_ struct dc_error *err = maps_read(process, &maps);

	if (err)
		return false;

	const struct mapping *mapping = maps_find(&maps, start);
	bool deleted = mapping && mapping->deleted;

	maps_deinit(&maps);
	return deleted;
}

int process_open_file(const struct process *process, const char *path, uint64_t map_start,
		      uint64_t map_end)
{
	if (map_start < map_end) {
		char name[64];

		snprintf(name, sizeof(name), "map_files/%lx-%lx", map_start, map_end);

		_cleanup_close_ int fd = process_openat(process, name, O_PATH);
		int opened = fd < 0 ? -1 : reopen_regular(fd);

		if (opened >= 0)
			return opened;
		// map_files asks for a capability that the other ways do without.
	}
	if (is_program(process, path)) {
		int fd = process_openat(process, "exe", O_RDONLY);

		if (fd >= 0)
			return fd;
	}
	if (path[0] != '/') {
		errno = ENOENT;
		return -1;
	}
	if (map_start < map_end && mapping_deleted(process, map_start)) {
		// Another file may have the name now; its symbols would be wrong ones.
		errno = ESTALE;
		return -1;
	}
	return open_in_root(process, path);
}

struct dc_error *process_threads(const struct process *process, struct process_threads *ret)
{
	*ret = (struct process_threads){ 0 };

	int fd = process_openat(process, "task", O_RDONLY | O_DIRECTORY);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		pid_t tid = atoi(entry->d_name);

		if (tid <= 0)
			continue;
		if (!(ret->n & (ret->n - 1))) {
			pid_t *grown = realloc(ret->tids,
					       (ret->n ? ret->n * 2 : 1) * sizeof(*grown));

			if (!grown) {
				process_threads_deinit(ret);
				return &dc_out_of_memory;
			}
			ret->tids = grown;
		}
		ret->tids[ret->n++] = tid;
	}
	if (!ret->n || !process_alive(process)) {
		process_threads_deinit(ret);
		return error_in_state(error_make(DC_TARGET_ENDED, "process %d (%s) has ended",
						 process->pid, process->name),
				      DC_STATE_ENDED);
	}
	return NULL;
}

void process_threads_deinit(struct process_threads *threads)
{
	free(threads->tids);
	*threads = (struct process_threads){ 0 };
}

static struct dc_error *read_task(const struct process *process, pid_t tid, const char *file,
				  char **ret)
{
	char path[48];
	size_t size;

	snprintf(path, sizeof(path), "task/%d/%s", tid, file);
	return process_read_file(process, path, ret, &size);
}

struct dc_error *process_thread_info(const struct process *process, pid_t tid,
				     struct thread_info *ret)
{
	_cleanup_free_ char *stat_text = NULL, *status_text = NULL, *syscall_text = NULL;
	struct status_stat stat;
	struct status status;
	struct status_syscall call = { .is_running = true };
	struct dc_error *err = read_task(process, tid, "stat", &stat_text);

	if (!err)
		err = read_task(process, tid, "status", &status_text);
	if (err) {
		if (err->code != DC_SYSTEM)
			return err;
		dc_error_destroy(err);
		return error_make(DC_THREAD_ENDED, "thread %d of process %d has ended", tid,
				  process->pid);
	}
	if (!status_parse_stat(stat_text, &stat) || !status_parse(status_text, &status))
		return error_make(DC_SYSTEM, "/proc/%d/task/%d/status reads as no kernel writes it",
				  process->pid, tid);

	// Needs the right to trace. Without it the thread counts as running: nothing is known.
	_cleanup_error_ struct dc_error *hidden = read_task(process, tid, "syscall", &syscall_text);

	if (!hidden && !status_parse_syscall(syscall_text, &call))
		call.is_running = true;
	*ret = (struct thread_info){
		.state = stat.state,
		.tracer = status.tracer,
		.uid = status.uid[1],
		.gid = status.gid[1],
		.sig_pending = status.sig_pending,
		.shared_pending = status.shared_pending,
		.sig_blocked = status.sig_blocked,
		.sig_ignored = status.sig_ignored,
		.sig_caught = status.sig_caught,
		.seccomp = status.seccomp,
		.last_cpu = stat.last_cpu,
		.locked_bytes = status.locked_bytes,
		.inner_pid = status.inner_pid,
		.inner_tid = status.inner_tid ? status.inner_tid : tid,
		.in_syscall = !call.is_running && call.nr >= 0,
		.syscall = call.nr,
		.sp = call.sp,
		.pc = call.pc,
	};
	memcpy(ret->name, stat.name, sizeof(ret->name));
	memcpy(ret->args, call.args, sizeof(ret->args));
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

// By the kernel's name (15 characters), the program's file or the first argument: users know a
// process by any of them.
static bool has_name(pid_t pid, const struct status_stat *stat, const char *name)
{
	char path[32], link[4096];

	if (!strcmp(stat->name, name))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);

	ssize_t n = readlink(path, link, sizeof(link) - 1);

	if (n > 0) {
		link[n] = '\0';
		if (!strcmp(base_name(link), name))
			return true;
	}
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);

	_cleanup_free_ char *arguments = NULL;
	size_t size;
	_cleanup_error_ struct dc_error *err = read_at(AT_FDCWD, path, &arguments, &size);

	return !err && size && !strcmp(base_name(arguments), name);
}

struct found {
	pid_t pid[16]; // as many as an error message lists
	size_t n;
};

static void found_add(struct found *found, pid_t pid)
{
	if (found->n < sizeof(found->pid) / sizeof(found->pid[0]))
		found->pid[found->n] = pid;
	found->n++;
}

static struct dc_error *ambiguous(const struct found *found, const char *name)
{
	char list[256];
	int used = 0;

	for (size_t i = 0; i < found->n && i < sizeof(found->pid) / sizeof(found->pid[0]); i++)
		used += snprintf(list + used, sizeof(list) - (size_t)used, "%s%d", i ? ", " : "",
				 found->pid[i]);
	return error_make(DC_ATTACH, "%zu processes are called %s: %s%s; give one of these numbers",
			  found->n, name, list,
			  found->n > sizeof(found->pid) / sizeof(found->pid[0]) ? ", …" : "");
}

struct dc_error *process_find(const char *name, pid_t *ret)
{
	struct status_stat stat;

	if (!*name)
		return error_make(DC_USAGE, "an empty name is no process");
	if (strspn(name, "0123456789") == strlen(name)) {
		errno = 0;

		long number = strtol(name, NULL, 10);

		if (errno || number <= 0 || number > INT32_MAX || !stat_of((pid_t)number, &stat))
			return error_make(DC_ATTACH,
					  "there is no process or thread %s; ps -eLf lists them",
					  name);
		*ret = (pid_t)number;
		return NULL;
	}

	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct found living = { .n = 0 }, others = { .n = 0 };

	if (!dir)
		return error_errno(errno, "cannot list /proc");
	for (struct dirent *entry; (entry = readdir(dir));) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;

		if (pid <= 0 || pid == getpid() || !stat_of(pid, &stat) ||
		    !has_name(pid, &stat, name))
			continue;
		// Zombies and kernel threads only count when nothing else has the name: opening one
		// then says what it is.
		if (stat.is_kernel_thread || stat.state == 'Z' || stat.state == 'X')
			found_add(&others, pid);
		else
			found_add(&living, pid);
	}

	struct found *found = living.n ? &living : &others;

	if (!found->n)
		return error_make(DC_ATTACH, "there is no process called %s; ps -e lists them",
				  name);
	if (found->n > 1)
		return ambiguous(found, name);
	*ret = found->pid[0];
	return NULL;
}

bool process_thread_name(const struct process *process, pid_t tid, char name[16])
{
	char path[48];
	ssize_t n;

	snprintf(path, sizeof(path), "task/%d/comm", tid);
	_cleanup_close_ int fd = process_openat(process, path, O_RDONLY);

	n = fd >= 0 ? read(fd, name, 15) : -1;
	if (n < 0)
		return false;
	name[n] = '\0';
	name[strcspn(name, "\n")] = '\0';
	return true;
}
