// SPDX-License-Identifier: MIT
// Opening the memory file through /proc/PID/fd asks the kernel whether we may read the target as a
// tracer may; the slot is a lock on a byte of it, which leaves with us.
#include "debugger/inject/agent/post.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/status.h"
#include "debugger/target/tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define LIBRARY	  "libdebugcall-agent.so"
#define FILE_NAME "/memfd:" MAILBOX_NAME

// ---- futexes ------------------------------------------------------------------------------------

static void futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void futex_wait(uint32_t *word, uint32_t value, int64_t ns)
{
	enum { SECOND_NS = 1000 * 1000 * 1000 };
	const struct timespec timeout = { .tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS };

	if (ns > 0)
		syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, NULL, 0);
}

static void ring(struct post *post)
{
	__atomic_fetch_add(&post->header->bell, 1, __ATOMIC_SEQ_CST);
	futex_wake(&post->header->bell);
}

// ---- finding it ---------------------------------------------------------------------------------

static bool is_path(const char *path, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(path, name, n) && (!path[n] || !strcmp(path + n, " (deleted)"));
}

static const struct mapping *find_mapping(const struct maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		if (maps->map[i].shared && is_path(maps->map[i].path, FILE_NAME))
			return &maps->map[i];
	return NULL;
}

static bool has_library(const struct maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		if (strstr(maps->map[i].path, LIBRARY))
			return true;
	return false;
}

static int open_descriptor(const struct process *process, uint64_t inode)
{
	int directory = process_openat(process, "fd", O_RDONLY | O_DIRECTORY);
	_cleanup_closedir_ DIR *dir = directory < 0 ? NULL : fdopendir(directory);
	const struct dirent *entry;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		char path[64];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, path, sizeof(path) - 1);
		struct stat file;

		if (n < 0)
			continue;
		path[n] = '\0';
		if (!is_path(path, FILE_NAME))
			continue;

		int fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return -1;
		if (fstat(fd, &file) == 0 && file.st_ino == inode)
			return fd;
		close(fd);
	}
	errno = ENOENT;
	return -1;
}

// Through a mapping, when the program has closed the descriptor: for that one needs to be root.
static int open_mapping(const struct process *process, const struct mapping *mapping)
{
	char path[64];

	snprintf(path, sizeof(path), "map_files/%" PRIx64 "-%" PRIx64, mapping->start,
		 mapping->end);
	return process_openat(process, path, O_RDWR);
}

static struct dc_error *open_file(struct post *post, const struct mapping *mapping)
{
	int err;

	post->fd = open_descriptor(post->process, mapping->inode);
	if (post->fd >= 0)
		return NULL;
	err = errno;
	if (err == ENOENT)
		post->fd = open_mapping(post->process, mapping);
	if (post->fd >= 0)
		return NULL;
	if (err == ENOENT)
		return error_make(DC_REFUSED,
				  "process %d has closed its agent's descriptor, as daemons do; "
				  "root can still reach it",
				  post->process->pid);
	return error_make(DC_REFUSED, "the agent of process %d may not be opened: %s",
			  post->process->pid, strerror(err));
}

static struct dc_error *map_file(struct post *post)
{
	int seals = fcntl(post->fd, F_GET_SEALS);
	struct stat file;
	const char *why;
	void *map;

	// A file that can shrink could end us while we read it.
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(post->fd, &file) < 0 ||
	    file.st_size < (off_t)sizeof(struct mailbox_header))
		return error_make(DC_REFUSED,
				  "the agent of process %d is none: its file is not sealed",
				  post->process->pid);
	if (file.st_size != MAILBOX_SIZE)
		return error_make(DC_REFUSED,
				  "the agent of process %d cannot be used: its size is another",
				  post->process->pid);
	map = mmap(NULL, MAILBOX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, post->fd, 0);
	if (map == MAP_FAILED)
		return error_errno(errno, "cannot map the mailbox of process %d",
				   post->process->pid);
	post->header = map;
	why = mailbox_unfit(post->header, (uint64_t)file.st_size);
	if (why)
		return error_make(DC_REFUSED, "the agent of process %d cannot be used: %s",
				  post->process->pid, why);
	return NULL;
}

