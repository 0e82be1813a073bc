// SPDX-License-Identifier: MIT
// Programs on perf events. Each event has the same small one, the gate, for ever; what it asks is in an
// array that can be changed at any moment, so that no event is ever opened anew for another condition.
#include "debugger/target/filter.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/kernel_breakpoint.h"
#include "debugger/target/permission.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum { THREADS_MAX = 4096, SCRATCH = -8 };

// A thread's hits, in memory that the programs and we have in common. The calls that read maps are not
// made while hits are judged: for as long as one of them is on a CPU, or waits for it, no program is
// run there, and the kernel keeps the hit to itself.
struct counts {
	uint64_t judged, told;
};

struct filter {
	int choice; // the program that judges; none in it: all are told
	int places; // by thread: where its counts are
	int shared; // the counts
	int gate;
	struct counts *counts;
	uint32_t nr_free, free[THREADS_MAX]; // places
};

// One more of the thread's; what is no thread of ours is not counted.
static void put_count(struct bpf_program *program, const struct filter *filter, int which)
{
	const int maps[] = { filter->places, filter->shared };
	size_t unknown[2];

	bpf_put_call(program, BPF_FUNC_get_current_pid_tgid);
	for (size_t i = 0; i < 2; i++) {
		bpf_put(program, BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_0, SCRATCH, 0);
		bpf_put_map(program, BPF_REG_1, maps[i]);
		bpf_put_move(program, BPF_REG_2, BPF_REG_10);
		bpf_put(program, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, SCRATCH);
		bpf_put_call(program, BPF_FUNC_map_lookup_elem);
		unknown[i] = bpf_put(program, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
		if (!i)
			bpf_put(program, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_0, 0, 0);
	}
	bpf_put(program, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_0, which, 0);
	bpf_put(program, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, 1);
	bpf_put(program, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_1, which, 0);
	bpf_land(program, unknown[0]);
	bpf_land(program, unknown[1]);
}

static void put_told(struct bpf_program *program, const struct filter *filter)
{
	put_count(program, filter, offsetof(struct counts, told));
	bpf_put_exit(program, 1);
}

static struct dc_error *load(const struct bpf_program *program, int *ret)
{
	if (!bpf_program_is_whole(program))
		return error_make(DC_REFUSED, "the program would be too long");
	*ret = bpf_prog_load(BPF_PROG_TYPE_PERF_EVENT, "dc_filter", "Dual MIT/GPL", program->insns,
			     program->n, NULL);
	return *ret >= 0 ? NULL
			 : error_make(DC_REFUSED, "the kernel takes no BPF program from us: %s",
				      strerror(errno));
}

static struct dc_error *open_gate(struct filter *filter)
{
	struct bpf_program program = { .n = 0 };

	bpf_put_move(&program, BPF_REG_6, BPF_REG_1);
	put_count(&program, filter, offsetof(struct counts, judged));
	bpf_put_move(&program, BPF_REG_1, BPF_REG_6);
	bpf_put_map(&program, BPF_REG_2, filter->choice);
	bpf_put_number(&program, BPF_REG_3, 0);
	bpf_put_call(&program, BPF_FUNC_tail_call); // comes back where there is none
	put_told(&program, filter);
	return load(&program, &filter->gate);
}

static struct dc_error *open_maps(struct filter *filter)
{
	const struct bpf_map_create_opts mapped = { .sz = sizeof(mapped),
						    .map_flags = BPF_F_MMAPABLE };
	const size_t size = THREADS_MAX * sizeof(struct counts);
	void *counts;

	filter->places = bpf_map_create(BPF_MAP_TYPE_HASH, "dc_places", sizeof(uint32_t),
					sizeof(uint32_t), THREADS_MAX, NULL);
	if (filter->places >= 0)
		filter->shared = bpf_map_create(BPF_MAP_TYPE_ARRAY, "dc_counts", sizeof(uint32_t),
						sizeof(struct counts), THREADS_MAX, &mapped);
	if (filter->shared >= 0)
		filter->choice = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "dc_choice",
						sizeof(uint32_t), sizeof(uint32_t), 1, NULL);
	if (filter->choice < 0)
		return error_make(DC_REFUSED, "the kernel takes no BPF map from us: %s",
				  strerror(errno));
	counts = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, filter->shared, 0);
	if (counts == MAP_FAILED)
		return error_make(DC_REFUSED, "the kernel shows us no BPF map: %s",
				  strerror(errno));
	filter->counts = counts;
	return NULL;
}

static struct dc_error *create(struct filter **ret)
{
	struct filter *filter = malloc(sizeof(*filter));
	struct dc_error *err;

	if (!filter)
		return &dc_out_of_memory;
	*filter = (struct filter){ -1, -1, -1, -1, .nr_free = THREADS_MAX };
	for (uint32_t i = 0; i < THREADS_MAX; i++)
		filter->free[i] = THREADS_MAX - 1 - i;
	err = open_maps(filter);
	if (!err)
		err = open_gate(filter);
	if (err) {
		filter_destroy(filter);
		return err;
	}
	*ret = filter;
	return NULL;
}

void filter_destroy(struct filter *filter)
{
	if (!filter)
		return;

	const int fds[] = { filter->gate, filter->choice, filter->shared, filter->places };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	if (filter->counts)
		munmap(filter->counts, THREADS_MAX * sizeof(*filter->counts));
	free(filter);
}

