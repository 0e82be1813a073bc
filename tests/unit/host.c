// SPDX-License-Identifier: MIT
// A host, asked step by step: requests are begun, attended to for a time, cancelled and finished.
// The target is a fork of this program, so that functions have the same addresses in both.
#include "debugger/inject/host.h"
#include "tests/harness/test.h"

enum { MILLISECOND = 1000 * 1000 };

struct shared {
	volatile uint64_t beats, calls, may_return;
};
static struct shared *shared;

static long add(long a, long b)
{
	shared->calls++;
	return a + b;
}

static long waits(void)
{
	while (!shared->may_return)
		shared->calls++;
	return 7;
}

struct fixture {
	struct borrow_options options;
	struct process *process;
	struct tracer *tracer;
	struct loan loan;
	const struct host *host;
	void *state;
	struct request request;
	struct abi_entry entry;
	struct abi_exit exit;
	int64_t until;
};

static void well(struct dc_error *err)
{
	if (err)
		fail("%s", err->message);
}

static struct fixture *start(void *callee)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	pid_t pid;

	expect(fixture);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			shared->beats++;
	}
	until(shared->beats);
	for (size_t i = 0; i < nr_hosts; i++)
		if (hosts[i]->id == DC_HOST_BARE)
			fixture->host = hosts[i];
	fixture->options.wait_ns = INT64_C(10000) * MILLISECOND;
	well(process_open(pid, &fixture->process));
	well(tracer_create(fixture->process, &fixture->tracer));
	well(loan_init(&fixture->loan, fixture->tracer, fixture->process, NULL, NULL,
		       &fixture->options));
	well(fixture->host->probe(&(struct host_context){ .loan = &fixture->loan },
				  &fixture->state));
	well(fixture->host->can(fixture->state, fixture->options.wait_ns));
	fixture->entry.general[0] = 1;
	fixture->entry.general[1] = 2;
	fixture->request = (struct request){
		.addr = (uint64_t)(uintptr_t)callee,
		.name = "the callee",
		.entry = &fixture->entry,
		.n = 1,
		.exit = &fixture->exit,
	};
	return fixture;
}

static struct dc_error *run_begin(void *arg)
{
	struct fixture *fixture = arg;

	return fixture->host->begin(fixture->state, &fixture->request);
}

static struct dc_error *run_poll(void *arg)
{
	struct fixture *fixture = arg;

	return fixture->host->poll(fixture->state, &fixture->request, fixture->until);
}

static struct dc_error *run_finish(void *arg)
{
	struct fixture *fixture = arg;

	return fixture->host->finish(fixture->state, &fixture->request);
}

static struct dc_error *run_end(void *arg)
{
	return loan_end(arg);
}

static void begin(struct fixture *fixture)
{
	well(tracer_run(fixture->tracer, run_begin, fixture));
}

static void poll_for(struct fixture *fixture, int64_t ns)
{
	fixture->until = ns ? tracer_now() + ns : 0;
	well(tracer_run(fixture->tracer, run_poll, fixture));
}

// The thread is given back, and works on.
static void end(struct fixture *fixture)
{
	uint64_t beats;

	well(tracer_run(fixture->tracer, run_end, &fixture->loan));
	beats = shared->beats;
	until(shared->beats > beats);
	fixture->host->destroy(fixture->state);
	loan_deinit(&fixture->loan);
	tracer_destroy(fixture->tracer);
	kill(fixture->process->pid, SIGKILL);
	process_close(fixture->process);
	free(fixture);
}

TEST("every host has a name of its own and takes every step")
{
	for (size_t i = 0; i < nr_hosts; i++) {
		const struct host *host = hosts[i];

		equal(dc_host_name(host->id), host->name);
		expect(host->probe && host->destroy && host->can && host->begin && host->poll &&
		       host->cancel && host->finish && host->literal && host->absence);
	}
	equal(dc_host_name((enum dc_host) - 1), NULL);
}

TEST("a poll for a time leaves the callee to itself and comes back to it")
{
	struct fixture *fixture = start(waits);

	begin(fixture);
	for (int i = 0; i < 3; i++) {
		uint64_t calls = shared->calls;

		poll_for(fixture, 5 * MILLISECOND);
		expect(!fixture->request.is_over);
		until(shared->calls > calls);
	}
	shared->may_return = 1;
	poll_for(fixture, 0);
	expect(fixture->request.is_over);
	well(tracer_run(fixture->tracer, run_finish, fixture));
	equal(fixture->exit.rax, 7);
	end(fixture);
}

TEST("a callee that is cancelled is undone, and another is called")
{
	struct fixture *fixture = start(waits);
	struct dc_error *err;

	begin(fixture);
	poll_for(fixture, MILLISECOND);
	fixture->host->cancel(fixture->state, &fixture->request);
	poll_for(fixture, 0);
	expect(fixture->request.is_over);
	err = tracer_run(fixture->tracer, run_finish, fixture);
	expect(err);
	equal(err->code, DC_CANCELLED);
	equal(err->state, DC_STATE_RUNNING);
	dc_error_destroy(err);
	fixture->request.addr = (uint64_t)(uintptr_t)add;
	fixture->request.is_over = fixture->request.is_cancelled = false;
	begin(fixture);
	poll_for(fixture, 0);
	well(tracer_run(fixture->tracer, run_finish, fixture));
	equal(fixture->exit.rax, 3);
	end(fixture);
}

TEST("a cancel before the first poll undoes what was begun")
{
	struct fixture *fixture = start(waits);
	struct dc_error *err;

	begin(fixture);
	fixture->host->cancel(fixture->state, &fixture->request);
	poll_for(fixture, 0);
	expect(fixture->request.is_over);
	err = tracer_run(fixture->tracer, run_finish, fixture);
	expect(err);
	equal(err->code, DC_CANCELLED);
	equal(shared->calls, 0);
	dc_error_destroy(err);
	end(fixture);
}

TEST("a batch is made call by call, in slices between which the thread is free")
{
	enum { CALLS = 500 };
	struct fixture *fixture = start(add);
	struct request *request = &fixture->request;

	request->n = CALLS;
	request->slice_ns = 1;
	begin(fixture);
	poll_for(fixture, 0);
	well(tracer_run(fixture->tracer, run_finish, fixture));
	equal(request->done, 1);
	expect(!loan_is_held(&fixture->loan));
	request->slice_ns = INT64_C(60000) * MILLISECOND;
	request->is_over = false;
	well(fixture->host->can(fixture->state, fixture->options.wait_ns));
	begin(fixture);
	poll_for(fixture, 0);
	well(tracer_run(fixture->tracer, run_finish, fixture));
	equal(request->done, CALLS);
	equal(shared->calls, CALLS);
	equal(fixture->exit.rax, 3);
	end(fixture);
}
