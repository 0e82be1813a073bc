// SPDX-License-Identifier: MIT
// Go's list of all its goroutines only ever grows, and those that have ended are used again.
#include "debugger/stack/goroutines/go_goroutines.h"

#include "debugger/base/cleanup.h"
#include "debugger/symbols/go_runtime.h"
#include "debugger/target/memory.h"

#include <string.h>
#include <time.h>

enum {
	GOROUTINES_MAX = 1 << 24,
	MACHINES_MAX = 1 << 16,
	OBJECT_MAX = 2048, // bytes of a g or m that are looked at
	WORD = 8,
	STACK_LOW = 0, // in every g: its stack comes first
	STACK_HIGH = 8,
	SCAN = 0x1000, // the collector looks at it
	IDLE = 0,
	SYSCALL = 3,
	WAITING = 4,
	DEAD = 6,
	DEAD_EXTRA = 11, // kept for a thread that C's is to become
	LABEL_SLOTS = 8,
};

// By their numbers.
static const char *const statuses[] = { "idle",	     "runnable",  "running", "syscall",
					"waiting",   "moribund",  "dead",    "enqueue",
					"copystack", "preempted", "leaked" };

// ---- goroutines -----------------------------------------------------------------------------------

static uint64_t word(const unsigned char *object, size_t offset)
{
	uint64_t value;

	memcpy(&value, object + offset, sizeof(value));
	return value;
}

static bool read_all(struct process *process, uint64_t addr, void *to, size_t n)
{
	return memory_read_some(process, addr, to, n) == n;
}

// As much of a string as there is room for.
static void put_text(struct process *process, const unsigned char *string, char *to, size_t room)
{
	size_t used = strlen(to), length = word(string, WORD);

	if (length >= room - used)
		length = room - used - 1;
	length = memory_read_some(process, word(string, 0), to + used, length);
	to[used + length] = '\0';
}

static void put_label(struct process *process, const unsigned char *key, const unsigned char *value,
		      char *to, size_t room)
{
	if (*to)
		strncat(to, ", ", room - strlen(to) - 1);
	put_text(process, key, to, room);
	strncat(to, "=", room - strlen(to) - 1);
	put_text(process, value, to, room);
}

// map[string]string of Go before 1.24, of which the first bucket is enough here.
static void read_label_map(struct process *process, uint64_t addr, char *to, size_t room)
{
	enum { BUCKETS = 16, FIRST_HASH = 5, STRING = 2 * WORD };
	unsigned char head[48], bucket[LABEL_SLOTS * (1 + 2 * STRING) + WORD];

	if (!read_all(process, addr, &addr, sizeof(addr)) ||
	    !read_all(process, addr, head, sizeof(head)) ||
	    !read_all(process, word(head, BUCKETS), bucket, sizeof(bucket)))
		return;
	for (size_t i = 0; i < LABEL_SLOTS; i++) {
		const unsigned char *key = bucket + LABEL_SLOTS + i * STRING;

		if (bucket[i] >= FIRST_HASH)
			put_label(process, key, key + LABEL_SLOTS * STRING, to, room);
	}
}

static void read_label_list(struct process *process, uint64_t addr, char *to, size_t room)
{
	unsigned char slice[2 * WORD], label[4 * WORD];

	if (!read_all(process, addr, slice, sizeof(slice)))
		return;
	for (uint64_t i = 0; i < word(slice, WORD) && i < LABEL_SLOTS; i++) {
		if (!read_all(process, word(slice, 0) + i * sizeof(label), label, sizeof(label)))
			return;
		put_label(process, label, label + 2 * WORD, to, room);
	}
}

// The runtime's own begin in it, but for the one that runs main.main.
static bool is_system(struct symbols *symbols, uint64_t start_pc)
{
	static const char *const users[] = { "runtime.main", "runtime.handleAsyncEvent",
					     "runtime.goexit", "runtime.debugCallWrap1" };
	const char *name;
	uint64_t offset;

	if (!start_pc || !symbols_name_of(symbols, start_pc, &name, &offset) ||
	    strncmp(name, "runtime.", 8))
		return false;
	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++)
		if (!strcmp(name, users[i]))
			return false;
	return true;
}