struct dc_error *filter_set(struct filter *filter, const struct bpf_program *program)
{
	const uint32_t only = 0;
	struct bpf_program whole = { .n = 0 };
	_cleanup_close_ int fd = -1;
	struct dc_error *err;
	size_t told;

	if (!program) {
		if (bpf_map_delete_elem(filter->choice, &only) && errno != ENOENT)
			return error_errno(errno, "lifting a condition");
		return NULL;
	}
	bpf_put_move(&whole, BPF_REG_6, BPF_REG_1);
	bpf_append(&whole, program);
	told = bpf_put(&whole, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 0, 0);
	bpf_put_exit(&whole, 0);
	bpf_land(&whole, told);
	put_told(&whole, filter);
	err = load(&whole, &fd);
	if (!err && bpf_map_update_elem(filter->choice, &only, &fd, BPF_ANY))
		err = error_errno(errno, "setting a condition");
	return err;
}

struct dc_error *filter_attach(struct filter *filter, int event, pid_t tid, uint32_t *ret)
{
	uint32_t place;

	if (!filter->nr_free)
		return error_make(DC_REFUSED, "a condition judges %d threads and no more",
				  THREADS_MAX);
	place = filter->free[filter->nr_free - 1];
	filter->counts[place] = (struct counts){ 0 };
	if (bpf_map_update_elem(filter->places, &tid, &place, BPF_ANY))
		return error_errno(errno, "counting hits of thread %d", tid);
	if (ioctl(event, PERF_EVENT_IOC_SET_BPF, filter->gate))
		return error_errno(errno, "a program on a breakpoint of thread %d", tid);
	filter->nr_free--;
	*ret = place;
	return NULL;
}

void filter_detach(struct filter *filter, pid_t tid, uint32_t place)
{
	bpf_map_delete_elem(filter->places, &tid);
	filter->free[filter->nr_free++] = place;
}

uint64_t filter_told(const struct filter *filter, uint32_t place)
{
	return __atomic_load_n(&filter->counts[place].told, __ATOMIC_RELAXED);
}

uint64_t filter_judged(const struct filter *filter, uint32_t place)
{
	return __atomic_load_n(&filter->counts[place].judged, __ATOMIC_RELAXED);
}

// ---- whether the kernel heeds it ------------------------------------------------------------------

// A thread of ours comes by a breakpoint of its own, with the notice blocked, so that what was sent
// stays where it can be looked at, and goes with the thread.
struct probe {
	struct dc_error *err;
	bool tells_all;
};

static __attribute__((noinline)) void come_by(void)
{
	__asm__ volatile("");
}

static bool is_told(void)
{
	_cleanup_fclose_ FILE *status = fopen("/proc/thread-self/status", "re");
	char line[256];
	unsigned long long pending = 0;

	while (status && fgets(line, sizeof(line), status)) {
		if (sscanf(line, "SigPnd: %llx", &pending) == 1)
			break;
	}
	return pending >> (SIGURG - 1) & 1;
}

static struct dc_error *come_judged(struct filter *filter, bool *tells_all)
{
	const uint64_t here = (uint64_t)(uintptr_t)come_by;
	struct kernel_breakpoint breakpoint;
	struct bpf_program never = { .n = 0 };
	struct dc_error *err = kernel_breakpoint_prepare(&breakpoint, gettid(), BREAKPOINT_EXECUTE,
							 here, 0, SIGURG);

	bpf_put_number(&never, BPF_REG_0, 0);
	if (!err)
		err = filter_set(filter, &never);
	if (!err)
		err = kernel_breakpoint_attach(&breakpoint, filter);
	if (!err)
		err = kernel_breakpoint_enable(&breakpoint);
	if (!err) {
		come_by();
		*tells_all = is_told();
		err = filter_set(filter, NULL);
	}
	if (!err && !*tells_all) {
		come_by();
		if (!is_told() || kernel_breakpoint_hits(&breakpoint) != 1)
			err = error_make(DC_REFUSED, "a breakpoint of our own is not met");
	}
	kernel_breakpoint_disarm(&breakpoint);
	return err;
}

static void *run_probe(void *arg)
{
	struct probe *probe = arg;
	struct filter *filter;

	probe->err = create(&filter);
	if (probe->err)
		return NULL;
	probe->err = come_judged(filter, &probe->tells_all);
	filter_destroy(filter);
	if (!probe->err && probe->tells_all)
		probe->err = error_make(DC_REFUSED, "this kernel tells hits whatever a program "
						    "answers");
	return NULL;
}

static struct {
	pthread_once_t once;
	enum dc_code code; // 0: it does
	char why[160];
} heeded = { .once = PTHREAD_ONCE_INIT };

static void look(void)
{
	struct probe probe = { 0 };
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);

	int failed = pthread_create(&thread, NULL, run_probe, &probe);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		probe.err = error_errno(failed, "a thread that tries it");
	else
		pthread_join(thread, NULL);
	if (!probe.err)
		return;
	heeded.code = probe.err->code;
	snprintf(heeded.why, sizeof(heeded.why), "%s", probe.err->message);
	dc_error_destroy(probe.err);
}

struct dc_error *filter_create(struct filter **ret)
{
	if (!permission_is_first_pid_namespace())
		return error_make(DC_REFUSED, "thread ids in this PID namespace are not the "
					      "kernel's own");
	pthread_once(&heeded.once, look);
	if (heeded.code)
		return error_make(DC_REFUSED, "%s", heeded.why);
	return create(ret);
}
