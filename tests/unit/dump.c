// SPDX-License-Identifier: MIT
// Stacks of threads that run on while they are read: each that is given out must be one that its
// thread had. Without the check the same reads give others, so the target is mean enough.
// timeout: 300 s
#include "debugger/stack/dump.h"
#include "debugger/stack/instants.h"
#include "debugger/target/memory.h"
#include "tests/targets/movers.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { MOVERS = 6, COPY = 16384 };

struct target {
	pid_t pid;
	struct process *process;
	struct symbols *symbols;
	struct unwind *unwind;
	struct bpf_threads *bpf;
	struct unwound frames[UNWIND_MAX];
	size_t right, wrong;
};

static struct target *start(void)
{
	struct target *target = calloc(1, sizeof(*target));
	const char *build = getenv("B") ?: "build/release";
	char path[512], ready[6];
	int out[2];

	snprintf(path, sizeof(path), "%s/tests/targets/movers", build);
	assert_int_equal(pipe(out), 0);
	target->pid = fork();
	if (!target->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		execl(path, "movers", "6", NULL);
		_exit(1);
	}
	close(out[1]);
	assert_int_equal(read(out[0], ready, sizeof(ready)), sizeof(ready));
	close(out[0]);
	assert_null(process_open(target->pid, &target->process));
	assert_null(symbols_load(target->process, &target->symbols));
	assert_null(unwind_create(target->process, target->symbols, &target->unwind));
	return target;
}

static void end(struct target *target)
{
	bpf_threads_destroy(target->bpf);
	unwind_destroy(target->unwind);
	symbols_destroy(target->symbols);
	process_close(target->process);
	kill(target->pid, SIGKILL);
	waitpid(target->pid, NULL, 0);
	free(target);
}

// The number behind the prefix of the name of what is at pc; -1: it is another.
static int numbered(struct target *target, uint64_t pc, const char *prefix)
{
	const char *name;
	uint64_t offset;

	if (!symbols_name_of(target->symbols, pc, &name, &offset) ||
	    strncmp(name, prefix, strlen(prefix)) != 0)
		return -1;
	return atoi(name + strlen(prefix));
}

// Judges the stacks that have a leaf, and reach the thread's function: the others are on their way.
static void judge(struct target *target, const uint64_t *pcs, size_t n)
{
	unsigned char chain[UNWIND_MAX];
	unsigned length = 0;
	int leaf = -1;

	for (size_t i = 0; i < n; i++) {
		int way = numbered(target, pcs[i], "way_");
		const char *name;
		uint64_t offset;

		if (leaf < 0)
			leaf = numbered(target, pcs[i], "leaf_");
		else if (way >= 0)
			chain[length++] = (unsigned char)way;
		else if (symbols_name_of(target->symbols, pcs[i], &name, &offset) &&
			 !strcmp(name, "mover"))
			break;
	}
	if (leaf < 0)
		return;
	for (unsigned i = 0; i < length / 2; i++) {
		unsigned char swap = chain[i];

		chain[i] = chain[length - 1 - i];
		chain[length - 1 - i] = swap;
	}
	if (length && length <= MOVERS_DEPTH && movers_leaf(chain, length) == (unsigned)leaf)
		target->right++;
	else
		target->wrong++;
}

static void judge_dump(struct target *target, const struct dump *dump)
{
	for (size_t i = 0; i < dump->n; i++) {
		const struct dump_thread *thread = &dump->threads[i];
		uint64_t pcs[UNWIND_MAX];

		if (thread->tid == target->pid || thread->way == DUMP_NONE)
			continue;
		// Whatever is not complete must say so; without all registers that is allowed.
		if (target->bpf)
			assert_true(thread->complete);
		if (!thread->complete)
			continue;
		for (size_t k = 0; k < thread->n; k++)
			pcs[k] = thread->frames[k].looked_up;
		judge(target, pcs, thread->n);
	}
}

static void run(struct target *target)
{
	size_t wanted = getenv("DC_CAMPAIGN") ? 100000 : 2000;
	struct dump_options options = { .bpf = target->bpf };

	while (target->right + target->wrong < wanted) {
		struct dump dump;

		assert_null(dump_take(target->process, target->unwind, &options, &dump));
		judge_dump(target, &dump);
		dump_deinit(&dump);
	}
	printf("# %zu right, %zu wrong\n", target->right, target->wrong);
	assert_int_equal(target->wrong, 0);
}

static void by_bpf(void **state)
{
	struct target *target = start();
	struct dc_error *err = bpf_threads_create(target->process, &target->bpf);

	(void)state;
	if (err) {
		printf("# %s\n", err->message);
		dc_error_destroy(err);
		end(target);
		skip();
	}
	run(target);
	end(target);
}

static void by_proc(void **state)
{
	struct target *target = start();

	(void)state;
	run(target);
	end(target);
}

// The same reads, believed whether the thread has run or not.
static void unchecked(void **state)
{
	struct target *target = start();
	struct process_threads threads;

	(void)state;
	assert_null(process_threads(target->process, &threads));
	while (!target->wrong && target->right < 1000000) {
		for (size_t i = 1; i < threads.n; i++) {
			struct instants instants;
			uint64_t pcs[UNWIND_MAX];
			bool complete;
			size_t n;

			assert_null(instants_begin(target->process, NULL, &threads.tids[i], 1,
						   &instants));

			struct instant *instant = &instants.instant[0];
			struct snapshot snapshot = {
				.regs = instant->regs,
				.unknown = instant->unknown,
				.stack_start = instant->regs.rsp - RED_ZONE,
				.stack = malloc(COPY),
			};

			snapshot.stack_size = memory_read_some(
				target->process, snapshot.stack_start, snapshot.stack, COPY);
			assert_null(unwind_walk(target->unwind, &snapshot, target->frames,
						UNWIND_MAX, &n, &complete));
			for (size_t k = 0; k < n; k++)
				pcs[k] = target->frames[k].frame.pc;
			if (complete)
				judge(target, pcs, n);
			free(snapshot.stack);
			instants_deinit(&instants);
		}
	}
	printf("# %zu right, %zu wrong\n", target->right, target->wrong);
	assert_int_not_equal(target->wrong, 0);
	process_threads_deinit(&threads);
	end(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_bpf),
		cmocka_unit_test(by_proc),
		cmocka_unit_test(unchecked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
