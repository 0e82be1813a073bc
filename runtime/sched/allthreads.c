// SPDX-License-Identifier: MIT
// One system call on every thread, or on none: all are gathered, one tries it, then all make it.
#include "runtime/gort.h"
#include "runtime/base/debug.h"
#include "runtime/base/print.h"
#include "runtime/base/raw.h"
#include "runtime/base/trace.h"
#include "runtime/sched/core.h"
#include "runtime/sched/gather.h"
#include "runtime/sched/tasks.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

// For an ended thread to vanish from /proc.
static const int64_t LEAVING_MAX = 1000 * 1000 * 1000;

static struct {
	long nr, arg[6], want;
	int bad_tid; // of one whose result differs, and that
	long bad;
} call;

static long raw_call(void)
{
	const long *a = call.arg;

	return gort__raw(call.nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool failed(long ret)
{
	return ret < 0 && ret >= -GORT__ERRNO_MAX;
}

static void make_call(struct m *m)
{
	long ret = raw_call();
	int none = 0;

	if (ret != call.want && gort__cas(&call.bad_tid, &none, m->tid))
		call.bad = ret;
}

static bool on_its_way_out(int tid)
{
	for (struct m *m = gort__load_acquire(&sched.allm); m; m = m->allnext)
		if (gort__load(&m->last_tid) == tid)
			return true;
	return false;
}

// 1: there is a thread that cannot be reached, *tid; 0: there is none; -errno: nobody knows. known:
// how many can be.
static int unknown_thread(uint32_t known, int *tid)
{
	int64_t deadline = gort__nanotime() + LEAVING_MAX;
	int ret;

	if (gort__tasks_count() == (int)known)
		return 0;
	while ((ret = gort__foreign_thread(tid)) == 1) {
		if (!on_its_way_out(*tid) || gort__nanotime() > deadline)
			break;
		sched_yield();
	}
	return ret;
}

static long refuse(int err, const char *why, int tid)
{
	char thread[32] = "";

	if (!gort__debug.threadtrace)
		return err;
	if (tid)
		gort__format(thread, sizeof(thread), "thread %d ", tid);
	gort__print("gort_all_threads_syscall: %s%s\n", thread, why);
	return err;
}

// Everybody is gathered: nobody can make a thread unseen.
static long check_and_call(void)
{
	int tid, unknown = unknown_thread(gort__gathered(), &tid);
	long ret;

	if (unknown < 0)
		return refuse(-ENOTSUP, "/proc/self/task cannot be read", 0);
	if (unknown)
		return refuse(-ENOTSUP, "is not known", tid);
	ret = raw_call();
	if (!failed(ret)) {
		call.want = ret;
		gort__gather_run(make_call);
	}
	return ret;
}

static long on_all_threads(const struct m *self)
{
	int tid;
	long ret;

	call.bad_tid = 0;
	// Without the list nothing is worth a try.
	if (gort__tasks_open())
		return refuse(-ENOTSUP, "/proc/self/task cannot be opened", 0);
	if (gort__gather(self, true, &tid))
		ret = refuse(-EBUSY, "does not take the runtime's signal", tid);
	else
		ret = check_and_call();
	gort__gather_release();
	return ret;
}

static void call_all(void *arg)
{
	long *ret = arg;

	gort__trace("all threads make", "call", call.nr, NULL);
	*ret = on_all_threads(gort__self());
	gort__trace("all threads made it:", "result", *ret, NULL);
	if (call.bad_tid)
		gort__fatal("gort_all_threads_syscall: call %ld gave %ld on thread %d but %ld on "
			    "thread %d",
			    call.nr, call.want, gort__self()->tid, call.bad, call.bad_tid);
}

long gort_all_threads_syscall6(long nr, long a1, long a2, long a3, long a4, long a5, long a6)
{
	long ret = 0;

	gort__enter(__func__);
	gort__stop_threads();
	call.nr = nr;
	memcpy(call.arg, (long[]){ a1, a2, a3, a4, a5, a6 }, sizeof(call.arg));
	gort__system(call_all, &ret);
	gort__start_threads();
	gort__leave();
	return ret;
}

long gort_all_threads_syscall(long nr, long a1, long a2, long a3)
{
	return gort_all_threads_syscall6(nr, a1, a2, a3, 0, 0, 0);
}