// ---- waking one that sleeps ---------------------------------------------------------------------

// A program that sets an action of its own for the signal has put the agent's away.
static bool would_hear(const struct process *process)
{
	struct thread_info info;
	struct dc_error *err = process_thread_info(process, process->pid, &info);

	dc_error_destroy(err);
	return !err && (info.sig_caught & UINT64_C(1) << (SIGURG - 1));
}

static struct dc_error *wake_up(struct process *process, struct maps *maps)
{
	enum { TRIES = 200, LOOK_NS = 2 * 1000 * 1000 };

	if (!would_hear(process))
		return error_make(DC_REFUSED,
				  "the agent of process %d sleeps, and the program has taken the "
				  "signal that would wake it (SIGURG)",
				  process->pid);
	for (int i = 0; i < TRIES; i++) {
		siginfo_t info = { .si_signo = SIGURG, .si_code = SI_QUEUE };
		struct dc_error *err;

		info.si_pid = getpid();
		info.si_uid = getuid();
		info.si_value.sival_ptr = (void *)(uintptr_t)MAILBOX_MAGIC;
		// On a crowded machine a thread has most often left its wait by the time it is
		// asked, so that few of these are heard where they help.
		if (syscall(SYS_pidfd_send_signal, process->pidfd, SIGURG, &info, 0) < 0)
			return error_errno(errno, "cannot wake the agent of process %d",
					   process->pid);
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
		maps_deinit(maps);
		err = maps_read(process, maps);
		if (err || find_mapping(maps))
			return err;
	}
	return error_make(DC_REFUSED,
			  "the agent of process %d sleeps, and no thread came to a place where it "
			  "could start",
			  process->pid);
}

bool post_is_there(const struct maps *maps)
{
	return find_mapping(maps) || has_library(maps);
}

struct dc_error *post_open(struct process *process, const struct maps *maps, struct post *ret,
			   bool *found)
{
	const struct mapping *mapping = find_mapping(maps);
	_cleanup_(maps_deinit) struct maps fresh = { 0 };
	struct dc_error *err = NULL;

	*ret = (struct post){ .process = process, .fd = -1 };
	*found = post_is_there(maps);
	if (!*found)
		return NULL;
	if (!mapping) {
		err = wake_up(process, &fresh);
		mapping = err ? NULL : find_mapping(&fresh);
	}
	if (!err)
		err = open_file(ret, mapping);
	if (!err)
		err = map_file(ret);
	if (err)
		post_close(ret);
	return err;
}

void post_close(struct post *post)
{
	if (post->slot) {
		__atomic_store_n(&post->slot->wanted, 0, __ATOMIC_SEQ_CST);
		ring(post);
	}
	if (post->header)
		munmap(post->header, MAILBOX_SIZE);
	if (post->fd >= 0)
		close(post->fd);
	*post = (struct post){ .fd = -1 };
}

bool post_polls(const struct post *post, pid_t tid, pid_t *ret)
{
	struct thread_info info;
	struct dc_error *err = process_thread_info(post->process, tid, &info);

	dc_error_destroy(err);
	for (int i = 0; !err && i < MAILBOX_POLLERS; i++)
		if (__atomic_load_n(&post->header->pollers[i], __ATOMIC_RELAXED) ==
		    info.inner_tid) {
			*ret = info.inner_tid;
			return true;
		}
	return false;
}

bool post_is_open(const struct post *post)
{
	return __atomic_load_n(&post->header->state, __ATOMIC_ACQUIRE) == MAILBOX_OPEN;
}

struct dc_error *post_put_to_sleep(struct post *post)
{
	enum { LIMIT_NS = 2000 * 1000 * 1000, LOOK_NS = 1000 * 1000 };
	int64_t limit = tracer_now() + LIMIT_NS;

