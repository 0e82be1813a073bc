// SPDX-License-Identifier: MIT
// Ranking threads by what a stop does to them.
#include "debugger/inject/select/candidate.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/socket_times.h"
#include "debugger/target/tracer.h"
#include "debugger/target/waits.h"
#include "protocol/mailbox.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static enum rank rank(const struct process *process, const struct thread_info *info)
{
	if (!info->in_syscall || info->syscall < 0)
		return RANK_RUNS;
	// With a time the kernel notes what is left of it, and not every way home can.
	if (info->syscall == SYS_futex)
		return info->args[3] ? RANK_TIMED : RANK_RESTARTS;
	if (waits_shows_eintr(info->syscall, info->args) ||
	    (waits_of(info->syscall) & WAIT_SOCKET &&
	     socket_times_out(process, (int)info->args[0])))
		return RANK_EINTR;
	return waits_of(info->syscall) & (WAIT_TIMED | WAIT_EINTR) ? RANK_TIMED : RANK_RESTARTS;
}

// The kernel names the thread that traces; users know processes.
static pid_t process_of(pid_t tid)
{
	struct process *process;
	struct dc_error *err = process_open(tid, &process);
	pid_t pid = tid;

	if (!err) {
		pid = process->pid;
		process_close(process);
	}
	dc_error_destroy(err);
	return pid;
}

static bool is_ours(pid_t tid)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/task/%d", tid);
	return access(path, F_OK) == 0;
}

// None of the program's.
static bool is_agents(const struct thread_info *info)
{
	static const char *const names[] = { MAILBOX_NAME, MAILBOX_WORKER_NAME };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(info->name, names[i], sizeof(info->name) - 1))
			return true;
	return false;
}

struct candidate candidate_judge(const struct process *process, pid_t tid,
				 const struct thread_info *info)
{
	struct candidate candidate = { .info = *info, .tid = tid, .rank = rank(process, info) };
	const char *reason = NULL;

	switch (info->state) {
	case 'D': reason = "sleeps where it cannot be stopped"; break;
	case 'Z':
	case 'X': reason = "has ended"; break;
	default: break;
	}
	if (!reason && is_agents(info))
		reason = "is the agent's own";
	if (!reason && info->seccomp == 1)
		reason = "runs under strict seccomp";
	// A thread that we follow ourselves is lent.
	if (!reason && (!info->tracer || is_ours(info->tracer)))
		return candidate;
	candidate.rank = RANK_NOT_NOW;
	if (reason)
		snprintf(candidate.reason, sizeof(candidate.reason), "thread %d %s", tid, reason);
	else
		snprintf(candidate.reason, sizeof(candidate.reason),
			 "thread %d is being traced by process %d", tid, process_of(info->tracer));
	return candidate;
}

static int by_rank(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	// The leader first, then the oldest.
	return left->tid < right->tid ? -1 : left->tid > right->tid;
}

struct dc_error *candidates_read(struct process *process, pid_t thread, struct candidates *ret)
{
	_cleanup_(process_threads_deinit) struct process_threads threads = { 0 };
	struct dc_error *err = NULL;

	*ret = (struct candidates){ 0 };
	if (!thread)
		err = process_threads(process, &threads);
	if (err)
		return err;

	size_t n = thread ? 1 : threads.n;
	struct candidate *list = calloc(n ?: 1, sizeof(*list));

	if (!list)
		return &dc_out_of_memory;
	for (size_t i = 0; i < n; i++) {
		pid_t tid = thread ? thread : threads.tids[i];
		struct thread_info info;
		int64_t now = tracer_now();

		err = process_thread_info(process, tid, &info);
		if (err && thread) {
			free(list);
			return err;
		}
		// Threads come and go.
		if (err) {
			dc_error_destroy(err);
			continue;
		}
		list[ret->n] = candidate_judge(process, tid, &info);
		if (list[ret->n].rank != RANK_EINTR)
			list[ret->n].awake_at = now;
		ret->n++;
	}
	qsort(list, ret->n, sizeof(*list), by_rank);
	ret->candidate = list;
	return NULL;
}

void candidates_deinit(struct candidates *candidates)
{
	free(candidates->candidate);
	*candidates = (struct candidates){ 0 };
}
