// SPDX-License-Identifier: MIT
// A target as /proc shows it: identity, threads, mappings, files. Looking never stops anything.
// Identity is pid plus start time, so that a reused pid is never taken for the target.
#ifndef DEBUGGER_TARGET_PROCESS_H
#define DEBUGGER_TARGET_PROCESS_H

#include "debugger/base/error.h"

// Another way to a target's memory than the kernel's.
struct memory_way {
	// As many bytes as can be read or written from addr on.
	size_t (*move)(void *arg, uint64_t addr, void *buf, size_t n, bool is_write);
	bool (*is_gone)(void *arg); // the program's memory is no more
	void *arg;
};

struct process {
	pid_t pid; // the thread group's
	uint64_t start_time; // clock ticks since boot, /proc/PID/stat field 22
	uint64_t start_stack; // field 28: arguments and environment begin here, frames end
	int proc_fd; // /proc/PID, O_PATH: stays with this process
	// /proc/PID/mem, O_RDWR, of the program that runs since the process was opened: the kernel
	// binds it to that program's memory, so that after an exec it reads and writes nothing. -1:
	// may not be opened, mem_errno says why.
	int mem_fd, mem_errno;
	const struct memory_way *way; // where mem_fd is -1; NULL: there is none
	int pidfd;
	char name[16];
	struct patched *patched; // of memory.c: bytes that breakpoints of ours have changed
	size_t nr_patched;
	struct gadgets_kept *gadgets; // of target/gadgets.c; NULL: not looked for yet
};

// tid may be any thread of the process. ATTACH errors name cause and remedy: no such process,
// zombie, kernel thread, 32-bit program.
struct dc_error *process_open(pid_t tid, struct process **ret) DC_CHECK;
void process_close(struct process *process);
// It is the other one from now on, which is taken over.
void process_become(struct process *process, struct process *other);
// From now on the program that the process runs at this moment: its memory, its name, its first
// stack. Mappings that were read before may be another program's.
void process_renew(struct process *process);
bool process_alive(const struct process *process); // false once dead, a zombie, or the pid reused
struct dc_error *process_find(const char *name, pid_t *ret) DC_CHECK;

// An open file below /proc/PID/, as openat() gives it; -1 and errno.
int process_openat(const struct process *process, const char *path, int flags);
// The whole of such a file, malloc'd, NUL-terminated.
struct dc_error *process_read_file(const struct process *process, const char *path, char **ret,
				   size_t *size) DC_CHECK;
// A file the target has mapped or names, opened through its own mount namespace (root/), or through
// map_files/ when it was deleted or replaced. -1 and errno.
int process_open_file(const struct process *process, const char *path, uint64_t map_start,
		      uint64_t map_end);

struct process_threads {
	pid_t *tids; // in kernel order, the leader first
	size_t n;
};
struct dc_error *process_threads(const struct process *process,
				 struct process_threads *ret) DC_CHECK;
void process_threads_deinit(struct process_threads *threads);

// One thread's /proc status, from status, stat, syscall.
struct thread_info {
	char name[16];
	char state; // R S D T t Z X
	pid_t tracer; // 0: none
	uint32_t uid, gid; // effective
	uint64_t sig_pending, shared_pending, sig_blocked, sig_ignored, sig_caught; // bit signo-1
	int seccomp; // 0, 1 strict, 2 filter
	int last_cpu;
	uint64_t locked_bytes; // VmLck
	pid_t inner_pid, inner_tid; // in the target's own PID namespace (NSpid)
	bool in_syscall; // blocked: the fields below are valid
	long syscall;
	uint64_t args[6];
	uint64_t sp, pc;
};
struct dc_error *process_thread_info(const struct process *process, pid_t tid,
				     struct thread_info *ret) DC_CHECK;
// Its name alone, which costs little; false: it has ended.
bool process_thread_name(const struct process *process, pid_t tid, char name[16]);

// Why an attach would fail, without trying: traced already (by whom), Yama, uid, container
// without the capability, shadow stack. NULL: nothing speaks against it.
struct dc_error *process_may_attach(const struct process *process) DC_CHECK;
// The same, as if no other debugger had hold of any thread: those let go of them in the end.
bool process_may_attach_later(const struct process *process);

#endif