	__atomic_store_n(&post->header->told_to_sleep, 1, __ATOMIC_SEQ_CST);
	ring(post);
	while (post_is_open(post) && process_alive(post->process)) {
		if (tracer_now() > limit) {
			__atomic_store_n(&post->header->told_to_sleep, 0, __ATOMIC_SEQ_CST);
			return error_make(
				DC_REFUSED,
				"the agent of process %d serves others, or has a callee that "
				"does not return",
				post->process->pid);
		}
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	}
	return NULL;
}

// ---- a slot -------------------------------------------------------------------------------------

static bool lock_slot(const struct post *post, unsigned n, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = n, .l_len = 1 };

	return fcntl(post->fd, F_OFD_SETLK, &lock) == 0;
}

// Somebody has left a callee running in it.
static bool is_busy(const struct mailbox_slot *slot)
{
	uint32_t turn = __atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE);

	return __atomic_load_n(&slot->serving, __ATOMIC_ACQUIRE) &&
	       (turn == MAILBOX_ASKED || turn == MAILBOX_RUNNING || turn == MAILBOX_HELD ||
		turn == MAILBOX_JUDGED);
}

static bool take_slot(struct post *post)
{
	for (unsigned n = 0; n < MAILBOX_SLOTS; n++) {
		struct mailbox_slot *slot = mailbox_slot(post->header, n);

		if (!lock_slot(post, n, F_WRLCK))
			continue;
		if (is_busy(slot)) {
			lock_slot(post, n, F_UNLCK);
			continue;
		}
		post->slot = slot;
		post->cancels = __atomic_load_n(&slot->cancel, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->turn, MAILBOX_FREE, __ATOMIC_SEQ_CST);
		__atomic_store_n(&slot->wanted, 1, __ATOMIC_SEQ_CST);
		ring(post);
		return true;
	}
	return false;
}

struct dc_error *post_take(struct post *post, int64_t wait_ns)
{
	enum { LOOK_NS = 10 * 1000 * 1000, LEAST_NS = 1000 * 1000 * 1000 };
	int64_t limit = tracer_now() + (wait_ns > LEAST_NS ? wait_ns : LEAST_NS);

	if (__atomic_load_n(&post->header->state, __ATOMIC_ACQUIRE) == MAILBOX_ASLEEP)
		return error_make(DC_REFUSED, "the agent of process %d was put to sleep for good",
				  post->process->pid);
	if (!post->slot && !take_slot(post))
		return error_make(DC_REFUSED,
				  "all %d places of the agent of process %d are taken by others",
				  MAILBOX_SLOTS, post->process->pid);
	while (!__atomic_load_n(&post->slot->serving, __ATOMIC_ACQUIRE)) {
		if (!process_alive(post->process))
			return error_in_state(error_make(DC_TARGET_ENDED, "process %d has ended",
							 post->process->pid),
					      DC_STATE_ENDED);
		if (tracer_now() > limit)
			return error_make(DC_REFUSED, "the agent of process %d does not answer",
					  post->process->pid);
		futex_wait(&post->slot->serving, 0, LOOK_NS);
		// A thread of the slot's last client may just be ending.
		ring(post);
	}
	return NULL;
}

// ---- rights -------------------------------------------------------------------------------------

// The lines of a status file that say what a thread may do.
static void keep_rights(char *text, char *ret, size_t size)
{
	static const char *const names[] = {
		"Uid:",	   "Gid:",    "Groups:",     "CapInh:",	 "CapPrm:",	    "CapEff:",
		"CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:", "Seccomp_filters:"
	};
	size_t used = 0;

	ret[0] = '\0';
	for (char *line = text, *end; line && *line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strncmp(line, names[i], strlen(names[i])) && used < size)
				used += (size_t)snprintf(ret + used, size - used, "%s\n", line);
	}
}

static struct dc_error *read_rights(const struct post *post, pid_t tid, char *ret, size_t size)
{
	char path[48];
	_cleanup_free_ char *text = NULL;
	size_t n;

	snprintf(path, sizeof(path), "task/%d/status", tid);

	struct dc_error *err = process_read_file(post->process, path, &text, &n);

	if (!err)
		keep_rights(text, ret, size);
	return err;
}

