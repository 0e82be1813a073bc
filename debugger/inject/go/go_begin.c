// SPDX-License-Identifier: MIT
// Who begins a call: a goroutine that runs, asked by a signal to its thread; or, where none does,
// the sweeper, woken by a thread that has no work.
#include "debugger/inject/go/go.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

// ---- threads --------------------------------------------------------------------------------------

// Where the process sees itself under other numbers than we do, both are asked for.
static pid_t tid_of(const struct go *go, uint64_t inner)
{
	struct process_threads threads;
	struct thread_info info;
	struct dc_error *err = process_thread_info(go->process, go->process->pid, &info);
	pid_t tid = 0;

	if (err || info.inner_pid == go->process->pid) {
		dc_error_destroy(err);
		return (pid_t)inner;
	}
	err = process_threads(go->process, &threads);
	for (size_t i = 0; !err && i < threads.n && !tid; i++) {
		struct dc_error *ended = process_thread_info(go->process, threads.tids[i], &info);

		if (!ended && (uint64_t)info.inner_tid == inner)
			tid = threads.tids[i];
		dc_error_destroy(ended);
	}
	process_threads_deinit(&threads);
	dc_error_destroy(err);
	return tid;
}

struct dc_error *go_machines(const struct go *go, struct go_machine **ret, size_t *n)
{
	struct dc_error *err = go_machines_list(go->process, &go->runtime.layout, ret, n);

	for (size_t i = 0; !err && i < *n; i++)
		if ((*ret)[i].thread)
			(*ret)[i].tid = tid_of(go, (*ret)[i].thread);
	return err;
}

uint32_t go_status(const struct go *go, uint64_t g)
{
	enum { SCAN = 0x1000 };
	uint32_t status = 0;

	go_read(go, g + go->runtime.places.g_status, &status, sizeof(status));
	return status & ~(uint32_t)SCAN;
}

// ---- signals --------------------------------------------------------------------------------------

static bool is_pending(const struct go *go)
{
	struct process_threads threads;
	struct dc_error *err = process_threads(go->process, &threads);
	bool pending = false;

	for (size_t i = 0; !err && i < threads.n && !pending; i++) {
		struct thread_info info;

		dc_error_destroy(err);
		err = process_thread_info(go->process, threads.tids[i], &info);
		pending = !err && (info.sig_pending | info.shared_pending) & SIGNAL_BIT(SIGTRAP);
		if (err) {
			dc_error_destroy(err);
			err = NULL;
		}
	}
	process_threads_deinit(&threads);
	dc_error_destroy(err);
	return pending;
}

bool go_signals_have_come(struct go *go)
{
	enum { LATE_NS = 20 * 1000 * 1000 };
	uint32_t counts[2];

	_Static_assert(offsetof(struct go_pad, received) == offsetof(struct go_pad, sent) + 4,
		       "read at once");
	if (!go_read(go, go_field(go, sent), counts, sizeof(counts)))
		return false;
	if (counts[0] == counts[1])
		return true;
	// One that was sent to a thread that has ended, or never, by a debugger that ended. Taken off
	// the list of pending ones it is at the handler's first instruction still, for a moment.
	if (tracer_now() - go->asked < LATE_NS || is_pending(go))
		return false;
	if (!go->late) {
		go->late = tracer_now();
		return false;
	}
	if (tracer_now() - go->late < LATE_NS)
		return false;
	go->late = 0;
	dc_error_destroy(go_put(go, sent, counts[1]));
	return true;
}

static struct dc_error *send(struct go *go, pid_t tid)
{
	siginfo_t info = { .si_signo = SIGTRAP, .si_code = SI_QUEUE };
	uint32_t sent = 0, serial = 0;
	struct dc_error *err;

