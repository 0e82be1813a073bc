// SPDX-License-Identifier: MIT
// The pad in a Go program: mapped once by a thread whose way home lies on its own signal stack, kept
// for those who come later, and hooked behind Go's SIGTRAP handler for the time of a call.
#include "debugger/inject/go/go.h"

#include "debugger/base/cleanup.h"
#include "debugger/inject/loan/filters.h"
#include "debugger/target/memory.h"
#include "debugger/target/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA	     0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

enum { SIGNATURE = 2 }; // the pad's name begins so far into it

struct dc_error *go_write(const struct go *go, uint64_t addr, const void *bytes, size_t n)
{
	return memory_write(go->process, addr, bytes, n);
}

static size_t code_size(void)
{
	return go_place(0, go_pad_end);
}

// ---- one that is there ----------------------------------------------------------------------------

// The very same code, with data that it can use.
static bool is_pad(const struct go *go, uint64_t addr)
{
	_cleanup_free_ unsigned char *code = malloc(code_size());
	struct go_pad head;
	size_t size = offsetof(struct go_pad, sent);

	return code && go_read(go, addr, code, code_size()) &&
	       !memcmp(code, go_pad_start, code_size()) &&
	       go_read(go, addr + GO_PAD_CODE, &head, size) && head.version == GO_PAD_VERSION &&
	       head.code == go_place(addr, go_pad_hook) && head.data == addr + GO_PAD_CODE &&
	       !memcmp(&head.places, &go->runtime.places, sizeof(head.places));
}

static struct dc_error *find_pad(struct go *go)
{
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	struct dc_error *err = maps_read(go->process, &maps);

	for (size_t i = 0; i < maps.n && !err && !go->pad; i++) {
		const struct mapping *mapping = &maps.map[i];

		if (!mapping->inode && mapping->executable && !mapping->writable &&
		    mapping->end - mapping->start == GO_PAD_CODE && is_pad(go, mapping->start))
			go->pad = mapping->start;
	}
	return err;
}

// ---- mapping one ----------------------------------------------------------------------------------

struct dc_error *go_stop(struct go *go, const struct go_machine *machine, struct tracee *tracee,
			 bool *done)
{
	const struct loan *loan = go->loan;
	uint64_t stack[2]; // of the goroutine that handles signals
	struct candidate candidate;
	struct thread_info info;
	enum tracee_stop stop;
	struct dc_error *err;

	*done = false;
	if (!machine->tid || !machine->gsignal ||
	    !go_read(go, machine->gsignal, stack, sizeof(stack)))
		return NULL;
	err = process_thread_info(go->process, machine->tid, &info);
	if (err) {
		// Threads come and go.
		dc_error_destroy(err);
		return NULL;
	}
	candidate = candidate_judge(go->process, machine->tid, &info);
	if (candidate.rank == RANK_NOT_NOW) {
		snprintf(go->reason, sizeof(go->reason), ": %s", candidate.reason);
		return NULL;
	}
	err = tracee_stop(tracee, machine->tid, &stop);
	if (err || stop != TRACEE_STOPPED)
		return err;

	uint64_t sp = registers_sp(&tracee->regs);

	// Its signals are blocked meanwhile, so that nobody else is on that stack.
	*done = sp < stack[0] || sp > stack[1];
	tracee->home_top = stack[1];
	if (*done)
		err = tracee_keep(tracee);
	go->may_name = true;
	if (!err && *done && info.seccomp == 2 && !loan->options->assume_seccomp_ok) {
		bool may_loop;

		err = filters_allow_pad(tracee->tid, &info, 0, &go->may_name, &may_loop);
	}
	if (!err && *done)
		return NULL;
	*done = false;

	struct dc_error *release = tracee_release(tracee);

	if (!err)
		return release;
	dc_error_destroy(release);
	return err;
}

static struct dc_error *fill(const struct go *go, uint64_t addr)
{
	struct go_pad *head = calloc(1, sizeof(*head));
	struct dc_error *err;