static struct dc_error *find_thread(struct post *post)
{
	struct process_threads threads;
	struct dc_error *err = process_threads(post->process, &threads);
	pid_t inner = __atomic_load_n(&post->slot->tid, __ATOMIC_RELAXED);

	for (size_t i = 0; i < threads.n && !err && !post->tid; i++) {
		struct thread_info info;

		err = process_thread_info(post->process, threads.tids[i], &info);
		if (err && process_alive(post->process)) {
			dc_error_destroy(err);
			err = NULL;
			continue;
		}
		if (!err && info.inner_tid == inner)
			post->tid = threads.tids[i];
	}
	process_threads_deinit(&threads);
	if (!err && !post->tid)
		err = error_make(DC_REFUSED, "the agent of process %d has no thread %d",
				 post->process->pid, inner);
	return err;
}

struct dc_error *post_compare_rights(struct post *post)
{
	char ours[2048], theirs[2048];
	struct dc_error *err = post->tid ? NULL : find_thread(post);

	if (!err)
		err = read_rights(post, post->tid, ours, sizeof(ours));
	if (!err)
		err = read_rights(post, post->process->pid, theirs, sizeof(theirs));
	if (err || !strcmp(ours, theirs))
		return err;

	size_t i = 0, start = 0;

	for (; ours[i] && ours[i] == theirs[i]; i++)
		if (ours[i] == '\n')
			start = i + 1;
	return error_make(DC_REFUSED,
			  "the agent's thread has other rights than the program's first thread "
			  "(%.*s), which has changed its own alone; --host bare calls with its",
			  (int)strcspn(ours + start, ":"), ours + start);
}

// ---- a request ----------------------------------------------------------------------------------

enum mailbox_turn post_turn(const struct post *post)
{
	return (enum mailbox_turn)__atomic_load_n(&post->slot->turn, __ATOMIC_ACQUIRE);
}

static void turn(struct post *post, enum mailbox_turn to)
{
	__atomic_store_n(&post->slot->turn, to, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&post->slot->host_sleeps, __ATOMIC_SEQ_CST))
		futex_wake(&post->slot->turn);
}

void post_ask(struct post *post, enum mailbox_request request)
{
	post->slot->request = request;
	turn(post, MAILBOX_ASKED);
}

static bool is_hosts(uint32_t turn)
{
	return turn == MAILBOX_ASKED || turn == MAILBOX_RUNNING || turn == MAILBOX_JUDGED;
}

// An answer comes soon or takes long: to look for it for a while is quicker than to be woken. Where
// that was in vain, because the callee takes long or the CPU is needed by others, it is rarely tried.
static bool spin(struct post *post)
{
	enum { SPIN_NS = 20 * 1000, LOOKS = 64, RETRY = 32 };
	int64_t end;

	if (!post->spin_pays && post->spins++ % RETRY)
		return false;
	end = tracer_now() + SPIN_NS;
	do {
		for (int i = 0; i < LOOKS; i++) {
			if (!is_hosts(post_turn(post))) {
				post->spin_pays = true;
				return true;
			}
			__builtin_ia32_pause();
		}
	} while (tracer_now() < end);
	post->spin_pays = false;
	return false;
}

bool post_wait(struct post *post, int64_t until)
{
	struct mailbox_slot *slot = post->slot;
	uint32_t seen;

	if (spin(post))
		return true;
	__atomic_store_n(&slot->client_sleeps, 1, __ATOMIC_SEQ_CST);
	while (is_hosts(seen = __atomic_load_n(&slot->turn, __ATOMIC_SEQ_CST))) {
		int64_t left = until - tracer_now();

		if (left <= 0)
			break;
		futex_wait(&slot->turn, seen, left);
	}
	__atomic_store_n(&slot->client_sleeps, 0, __ATOMIC_RELAXED);
	return !is_hosts(seen);
}

void post_cancel(struct post *post)
{
	__atomic_store_n(&post->slot->cancel, ++post->cancels, __ATOMIC_SEQ_CST);
	ring(post);
}

void post_judge(struct post *post, enum mailbox_verdict verdict)
{
	post->slot->verdict = verdict;
	turn(post, MAILBOX_JUDGED);
}
