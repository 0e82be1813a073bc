// SPDX-License-Identifier: MIT
// One thread at a time: registers and a copy of the stack, then it is let go.
#include "debugger/stack/halted.h"

#include "debugger/target/memory.h"
#include "debugger/target/tracee.h"

#include <stdlib.h>
#include <sys/ptrace.h>

enum { COPIED = 65536 };

struct job {
	struct tracee tracee; // only stopped: nothing of it is kept
	pid_t tid;
	struct snapshot *snapshot;
	bool taken;
};

static struct dc_error *run(void *arg)
{
	struct job *job = arg;
	struct tracee *tracee = &job->tracee;
	struct snapshot *snapshot = job->snapshot;
	enum tracee_stop stop = TRACEE_ENDED;
	struct dc_error *err = tracee_stop(tracee, job->tid, &stop);

	if (stop == TRACEE_STOPPED) {
		snapshot->regs = tracee->regs;
		snapshot->stack_start = registers_sp(&tracee->regs) - RED_ZONE;
		snapshot->stack_size = memory_read_some(tracee->process, snapshot->stack_start,
							snapshot->stack, COPIED);
		// A thread in a mode that calls are refused in can be looked at all the same.
		if (err && err->code == DC_REFUSED) {
			dc_error_destroy(err);
			err = NULL;
		}
		job->taken = !err;

		struct dc_error *leave = tracee_leave(tracee);

		if (leave && !err && leave->code != DC_TARGET_ENDED)
			return leave;
		dc_error_destroy(leave);
	}
	return err;
}

struct dc_error *halted_snapshot(struct tracer *tracer, struct process *process, pid_t tid,
				 struct snapshot *ret, bool *taken)
{
	struct job job = {
		.tracee = { .tracer = tracer,
			    .process = process,
			    .options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC },
		.tid = tid,
		.snapshot = ret,
	};
	struct dc_error *err;

	*ret = (struct snapshot){ .stack = malloc(COPIED) };
	*taken = false;
	if (!ret->stack)
		return &dc_out_of_memory;
	err = tracer_run(tracer, run, &job);
	*taken = job.taken && !err;
	tracee_deinit(&job.tracee);
	return err;
}