	if (!go_get(go, sent, &sent) || !go_get(go, serial, &serial))
		return error_make(DC_REFUSED, "the pad cannot be read");
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = (void *)(uintptr_t)go_pad_number(serial);
	err = go_put(go, sent, sent + 1);
	if (!err)
		err = go_pad_arm(go);
	if (err)
		return err;
	if (syscall(SYS_rt_tgsigqueueinfo, go->process->pid, tid, SIGTRAP, &info) == 0)
		return NULL;
	err = error_make(DC_REFUSED, "thread %d takes no signal: %s", tid, strerror(errno));
	dc_error_destroy(go_put(go, sent, sent));
	return err;
}

// ---- one that runs --------------------------------------------------------------------------------

// The kernel would drop a signal that a tracer ends with.
static bool is_traced(struct go *go, const struct go_machine *machine)
{
	struct thread_info info;
	struct dc_error *err = process_thread_info(go->process, machine->tid, &info);
	bool traced = err || info.tracer;

	if (!err && traced)
		snprintf(go->reason, sizeof(go->reason), ": thread %d is being traced",
			 machine->tid);
	dc_error_destroy(err);
	return traced;
}

// Whoever is woken may run on any of them, and a tracer would get the conversation to see.
struct dc_error *go_refuse_followed(struct go *go, const struct go_machine *machines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!machines[i].tid || !is_traced(go, &machines[i]))
			continue;
		go->is_final = true;
		return error_make(DC_REFUSED,
				  "Go functions are not called while threads of process %d are "
				  "followed (%d is): Go's debug call is to end without a debugger",
				  go->process->pid, machines[i].tid);
	}
	return NULL;
}

// To its thread, as all are that a thread of C's has called: back in C that one would die of a
// signal that Go has no goroutine for.
static bool is_bound(const struct go *go, uint64_t g)
{
	uint64_t m = 0;

	return !go_read(go, g + go->runtime.layout.at.g.locked_m, &m, sizeof(m)) || m;
}

static struct dc_error *ask_running(struct go *go, const struct go_machine *machines, size_t n,
				    uint64_t g, bool *done)
{
	pid_t wanted = go->loan->options->thread;

	*done = false;
	// Not always the same one.
	for (size_t i = 0; i < n; i++) {
		const struct go_machine *machine = &machines[(i + go->tries) % n];
		struct dc_error *err;

		if (!machine->p || !machine->current || !machine->tid ||
		    is_bound(go, machine->current) || (wanted && machine->tid != wanted) ||
		    (g && machine->current != g) ||
		    go_status(go, machine->current) != GO_STATUS_RUNNING || is_traced(go, machine))
			continue;
		*done = true;
		go->way = GO_BY_SIGNAL;
		err = go_put(go, turn, GO_ASKED);
		return err ? err : send(go, machine->tid);
	}
	return NULL;
}

// ---- one that sleeps ------------------------------------------------------------------------------

static bool sleeps_without_work(const struct go *go, const struct go_machine *machine)
{
	struct thread_info info;
	struct dc_error *err;
	bool sleeps;

	if (machine->p || machine->current || machine->locks || !machine->tid)
		return false;
	err = process_thread_info(go->process, machine->tid, &info);
	sleeps = !err && info.state == 'S' && info.in_syscall &&
		 (info.syscall == SYS_futex || info.syscall == SYS_epoll_pwait ||
		  info.syscall == SYS_nanosleep);
	dc_error_destroy(err);
	return sleeps;
}

// Stopped where it was seen to sleep, on its system stack, with room.
static bool may_wake(const struct go *go, const struct go_machine *machine,
		     const struct tracee *tracee)
{
	enum { ROOM = 6 * 1024 };
	struct go_machine now;
	uint64_t stack[2], sp = registers_sp(&tracee->regs);
	long nr = registers_syscall(&tracee->regs);

	return (nr == SYS_futex || nr == SYS_epoll_pwait || nr == SYS_nanosleep) &&
	       go_machine_read(go->process, &go->runtime.layout, machine->addr, &now) && !now.p &&
	       !now.current && !now.locks && now.thread == machine->thread &&
	       go_read(go, now.g0, stack, sizeof(stack)) && sp <= stack[1] && sp > stack[0] &&
	       sp - stack[0] >= ROOM;
}