struct reading {
	struct process *process;
	struct symbols *symbols;
	const struct go_layout *layout;
	int64_t now;
	uint64_t start_pc; // the last one that was looked at
	bool is_system;
};

static struct goroutine goroutine_of(struct reading *reading, uint64_t addr,
				     const unsigned char *object)
{
	const struct go_layout *layout = reading->layout;
	uint64_t labels = word(object, layout->at.g.labels);
	uint64_t start_pc = word(object, layout->at.g.start_pc);
	int64_t since = (int64_t)word(object, layout->at.g.wait_since);
	struct goroutine g = {
		.addr = addr,
		.id = word(object, layout->at.g.id),
		.status = (uint32_t)word(object, layout->at.g.status) & ~(uint32_t)SCAN,
		.wait_reason = object[layout->at.g.wait_reason],
		.m = word(object, layout->at.g.m),
		.locked_m = word(object, layout->at.g.locked_m),
		.stack_low = word(object, STACK_LOW),
		.stack_high = word(object, STACK_HIGH),
		.saved_sp = word(object, layout->at.g.sched + layout->at.saved.sp),
		.saved_pc = word(object, layout->at.g.sched + layout->at.saved.pc),
		.saved_bp = word(object, layout->at.g.sched + layout->at.saved.bp),
		.creator_pc = word(object, layout->at.g.pc),
		.creator_id = layout->at.has_parent ? word(object, layout->at.g.parent) : 0,
		.waited_ns = -1,
	};

	g.waits = g.status == WAITING;
	if (g.status == SYSCALL) {
		g.saved_sp = word(object, layout->at.g.syscall_sp);
		g.saved_pc = word(object, layout->at.g.syscall_pc);
		g.saved_bp = 0;
	}
	// Told by the collector alone, and only of those that it has found waiting.
	if (g.waits && since)
		g.waited_ns = reading->now > since ? reading->now - since : 0;
	if (start_pc != reading->start_pc) {
		reading->start_pc = start_pc;
		reading->is_system = is_system(reading->symbols, start_pc);
	}
	g.is_system = reading->is_system;
	if (labels && layout->at.has_label_lists)
		read_label_list(reading->process, labels, g.label, sizeof(g.label));
	else if (labels)
		read_label_map(reading->process, labels, g.label, sizeof(g.label));
	return g;
}

static struct dc_error *read_words(struct process *process, const struct go_layout *layout,
				   struct goroutines *ret)
{
	size_t n = layout->nr_wait_reasons;
	unsigned char string[2 * WORD];

	ret->nr_statuses = sizeof(statuses) / sizeof(*statuses);
	ret->nr_wait_reasons = n < 256 ? n : 256;
	ret->statuses = calloc(ret->nr_statuses, sizeof(*ret->statuses));
	ret->wait_reasons = calloc(ret->nr_wait_reasons ?: 1, sizeof(*ret->wait_reasons));
	if (!ret->statuses || !ret->wait_reasons)
		return &dc_out_of_memory;
	for (size_t i = 0; i < ret->nr_statuses; i++)
		strcpy(ret->statuses[i], statuses[i]);
	for (size_t i = 0; i < ret->nr_wait_reasons; i++)
		if (read_all(process, layout->wait_reasons + i * sizeof(string), string,
			     sizeof(string)))
			put_text(process, string, ret->wait_reasons[i],
				 sizeof(ret->wait_reasons[i]));
	return NULL;
}

static int newest_first(const void *a, const void *b)
{
	const struct goroutine *x = a, *y = b;

	return x->id > y->id ? -1 : x->id < y->id;
}

