// SPDX-License-Identifier: MIT
// What control costs, for control.py: one kind of work on a process, and its median in microseconds.
//
//   control_ops PID step|next|loop|bt|at N     of N; loop: a line of 3,000 turns; at: a hit's pause
//   control_ops PID judged SECONDS             a condition that is false for each hit, for so long
//   control_ops PID hold SECONDS               the same without the right to have the kernel judge it
//   control_ops PID bare SECONDS               the same event, with a stop and nothing else
//   control_ops PID count SECONDS              the same event, counted
#include "debugger/debugcall.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void good(struct dc_error *err)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", err->message);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_size);
	return values[n / 2];
}

static struct dc_stop next_stop(struct dc_session *session)
{
	struct dc_event event = { 0 };

	while (event.kind != DC_EVENT_STOPPED) {
		if (!dc_wait_event(session, -1, &event) || event.kind == DC_EVENT_TARGET_ENDED)
			exit(2);
	}
	return event.stop;
}

static struct dc_stop stop_at(struct dc_session *session, const char *place)
{
	const struct dc_breakpoint_options options = { .place = place, .temporary = true };
	unsigned number;

	good(dc_breakpoint_set(session, &options, &number));
	return next_stop(session);
}

static double step(struct dc_session *session, enum dc_step how, size_t n, double *times)
{
	struct dc_stop stop = stop_at(session, "walk");

	for (size_t i = 0; i < n; i++) {
		const struct dc_step_options options = { .thread = stop.thread, .how = how };
		double begin = now();

		good(dc_step(session, &options));
		stop = next_stop(session);
		times[i] = now() - begin;
	}
	return median(times, n);
}

static double loop(struct dc_session *session, const char *place, size_t n, double *times)
{
	for (size_t i = 0; i < n; i++) {
		const struct dc_step_options options = { .thread = stop_at(session, place).thread,
							 .how = DC_STEP_OVER };
		double begin = now();

		good(dc_step(session, &options));
		next_stop(session);
		times[i] = now() - begin;
		good(dc_continue(session, 0));
	}
	return median(times, n);
}

static double frames(struct dc_session *session, size_t n, double *times)
{
	struct dc_stop stop = stop_at(session, "bottom");

	for (size_t i = 0; i < n; i++) {
		double begin = now();
		struct dc_stack stack;

		good(dc_frames(session, stop.thread, &stack));
		times[i] = now() - begin;
		if (stack.nr_frames < 100)
			exit(3);
		dc_stack_deinit(&stack);
	}
	return median(times, n);
}

struct pauses {
	double *times;
	size_t n;
};

static bool note_pause(const struct dc_hit *hit, void *arg)
{
	struct pauses *pauses = arg;

	pauses->times[pauses->n++] = (double)hit->pause_ns / 1e3;
	return true;
}

static double at(struct dc_session *session, size_t n, double *times)
{
	const struct dc_at place = { .place = "serve", .count = n };
	const char *const text = "weight";
	struct pauses pauses = { times, 0 };

	good(dc_at(session, &place, &text, 1, NULL, note_pause, &pauses));
	return median(times, pauses.n);
}

static void hold(struct dc_session *session, unsigned seconds)
{
	const struct dc_breakpoint_options options = { .place = "serve",
						       .condition = "weight == -1" };
	unsigned number;

	good(dc_breakpoint_set(session, &options, &number));
	puts("at work");
	fflush(stdout);
	sleep(seconds);
}

static bool take_line(const struct dc_line *line, void *arg)
{
	*(uint64_t *)arg = line->addr;
	return false;
}

static int open_event(struct dc_session *session, pid_t tid, unsigned period)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_BREAKPOINT,
					.size = sizeof(attr),
					.bp_type = HW_BREAKPOINT_X,
					.bp_len = sizeof(long),
					.sample_period = period,
					.wakeup_events = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1 };
	uint64_t addr = 0;

	good(dc_find_lines(session, "serve", NULL, false, take_line, &addr));
	attr.bp_addr = addr;
	return (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void count(struct dc_session *session, pid_t tid, unsigned seconds)
{
	if (open_event(session, tid, 0) < 0)
		exit(5);
	puts("at work");
	fflush(stdout);
	sleep(seconds);
}

// Every stop is one resume and one wait.
static void bare(struct dc_session *session, pid_t tid, unsigned seconds)
{
	struct f_owner_ex owner = { F_OWNER_TID, tid };
	double end = now() + seconds * 1e6;
	int fd, status;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		exit(4);
	fd = open_event(session, tid, 1);
	if (fd < 0 || fcntl(fd, F_SETOWN_EX, &owner) || fcntl(fd, F_SETSIG, SIGURG) ||
	    fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK))
		exit(5);
	puts("at work");
	fflush(stdout);
	while (now() < end) {
		struct user_regs_struct regs;

		while (waitpid(tid, &status, __WALL | WNOHANG) == 0)
			;
		if (!WIFSTOPPED(status))
			break;
		ptrace(PTRACE_GETREGS, tid, NULL, &regs);
		ptrace(PTRACE_CONT, tid, NULL,
		       WSTOPSIG(status) == SIGURG ? 0 : (void *)(long)WSTOPSIG(status));
	}
}

static pid_t other_thread(pid_t pid)
{
	char path[64];
	pid_t tid = 0, found = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	for (tid = pid + 1; tid < pid + 1000 && !found; tid++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
		found = access(path, F_OK) ? 0 : tid;
	}
	return found;
}

// As anybody who has not been given the rights: before there is another thread of ours.
static void give_up_bpf(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	const int ours[] = { CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF };

	if (syscall(SYS_capget, &header, data))
		exit(6);
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		data[CAP_TO_INDEX(ours[i])].effective &= ~CAP_TO_MASK(ours[i]);
	if (syscall(SYS_capset, &header, data))
		exit(6);
}

int main(int argc, char *argv[])
{
	const char *what = argc > 2 ? argv[2] : "";
	size_t n = argc > 3 ? (size_t)atol(argv[3]) : 0;
	double *times = calloc(n + 1, sizeof(*times)), time = 0;
	struct dc_options options;
	struct dc_session *session;

	if (argc < 4 || !times || !n)
		return 2;
	if (!strcmp(what, "hold"))
		give_up_bpf();
	dc_options_init(&options);
	options.pid = atoi(argv[1]);
	good(dc_open(&options, &session));
	if (!strcmp(what, "bare") || !strcmp(what, "count")) {
		(*what == 'b' ? bare : count)(session, other_thread(options.pid), (unsigned)n);
		return 0;
	}
	if (!strcmp(what, "at")) {
		time = at(session, n, times);
	} else {
		good(dc_control(session, NULL));
		if (dc_event_fd(session) < 0)
			return 2;
		if (!strcmp(what, "hold") || !strcmp(what, "judged"))
			hold(session, (unsigned)n);
		else if (!strcmp(what, "bt"))
			time = frames(session, n, times);
		else if (!strcmp(what, "loop"))
			time = loop(session, argv[4], n, times);
		else
			time = step(session, strcmp(what, "next") ? DC_STEP_INTO : DC_STEP_OVER, n,
				    times);
	}
	printf("%.1f\n", time);
	dc_close(session);
	free(times);
	return 0;
}