// It goes to the pad's code, and from there home by itself.
static struct dc_error *lead(struct go *go, const struct go_machine *machine, struct tracee *tracee)
{
	struct user_regs_struct regs;
	struct dc_error *err = tracee_write_home(tracee);

	uint32_t serial = 0;

	if (!err && !go_get(go, serial, &serial))
		err = error_make(DC_REFUSED, "the pad cannot be read");
	if (!err && !go->takes_back)
		err = go_put(go, turn, GO_ASKED);
	if (!err)
		err = go_put(go, takes_back, go->takes_back);
	if (!err)
		err = go_pad_arm(go);
	if (err)
		return err;
	regs = tracee->regs;
	registers_forget_syscall(&regs);
	regs.rip = go_place(go->pad, go_pad_wake);
	regs.rsp = tracee->way->start;
	regs.rdi = go->pad + GO_PAD_CODE;
	regs.r12 = tracee->way->context;
	regs.r13 = (registers_sp(&tracee->regs) - 512) & ~UINT64_C(15);
	regs.r14 = machine->g0;
	regs.r15 = serial;
	return registers_set(tracee->tid, &regs);
}

static struct dc_error *wake_by(struct go *go, const struct go_machine *machine,
				struct tracee *tracee, bool *done)
{
	bool held;
	struct dc_error *err = go_stop(go, machine, tracee, &held), *release;

	if (err || !held)
		return err;
	if (may_wake(go, machine, tracee)) {
		err = lead(go, machine, tracee);
		if (!err) {
			*done = true;
			go->way = go->loan->options->goroutine ? GO_BY_GOROUTINE : GO_BY_WAKE;
			return tracee_leave(tracee);
		}
	}
	release = tracee_release(tracee);
	if (!err)
		return release;
	dc_error_destroy(release);
	return err;
}

static struct dc_error *wake(struct go *go, const struct go_machine *machines, size_t n, bool *done)
{
	_cleanup_(tracee_deinit) struct tracee tracee = { 0 };
	struct dc_error *err = go_refuse_followed(go, machines, n);

	if (!err)
		err = tracee_init(&tracee, go->loan->tracer, go->process, &go->loan->gadgets);
	for (size_t i = 0; i < n && !err && !*done; i++)
		if (sleeps_without_work(go, &machines[i]))
			err = wake_by(go, &machines[i], &tracee, done);
	go->loan->tracee.pause_ns += tracee.pause_ns;
	return err;
}

// ---- one by its number ----------------------------------------------------------------------------

static struct dc_error *find_goroutine(const struct go *go, uint64_t id, uint64_t *ret)
{
	uint64_t words[2], *list, start = 0, found = 0;
	struct dc_frame first;

	if (!go_read(go, go->runtime.layout.allgs, words, sizeof(words)) || words[1] > 1 << 24)
		return error_make(DC_REFUSED, "the goroutines of process %d cannot be read",
				  go->process->pid);
	list = calloc(words[1] ?: 1, sizeof(*list));
	if (!list)
		return &dc_out_of_memory;
	if (!go_read(go, words[0], list, words[1] * sizeof(*list)))
		words[1] = 0;
	for (size_t i = 0; i < words[1] && !found; i++) {
		uint64_t its = 0;

		if (go_read(go, list[i] + go->runtime.layout.at.g.id, &its, sizeof(its)) &&
		    its == id && go_status(go, list[i]) != GO_STATUS_DEAD)
			found = list[i];
	}
	free(list);
	*ret = found;
	if (!found)
		return error_make(DC_REFUSED, "process %d has no goroutine %" PRIu64,
				  go->process->pid, id);
	// The runtime's own do not expect to find anything on their stacks.
	go_read(go, found + go->runtime.layout.at.g.start_pc, &start, sizeof(start));
	first = symbols_describe(go->symbols, start);
	if (first.function && !strncmp(first.function, "runtime.", 8) &&
	    strcmp(first.function, "runtime.main") != 0)
		return error_make(DC_REFUSED, "goroutine %" PRIu64 " is the runtime's own (%s)", id,
				  first.function);
	return NULL;
}