	if (!head)
		return &dc_out_of_memory;
	head->version = GO_PAD_VERSION;
	head->mask = ~SIGNALS_OF_FAULTS;
	head->code = go_place(addr, go_pad_hook);
	head->data = addr + GO_PAD_CODE;
	head->places = go->runtime.places;
	head->literals = (struct go_literals){ addr + GO_PAD_CODE + GO_PAD_DATA, GO_PAD_LITERALS,
					       0 };
	err = go_write(go, addr, go_pad_start, code_size());
	if (!err)
		err = go_write(go, addr + GO_PAD_CODE, head, offsetof(struct go_pad, times));
	free(head);
	return err;
}

// What a thread that is stopped does for us.
struct mapper {
	struct dc_error *(*map)(struct go *go, struct tracee *tracee, struct mapper *mapper);
	uint64_t size; // that is wanted
	uint64_t addr; // 0: none was found to do it
};

static struct dc_error *map_pad(struct go *go, struct tracee *tracee, struct mapper *mapper)
{
	uint64_t pad = 0;
	int64_t result;
	struct dc_error *err = tracee_map(tracee, GO_PAD_SIZE, PROT_READ | PROT_EXEC, &pad);

	if (!err)
		err = tracee_ask(
			tracee, "change the protection of its memory",
			(struct remote_syscall){ SYS_mprotect,
						 { pad + GO_PAD_CODE, GO_PAD_SIZE - GO_PAD_CODE,
						   PROT_READ | PROT_WRITE } },
			&result);
	if (!err)
		err = fill(go, pad);
	// A comfort, which not every kernel has.
	if (!err && go->may_name)
		err = tracee_syscall(
			tracee,
			&(struct remote_syscall){ SYS_prctl,
						  { PR_SET_VMA, PR_SET_VMA_ANON_NAME, pad,
						    GO_PAD_SIZE, pad + SIGNATURE } },
			&result);
	if (!err)
		mapper->addr = pad;
	return err;
}

static struct dc_error *map_literals(struct go *go, struct tracee *tracee, struct mapper *mapper)
{
	(void)go;
	return tracee_map(tracee, mapper->size, PROT_READ | PROT_WRITE, &mapper->addr);
}

static struct dc_error *map_by(struct go *go, const struct go_machine *machine,
			       struct tracee *tracee, struct mapper *mapper)
{
	bool done;
	struct dc_error *err = go_stop(go, machine, tracee, &done), *release;

	if (err || !done)
		return err;
	err = mapper->map(go, tracee, mapper);
	release = tracee->tid ? tracee_release(tracee) : NULL;
	if (!err)
		return release;
	dc_error_destroy(release);
	return err;
}

static struct dc_error *map_by_any(struct go *go, struct mapper *mapper)
{
	_cleanup_(tracee_deinit) struct tracee tracee = { 0 };
	_cleanup_free_ struct go_machine *machines = NULL;
	size_t n = 0;
	struct dc_error *err = go_machines(go, &machines, &n);

	if (!err)
		err = go_refuse_followed(go, machines, n);
	if (!err)
		err = tracee_init(&tracee, go->loan->tracer, go->process, &go->loan->gadgets);
	// Those without work first.
	for (int busy = 0; busy <= 1; busy++)
		for (size_t i = 0; i < n && !mapper->addr && !err; i++)
			if (!!machines[i].p == busy)
				err = map_by(go, &machines[i], &tracee, mapper);
	go->loan->tracee.pause_ns += tracee.pause_ns;
	if (!err && !mapper->addr)
		err = error_make(DC_REFUSED, "no thread of process %d could map the pad%s",
				 go->process->pid, go->reason);
	return err;
}

// ---- one debugger at a time -----------------------------------------------------------------------

static bool try_lock(struct go *go)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	// In no file system: it leaves with us, whatever ends us.
	int n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "debugcall-go-%d-%llu",
			 go->process->pid, (unsigned long long)go->process->start_time);

	if (fd < 0)
		return false;
	if (bind(fd, (struct sockaddr *)&name,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0) {
		close(fd);
		return false;
	}
	go->lock = fd;
	return true;
}

struct dc_error *go_pad_lock(struct go *go, int64_t wait_ns)
{
	enum { LOOK_NS = 1000 * 1000 };
	int64_t until = tracer_now() + wait_ns;

	while (go->lock < 0 && !try_lock(go)) {
		if (tracer_now() > until)
			return error_make(DC_REFUSED, "another debugger is calling in process %d",
					  go->process->pid);
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	}
	return NULL;
}

