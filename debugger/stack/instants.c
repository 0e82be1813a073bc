// SPDX-License-Identifier: MIT
// The counters that the scheduler keeps of each thread tell whether it ran between two looks.
#include "debugger/stack/instants.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/status.h"

#include <inttypes.h>
#include <string.h>
#include <sys/syscall.h>

static int compare(const void *a, const void *b)
{
	const struct instant *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

struct instant *instants_find(const struct instants *instants, pid_t tid)
{
	const struct instant key = { .tid = tid };

	if (!instants->n)
		return NULL;
	return bsearch(&key, instants->instant, instants->n, sizeof(key), compare);
}

void instants_deinit(struct instants *instants)
{
	free(instants->instant);
	*instants = (struct instants){ 0 };
}

// ---- by BPF ---------------------------------------------------------------------------------------

static struct dc_error *begin_by_bpf(struct bpf_threads *bpf, struct instants *ret)
{
	_cleanup_free_ struct bpf_thread *threads = NULL;
	size_t n;
	struct dc_error *err = bpf_threads_read(bpf, &threads, &n);

	if (err)
		return err;
	ret->instant = calloc(n ?: 1, sizeof(*ret->instant));
	if (!ret->instant)
		return &dc_out_of_memory;
	ret->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct bpf_thread *thread = &threads[i];
		const struct user_regs_struct *regs = &thread->regs;
		struct instant *instant = &ret->instant[i];

		*instant = (struct instant){
			.tid = thread->tid,
			.state = thread->has_ended   ? INSTANT_ENDED
				 : thread->is_on_cpu ? INSTANT_RUNS
						     : INSTANT_STANDS,
			.is_waiting = thread->is_asleep,
			.regs = thread->regs,
			.marks = thread->marks,
			.args = { regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9 },
		};
		memcpy(instant->name, thread->name, sizeof(instant->name));
	}
	qsort(ret->instant, n, sizeof(*ret->instant), compare);
	return NULL;
}

static struct dc_error *check_by_bpf(struct bpf_threads *bpf, struct instants *instants)
{
	_cleanup_(instants_deinit) struct instants later = { 0 };
	struct dc_error *err = begin_by_bpf(bpf, &later);

	if (err)
		return err;
	for (size_t i = 0; i < instants->n; i++) {
		struct instant *instant = &instants->instant[i];
		const struct instant *now = instants_find(&later, instant->tid);

		if (!now || now->state == INSTANT_ENDED)
			instant->state = INSTANT_ENDED;
		else if (instant->state == INSTANT_STANDS &&
			 (now->state != INSTANT_STANDS ||
			  memcmp(&now->marks, &instant->marks, sizeof(now->marks)) != 0))
			instant->state = INSTANT_MOVED;
	}
	return NULL;
}

// ---- by /proc -------------------------------------------------------------------------------------

// False: the thread is gone.
static bool read_marks(struct process *process, pid_t tid, struct bpf_marks *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[48];
	size_t size;

	snprintf(path, sizeof(path), "task/%d/schedstat", tid);
	_cleanup_error_ struct dc_error *err = process_read_file(process, path, &text, &size);

	return !err && sscanf(text, "%" SCNu64 " %*u %" SCNu64, &ret->runtime, &ret->arrivals) == 2;
}

static bool read_syscall(struct process *process, pid_t tid, struct status_syscall *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[48];
	size_t size;

	snprintf(path, sizeof(path), "task/%d/syscall", tid);
	_cleanup_error_ struct dc_error *err = process_read_file(process, path, &text, &size);

	return !err && status_parse_syscall(text, ret);
}

static struct instant begin_by_proc(struct process *process, pid_t tid)
{
	struct instant instant = { .tid = tid,
				   .state = INSTANT_ENDED,
				   .is_waiting = true,
				   .unknown = ~(uint32_t)REGISTERS_PLACE };
	struct status_syscall call;

	if (!read_marks(process, tid, &instant.marks) || !read_syscall(process, tid, &call))
		return instant;
	instant.state = call.is_running ? INSTANT_RUNS : INSTANT_STANDS;
	instant.regs = registers_known_from(call.pc, call.sp, call.nr);
	memcpy(instant.args, call.args, sizeof(instant.args));
	return instant;
}

static void check_by_proc(struct process *process, struct instant *instant)
{
	struct instant later = begin_by_proc(process, instant->tid);
	struct bpf_marks marks = later.marks;

	// The marks last: they vouch for what was read before them.
	if (later.state != INSTANT_ENDED && !read_marks(process, instant->tid, &marks))
		later.state = INSTANT_ENDED;
	if (later.state == INSTANT_ENDED)
		instant->state = INSTANT_ENDED;
	else if (instant->state == INSTANT_STANDS &&
		 (later.state != INSTANT_STANDS || memcmp(&marks, &instant->marks, sizeof(marks)) ||
		  memcmp(&later.regs, &instant->regs, sizeof(later.regs))))
		instant->state = INSTANT_MOVED;
}

struct dc_error *instants_begin(struct process *process, struct bpf_threads *bpf, const pid_t *tids,
				size_t n, struct instants *ret)
{
	*ret = (struct instants){ 0 };
	if (bpf)
		return begin_by_bpf(bpf, ret);
	ret->instant = calloc(n ?: 1, sizeof(*ret->instant));
	if (!ret->instant)
		return &dc_out_of_memory;
	ret->n = n;
	for (size_t i = 0; i < n; i++)
		ret->instant[i] = begin_by_proc(process, tids[i]);
	qsort(ret->instant, n, sizeof(*ret->instant), compare);
	return NULL;
}

struct dc_error *instants_check(struct process *process, struct bpf_threads *bpf,
				struct instants *instants)
{
	if (bpf)
		return check_by_bpf(bpf, instants);
	for (size_t i = 0; i < instants->n; i++)
		check_by_proc(process, &instants->instant[i]);
	return NULL;
}