static struct dc_error *ask_goroutine(struct go *go, const struct go_machine *machines, size_t n,
				      bool *done)
{
	uint64_t id = go->loan->options->goroutine, g = 0;
	struct dc_error *err = find_goroutine(go, id, &g);
	uint32_t status;

	go->is_final = err;
	if (err)
		return err;
	status = go_status(go, g);
	if (status == GO_STATUS_RUNNING)
		return ask_running(go, machines, n, g, done);
	if (status == GO_STATUS_WAITING) {
		err = go_put(go, wanted, g);
		if (!err)
			err = go_put(go, expires_ns, (uint64_t)go->until);
		if (!err)
			err = wake(go, machines, n, done);
	}
	if (!err && !*done)
		snprintf(go->reason, sizeof(go->reason), ": goroutine %" PRIu64 " %s", id,
			 status == GO_STATUS_SYSCALL ? "is in a system call" : "is about to run");
	return err;
}

struct dc_error *go_ask_back(struct go *go)
{
	_cleanup_free_ struct go_machine *machines = NULL;
	size_t n = 0;
	struct dc_error *err = go_machines(go, &machines, &n);
	bool done = false;

	go->takes_back = true;
	if (!err)
		err = wake(go, machines, n, &done);
	go->takes_back = false;
	go->asked_back = tracer_now();
	return err;
}

// ---- either ---------------------------------------------------------------------------------------

struct dc_error *go_ask(struct go *go)
{
	enum { RUNNING_FIRST = 4 };
	_cleanup_free_ struct go_machine *machines = NULL;
	size_t n = 0;
	struct dc_error *err = go_machines(go, &machines, &n);
	uint32_t serial = 0;
	bool done = false;

	if (!err && go_get(go, serial, &serial))
		err = go_put(go, serial, serial + 1);
	if (!err)
		err = go_put(go, outcome, GO_NOTHING);
	if (err)
		return err;
	go->asked = tracer_now();
	go->is_final = false;
	if (!err)
		err = go_put(go, wanted, 0);
	if (!err)
		err = go_put(go, takes_back, 0);
	if (!err && go->loan->options->goroutine) {
		err = ask_goroutine(go, machines, n, &done);
		if (!err && !done)
			err = error_make(DC_REFUSED, "nobody can begin the call%s", go->reason);
		go->tries++;
		return err;
	}
	// Where those that run are not at a good place, the sweeper's turn comes too.
	if (go->tries % (RUNNING_FIRST + 1) < RUNNING_FIRST)
		err = ask_running(go, machines, n, 0, &done);
	if (!err && !done && !go->loan->options->thread)
		err = wake(go, machines, n, &done);
	if (!err && !done)
		err = error_make(DC_REFUSED,
				 "no thread of process %d runs a goroutine, and none sleeps "
				 "without work%s",
				 go->process->pid, go->reason);
	go->tries++;
	return err;
}

struct dc_error *go_ask_to_leave(struct go *go)
{
	uint64_t callee = 0, m = 0, procid = 0;
	pid_t tid;

	if (!go_get(go, callee, &callee) || !callee || go_status(go, callee) != GO_STATUS_RUNNING ||
	    !go_read(go, callee + go->runtime.layout.at.g.m, &m, sizeof(m)) || !m ||
	    !go_read(go, m + go->runtime.layout.at.m.thread, &procid, sizeof(procid)) || !procid)
		return NULL;
	tid = tid_of(go, procid);
	return tid && go_signals_have_come(go) ? send(go, tid) : NULL;
}