void go_pad_unlock(struct go *go)
{
	if (go->lock >= 0)
		close(go->lock);
	go->lock = -1;
}

struct dc_error *go_pad_ready(struct go *go)
{
	struct dc_error *err = go->pad ? NULL : go_pad_lock(go, go->wait_ns);

	if (go->pad || err)
		return err;
	err = find_pad(go);
	if (!err && !go->pad) {
		struct mapper mapper = { .map = map_pad };

		err = map_by_any(go, &mapper);
		go->pad = err ? 0 : mapper.addr;
	}
	go_pad_unlock(go);
	return err;
}

// A goroutine that does not wake has it still, of a debugger that ended.
static void take_leftover(struct go *go)
{
	uint64_t wanted = 0, expires = 0;

	if (go_get(go, wanted, &wanted) && wanted && go_get(go, expires_ns, &expires) &&
	    (uint64_t)tracer_now() > expires)
		dc_error_destroy(go_ask_back(go));
}

struct dc_error *go_pad_settle(struct go *go)
{
	enum { LOOKS = 200, LOOK_NS = 1000 * 1000 };
	uint32_t turn = GO_FREE;
	uint64_t hook = 0;

	for (int i = 0;; i++) {
		if (!go_get(go, turn, &turn) ||
		    !go_read(go, go->runtime.places.hook, &hook, sizeof(hook)))
			return memory_is_gone(go->process)
				       ? error_in_state(error_make(DC_TARGET_ENDED,
								   "process %d has ended",
								   go->process->pid),
							DC_STATE_ENDED)
				       : error_make(DC_REFUSED,
						    "the pad of process %d cannot be read",
						    go->process->pid);
		if ((turn == GO_FREE || turn == GO_HOME || turn == GO_ASKED) &&
		    go_signals_have_come(go))
			break;
		if (turn == GO_TAKEN)
			take_leftover(go);
		if (i == LOOKS)
			return error_make(DC_REFUSED,
					  "a call that was left behind still runs "
					  "in process %d",
					  go->process->pid);
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	}
	if (hook && hook != go_field(go, code))
		return error_make(DC_REFUSED,
				  "somebody else has taken the SIGTRAP handler of process %d",
				  go->process->pid);
	return go_put(go, turn, GO_FREE);
}

struct dc_error *go_pad_arm(const struct go *go)
{
	uint64_t ours = go_field(go, code);

	return go_write(go, go->runtime.places.hook, &ours, sizeof(ours));
}

void go_pad_disarm(const struct go *go)
{
	uint64_t hook = 0, nothing = 0;

	if (go_read(go, go->runtime.places.hook, &hook, sizeof(hook)) && hook == go_field(go, code))
		dc_error_destroy(go_write(go, go->runtime.places.hook, &nothing, sizeof(nothing)));
}

// ---- literals -------------------------------------------------------------------------------------

// Where the last ones have filled the place for them, there is another.
static struct dc_error *make_room(struct go *go, size_t n, struct go_literals *literals)
{
	enum { PAGE = 4096 };
	struct mapper mapper = { .map = map_literals,
				 .size = n < GO_PAD_LITERALS ? GO_PAD_LITERALS
							     : (n + PAGE) & -(uint64_t)PAGE };
	struct dc_error *err;

	if (n < literals->size - literals->used)
		return NULL;
	err = map_by_any(go, &mapper);
	*literals = (struct go_literals){ mapper.addr, mapper.size, 0 };
	return err;
}

struct dc_error *go_pad_literal(struct go *go, const void *bytes, size_t n, uint64_t *addr)
{
	enum { ALIGN = 16 };
	struct go_literals literals;
	struct dc_error *err = go_pad_lock(go, go->wait_ns);

	if (err)
		return err;
	if (!go_get(go, literals, &literals) || literals.used > literals.size)
		err = error_make(DC_REFUSED, "the pad of process %d cannot be read",
				 go->process->pid);
	if (!err)
		err = make_room(go, n, &literals);
	*addr = literals.start + literals.used;
	if (!err)
		err = go_write(go, *addr, bytes, n);
	// A byte behind each: a pointer just past its end is not the next one's.
	literals.used += (n + 1 + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
	if (literals.used > literals.size)
		literals.used = literals.size;
	if (!err)
		err = go_put(go, literals, literals);
	go_pad_unlock(go);
	return err;
}