static uint32_t object_size(const struct go_layout *layout)
{
	const uint32_t ends[] = { layout->at.g.id,	    layout->at.g.status,
				  layout->at.g.wait_reason, layout->at.g.wait_since,
				  layout->at.g.m,	    layout->at.g.locked_m,
				  layout->at.g.pc,	    layout->at.g.start_pc,
				  layout->at.g.labels,	    layout->at.g.syscall_sp,
				  layout->at.g.syscall_pc,  layout->at.g.sched + 64 };
	uint32_t size = layout->at.has_parent ? layout->at.g.parent : 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends[i] > size)
			size = ends[i];
	return size + WORD;
}

static int by_address(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

// Those that lie together, of so many from *list on, are one read. Gives how many.
static size_t read_together(struct process *process, const uint64_t *list, size_t n, uint32_t size,
			    unsigned char *to, size_t room)
{
	size_t together = 1;

	while (together < n && list[together] - list[0] + size <= room)
		together++;
	while (together > 1 && !read_all(process, list[0], to, list[together - 1] - list[0] + size))
		together /= 2;
	if (together == 1 && !read_all(process, list[0], to, size))
		return 0;
	return together;
}

struct dc_error *go_goroutines_read(struct process *process, struct symbols *symbols,
				    const struct go_layout *layout, struct goroutines *ret)
{
	struct reading reading = { .process = process, .symbols = symbols, .layout = layout };
	struct timespec now;
	uint64_t slice[2];
	enum { ROOM = 16 << 10 };
	_cleanup_free_ unsigned char *objects = malloc(ROOM);
	_cleanup_free_ uint64_t *list = NULL;
	uint32_t size = object_size(layout);
	struct dc_error *err = memory_read(process, layout->allgs, slice, sizeof(slice));

	*ret = (struct goroutines){ 0 };
	if (err)
		return err;
	if (slice[1] > GOROUTINES_MAX || size > ROOM)
		return error_make(DC_VALUE, "the runtime's list of goroutines is damaged");
	list = calloc(slice[1] ?: 1, sizeof(*list));
	ret->goroutine = calloc(slice[1] ?: 1, sizeof(*ret->goroutine));
	if (!list || !ret->goroutine || !objects)
		err = &dc_out_of_memory;
	if (!err)
		err = memory_read(process, slice[0], list, slice[1] * sizeof(*list));
	if (!err)
		err = read_words(process, layout, ret);
	clock_gettime(CLOCK_MONOTONIC, &now);
	reading.now = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	if (!err && slice[1])
		qsort(list, slice[1], sizeof(*list), by_address);
	for (size_t i = 0; !err && i < slice[1];) {
		size_t n = read_together(process, list + i, slice[1] - i, size, objects, ROOM);

		for (size_t k = i; k < i + n; k++) {
			struct goroutine *g = &ret->goroutine[ret->n];

			*g = goroutine_of(&reading, list[k], objects + (list[k] - list[i]));
			ret->n += g->status != DEAD && g->status != DEAD_EXTRA && g->status != IDLE;
		}
		i += n ?: 1;
	}
	if (err)
		goroutines_deinit(ret);
	else
		qsort(ret->goroutine, ret->n, sizeof(*ret->goroutine), newest_first);
	return err;
}

// ---- threads --------------------------------------------------------------------------------------

bool go_machine_read(struct process *process, const struct go_layout *layout, uint64_t addr,
		     struct go_machine *ret)
{
	unsigned char object[OBJECT_MAX];
	const uint32_t ends[] = { layout->at.m.id,   layout->at.m.thread, layout->at.m.current,
				  layout->at.m.next, layout->at.m.g0,	  layout->at.m.gsignal,
				  layout->at.m.p,    layout->at.m.locks };
	size_t size = 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		size = ends[i] + WORD > size ? ends[i] + WORD : size;
	if (size > sizeof(object) || !read_all(process, addr, object, size))
		return false;
	*ret = (struct go_machine){
		.addr = addr,
		.id = word(object, layout->at.m.id),
		.thread = word(object, layout->at.m.thread),
		.next = word(object, layout->at.m.next),
		.g0 = word(object, layout->at.m.g0),
		.gsignal = word(object, layout->at.m.gsignal),
		.p = word(object, layout->at.m.p),
		.current = word(object, layout->at.m.current),
		.locks = (int32_t)word(object, layout->at.m.locks),
	};
	return true;
}

struct dc_error *go_machines_list(struct process *process, const struct go_layout *layout,
				  struct go_machine **ret, size_t *n)
{
	_cleanup_free_ struct go_machine *list = NULL;
	uint64_t at = 0;
	struct dc_error *err = memory_read(process, layout->allm, &at, sizeof(at));

	*ret = NULL;
	*n = 0;
	while (!err && at) {
		if (!(*n & (*n - 1))) {
			struct go_machine *grown = reallocarray(list, *n ? 2 * *n : 1,
								sizeof(*grown));

			if (!grown)
				return &dc_out_of_memory;
			list = grown;
		}
		if (*n == MACHINES_MAX || !go_machine_read(process, layout, at, &list[*n]))
			return error_make(DC_VALUE, "the runtime's list of threads is damaged");
		at = list[(*n)++].next;
	}
	if (!err)
		*ret = take_ptr(list);
	return err;
}

struct dc_error *go_machines_read(struct process *process, const struct go_layout *layout,
				  struct machines *ret)
{
	_cleanup_free_ struct go_machine *list = NULL;
	size_t n;
	struct dc_error *err = go_machines_list(process, layout, &list, &n);

	*ret = (struct machines){ 0 };
	if (err)
		return err;
	ret->machine = calloc(n ?: 1, sizeof(*ret->machine));
	if (!ret->machine)
		return &dc_out_of_memory;
	for (; ret->n < n; ret->n++)
		ret->machine[ret->n] = (struct machine){ .addr = list[ret->n].addr,
							 .id = list[ret->n].id,
							 .tid = (pid_t)list[ret->n].thread,
							 .current = list[ret->n].current };
	return NULL;
}

// ---- stacks ---------------------------------------------------------------------------------------

struct dc_error *go_waits_still(struct process *process, const struct go_layout *layout,
				const struct goroutine *g, bool *ret)
{
	unsigned char object[OBJECT_MAX + 128];
	struct dc_error *err = memory_read(process, g->addr, object, object_size(layout));

	*ret = !err && word(object, layout->at.g.id) == g->id &&
	       ((uint32_t)word(object, layout->at.g.status) & ~(uint32_t)SCAN) == WAITING &&
	       word(object, layout->at.g.sched + layout->at.saved.sp) == g->saved_sp &&
	       word(object, layout->at.g.sched + layout->at.saved.pc) == g->saved_pc;
	return err;
}

struct dc_error *go_walk(struct process *process, const struct goroutine *g, struct unwound *frames,
			 size_t max, size_t *n, bool *complete)
{
	enum { COPIED = 1024, SP = 7, BP = 6 };
	unsigned char copy[COPIED];
	uint64_t pc = g->saved_pc, bp = g->saved_bp, sp = g->saved_sp;
	size_t size = 0;

	*n = 0;
	*complete = false;
	if (sp < g->stack_low || sp >= g->stack_high)
		return NULL;
	size = g->stack_high - sp < COPIED ? g->stack_high - sp : COPIED;
	size = memory_read_some(process, sp, copy, size);
	while (*n < max && pc) {
		struct unwound *frame = &frames[(*n)++];
		uint64_t pair[2];

		*frame = (struct unwound){ .frame = { .pc = *n > 1 ? pc - 1 : pc,
						      .cfa = bp ? bp + 2 * WORD : sp + WORD,
						      .valid = 1u << BP } };
		frame->frame.regs[BP] = bp;
		// Each frame begins with its caller's pointer; the first one has none.
		if (!bp) {
			*complete = *n > 1;
			break;
		}
		if (bp < sp || bp > g->stack_high - sizeof(pair) || bp & (WORD - 1))
			break;
		if (bp + sizeof(pair) - sp <= size)
			memcpy(pair, copy + (bp - sp), sizeof(pair));
		else if (!read_all(process, bp, pair, sizeof(pair)))
			break;
		if (pair[0] && pair[0] <= bp)
			break;
		bp = pair[0];
		pc = pair[1];
	}
	return NULL;
}
