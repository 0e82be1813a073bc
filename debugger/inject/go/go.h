// SPDX-License-Identifier: MIT
// The host of a real Go program: its runtime's debug call, led inside the target by a pad behind
// Go's own SIGTRAP handler. A thread is stopped only to map the pad, once in a process, and to wake
// an idle program; calls themselves are traced by nobody.
#ifndef DEBUGGER_INJECT_GO_GO_H
#define DEBUGGER_INJECT_GO_GO_H

#include "agent/go/layout.h"
#include "debugger/inject/host.h"
#include "debugger/stack/goroutines/go_goroutines.h"

// The runtime as the debugger needs it, besides what the pad is told.
struct go_runtime {
	struct go_places places;
	struct go_layout layout;
	uint64_t types; // that descriptions of types are offsets from; 0: not known
};
// *found false: it is no Go program. REFUSED when something of its runtime is not known.
struct dc_error *go_runtime_find(struct process *process, struct symbols *symbols,
				 struct go_runtime *ret, bool *found) DC_CHECK;

// How the last call was begun.
enum go_way { GO_BY_SIGNAL, GO_BY_WAKE, GO_BY_GOROUTINE };

struct go {
	struct loan *loan;
	struct process *process;
	struct symbols *symbols;
	struct go_runtime runtime;
	uint64_t pad; // address of its code; 0: none is there yet
	bool may_name; // the thread that was stopped last, its mappings
	char reason[128]; // why a thread could not be stopped, "" or behind a colon
	int lock; // that nobody else calls in the process; -1

	struct request *request; // that is under way
	struct dc_error *outcome; // NULL: it has returned
	enum go_way way;
	bool takes_back; // who is led to the pad is to take the call back
	int64_t wait_ns; // how long a caller may be looked for
	int64_t until; // the same, as a time
	int64_t asked; // when it was begun
	int64_t late; // since when no signal of ours is pending that has not come; 0: it is not so
	int64_t deadline; // of the callee; 0: none, or it does not run yet
	int64_t undo_until; // it is being undone; 0: it is not
	int64_t asked_back; // when a thread was last led to the pad to take the call back
	int64_t withdrawn_ns; // when nobody was to begin it any more; 0: somebody may
	bool is_overdue; // it was taken, and the deadline came before the callee
	uint64_t seen; // calls that had returned when the deadline was set
	bool is_final; // the last beginning was refused for good
	unsigned tries; // of a beginning
};
extern const struct host go_host;

// ---- the pad ----

extern const struct go_pad go_pad_fields; // for their types: it is nowhere
// Address of a field of its data.
#define go_field(go, field)    ((go)->pad + GO_PAD_CODE + offsetof(struct go_pad, field))
#define go_get(go, field, ret) go_read(go, go_field(go, field), ret, sizeof(*(ret)))
#define go_put(go, field, value)                                        \
	({                                                              \
		__typeof__(go_pad_fields.field) put_ = (value);         \
		go_write(go, go_field(go, field), &put_, sizeof(put_)); \
	})
static inline bool go_read(const struct go *go, uint64_t addr, void *ret, size_t n);
struct dc_error *go_write(const struct go *go, uint64_t addr, const void *bytes, size_t n) DC_CHECK;

// One is mapped, by a thread that is stopped for it, unless the process has one already.
struct dc_error *go_pad_ready(struct go *go) DC_CHECK;
// Nobody else calls in the process, until the lock is let go of. REFUSED when somebody does.
struct dc_error *go_pad_lock(struct go *go, int64_t wait_ns) DC_CHECK;
void go_pad_unlock(struct go *go);
// What an earlier debugger left is no obstacle. REFUSED while a call of its goes on.
struct dc_error *go_pad_settle(struct go *go) DC_CHECK;
struct dc_error *go_pad_arm(const struct go *go) DC_CHECK;
void go_pad_disarm(const struct go *go);
// Bytes where they stay. They are outside of Go's heap, whose collector leaves them alone.
struct dc_error *go_pad_literal(struct go *go, const void *bytes, size_t n,
				uint64_t *addr) DC_CHECK;

// Where in the target a place in the code is.
static inline uint64_t go_place(uint64_t pad, const unsigned char *place)
{
	return pad + ((uintptr_t)place - (uintptr_t)go_pad_start);
}

// ---- beginning ----

// What a request is entered with is in the pad, and somebody is asked to begin it. REFUSED when
// there is nobody at this moment.
struct dc_error *go_ask(struct go *go) DC_CHECK;
// Takes back what a goroutine has that has not woken, if there is a thread for that.
struct dc_error *go_ask_back(struct go *go) DC_CHECK;
// Asks the callee's thread to leave it, if that is at work.
struct dc_error *go_ask_to_leave(struct go *go) DC_CHECK;
// All of our signals have come, or will not: then that is counted so.
bool go_signals_have_come(struct go *go);

// Those of the runtime, with their threads; malloc'd.
struct dc_error *go_machines(const struct go *go, struct go_machine **ret, size_t *n) DC_CHECK;
// REFUSED, for good, when somebody follows one of them.
struct dc_error *go_refuse_followed(struct go *go, const struct go_machine *machines,
				    size_t n) DC_CHECK;
// Of goroutines, as the runtime counts them.
enum { GO_STATUS_RUNNING = 2, GO_STATUS_SYSCALL = 3, GO_STATUS_WAITING = 4, GO_STATUS_DEAD = 6 };
uint32_t go_status(const struct go *go, uint64_t g);

// The thread is stopped and has a way home on its signal stack, which it is not on. *done false: it
// is not held.
struct dc_error *go_stop(struct go *go, const struct go_machine *machine, struct tracee *tracee,
			 bool *done) DC_CHECK;

// ---- what became of it ----

struct dc_error *go_panicked(const struct go *go, uint64_t type, uint64_t value) DC_CHECK;
// Where the callee was that the pad has made leave.
struct dc_error *go_with_frames(const struct go *go, struct dc_error *err) DC_CHECK;
struct dc_error *go_still_there(const struct go *go, struct dc_error *err) DC_CHECK;

#include "debugger/target/memory.h"
static inline bool go_read(const struct go *go, uint64_t addr, void *ret, size_t n)
{
	return memory_read_some(go->process, addr, ret, n) == n;
}

#endif
