// SPDX-License-Identifier: MIT
// Reads /proc/self/task.
#include "runtime/sched/tasks.h"
#include "runtime/base/print.h"
#include "runtime/base/raw.h"
#include "runtime/sched/sched.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Of the kernel's task flags, in stat: threads that io_uring made never run the program's code.
enum {
	PF_IO_WORKER = 0x10,
	PF_USER_WORKER = 0x4000,
	FLAGS_FIELD = 6, // of stat, behind the state
};

// Kept open: later there may be no descriptor left, or no /proc in sight.
static struct {
	struct lock lock; // of the position in it too
	bool open;
	int fd;
	dev_t dev;
	ino_t ino;
} list = { .lock = GORT__LOCK_INIT(LEAF) };

// With the lock. A program that closes all descriptors it does not know may have the number for its
// own by now.
static int list_open(struct stat *st)
{
	if (list.open && !fstat(list.fd, st) && st->st_dev == list.dev && st->st_ino == list.ino)
		return 0;
	list.open = false;
	list.fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (list.fd < 0)
		return -errno;
	if (fstat(list.fd, st)) {
		int err = errno;
		close(list.fd);
		return -err;
	}
	list.open = true;
	list.dev = st->st_dev;
	list.ino = st->st_ino;
	return 0;
}

int gort__tasks_open(void)
{
	struct stat st;
	int err;

	gort__lock(&list.lock);
	err = list_open(&st);
	gort__unlock(&list.lock);
	return err;
}

// The links of that directory are its threads and two more: counting costs a tenth of reading.
int gort__tasks_count(void)
{
	struct stat st;
	int err;

	gort__lock(&list.lock);
	err = list_open(&st);
	gort__unlock(&list.lock);
	return err ? err : (int)st.st_nlink - 2;
}

// With the lock. The length, or -errno.
static long read_of(int tid, const char *file, char *text, size_t room)
{
	char path[48];
	ssize_t n;
	int fd;

	gort__format(path, sizeof(path), "%d/%s", tid, file);
	fd = openat(list.fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, room - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

static bool runs_no_program(const char *stat)
{
	// The name is in brackets, may hold brackets, and nothing after it does.
	const char *at = strrchr(stat, ')');

	if (!at || !at[1] || !at[2])
		return false;
	at += 2;
	// It has ended, but is listed for as long as others live: the first thread.
	if (*at == 'Z' || *at == 'X')
		return true;
	for (int field = 0; field < FLAGS_FIELD && at; field++)
		at = strchr(at + 1, ' ');
	return at && strtoul(at, NULL, 10) & (PF_IO_WORKER | PF_USER_WORKER);
}

static bool is_known(int tid)
{
	for (struct m *m = gort__load_acquire(&sched.allm); m; m = m->allnext)
		if (m->alive && gort__load(&m->tid) == tid)
			return true;
	return false;
}

static bool is_foreign(int tid)
{
	char text[512];
	long n;

	if (!tid || is_known(tid))
		return false;
	n = read_of(tid, "stat", text, sizeof(text));
	// Gone by now. Whatever else cannot be read is taken for the worst.
	if (n == -ENOENT || n == -ESRCH)
		return false;
	return n <= 0 || !runs_no_program(text);
}

static int look(int *tid)
{
	char buf[4096] __attribute__((aligned(16)));
	long n;

	if (lseek(list.fd, 0, SEEK_SET))
		return -errno;
	while ((n = gort__raw(SYS_getdents64, list.fd, (long)buf, sizeof(buf), 0, 0, 0)) > 0) {
		for (long at = 0; at < n;) {
			struct dirent64 *d = (void *)(buf + at);
			at += d->d_reclen;
			*tid = atoi(d->d_name);
			if (is_foreign(*tid))
				return 1;
		}
	}
	return (int)n;
}

int gort__foreign_thread(int *tid)
{
	struct stat st;
	int ret;

	*tid = 0;
	gort__lock(&list.lock);
	ret = list_open(&st);
	if (!ret)
		ret = look(tid);
	gort__unlock(&list.lock);
	return ret;
}

bool gort__task_look(int tid, struct task *task)
{
	char text[4096];
	const char *state = NULL, *blocked = NULL;
	struct stat st;

	gort__lock(&list.lock);
	if (!list_open(&st) && read_of(tid, "status", text, sizeof(text)) > 0) {
		state = strstr(text, "\nState:\t");
		blocked = strstr(text, "\nSigBlk:\t");
	}
	gort__unlock(&list.lock);
	if (!state || !blocked)
		return false;
	task->state = state[strlen("\nState:\t")];
	task->blocked = strtoull(blocked + strlen("\nSigBlk:\t"), NULL, 16);
	return true;
}
