// SPDX-License-Identifier: MIT
// Where all goroutines stand, equal stacks counted together: gort_profile.
#include "runtime/gort.h"
#include "runtime/fault/traceback.h"
#include "runtime/sched/sched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ROOM = 128 }; // stacks that the first piece of memory holds; a power of two

// In mappings of its own: who holds the allocator's lock may be waiting for the world.
struct groups {
	struct gort_stack *stacks;
	uint32_t *index; // open hash of their numbers, counted from one; twice as large as room
	uint32_t n, room;
	bool failed; // no memory
};

static void *map(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static size_t index_size(const struct groups *all)
{
	return all->room * 2 * sizeof(*all->index);
}

static void drop(struct groups *all)
{
	if (all->stacks)
		munmap(all->stacks, all->room * sizeof(*all->stacks));
	if (all->index)
		munmap(all->index, index_size(all));
}

static uint64_t hash(const struct gort_stack *s)
{
	uint64_t h = s->depth;

	for (uint32_t i = 0; i < s->depth; i++) {
		h = (h ^ (uintptr_t)s->pc[i]) * 0x9e3779b97f4a7c15;
		h ^= h >> 32;
	}
	return h;
}

static bool same(const struct gort_stack *a, const struct gort_stack *b)
{
	return a->depth == b->depth && !memcmp(a->pc, b->pc, a->depth * sizeof(a->pc[0]));
}

// The place of s in the index: its number, or 0 where it belongs.
static uint32_t *find(const struct groups *all, const struct gort_stack *s)
{
	uint32_t mask = all->room * 2 - 1, at = (uint32_t)hash(s) & mask;

	while (all->index[at] && !same(&all->stacks[all->index[at] - 1], s))
		at = (at + 1) & mask;
	return &all->index[at];
}

static bool grow(struct groups *all)
{
	struct groups more = { .room = all->room ? all->room * 2 : ROOM };

	more.stacks = map(more.room * sizeof(*more.stacks));
	more.index = map(index_size(&more));
	if (!more.stacks || !more.index) {
		drop(&more);
		return false;
	}
	for (; more.n < all->n; more.n++) {
		more.stacks[more.n] = all->stacks[more.n];
		*find(&more, &more.stacks[more.n]) = more.n + 1;
	}
	drop(all);
	*all = more;
	return true;
}

static void add(struct groups *all, const struct gort_stack *s)
{
	uint32_t *at = all->room ? find(all, s) : NULL;

	if (at && *at) {
		all->stacks[*at - 1].count++;
		return;
	}
	if (all->n == all->room) {
		if (!grow(all)) {
			all->failed = true;
			return;
		}
		at = find(all, s);
	}
	all->stacks[all->n++] = *s;
	*at = all->n;
}

static void visit(struct trace *t, const struct g *g, const struct unwind_regs *regs, void *arg)
{
	struct gort_stack s;
	struct unwind u;

	s.count = 1;
	s.id = gort__load(&g->id);
	s.depth = 0;
	if (gort__trace_begin(&u, g, regs)) {
		u.rows = t->rows;
		u.nrows = TRACE_ROWS;
		do {
			uint64_t pc = u.regs.reg[UNWIND_PC];
			if (gort__trace_hides(t, pc, gort__unwind_lookup(&u)))
				continue;
			s.pc[s.depth++] = (void *)pc;
		} while (s.depth < GORT_STACK_DEPTH && gort__unwind_step(&u));
		// Not begun yet: it stands before its function.
		if (!s.depth)
			s.pc[s.depth++] = (char *)(uintptr_t)g->fn + 1;
	}
	add(arg, &s);
}

static int by_count(const void *a, const void *b)
{
	const struct gort_stack *const *x = a, *const *y = b;

	if ((*x)->count != (*y)->count)
		return (*x)->count < (*y)->count ? 1 : -1;
	return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

// In user code again: others run while the result is put in order.
static ssize_t give(struct gort_stack *out, size_t n, const struct groups *all)
{
	const size_t size = all->n * sizeof(struct gort_stack *);
	const struct gort_stack **order = map(size);

	if (!order)
		return -ENOMEM;
	for (uint32_t i = 0; i < all->n; i++)
		order[i] = &all->stacks[i];
	qsort(order, all->n, sizeof(*order), by_count);
	for (uint32_t i = 0; i < all->n && i < n; i++)
		out[i] = *order[i];
	munmap(order, size);
	return all->n;
}

ssize_t gort_profile(struct gort_stack *stacks, size_t n)
{
	struct groups all = { 0 };
	struct unwind_regs here;
	struct trace *t;
	struct g *g = gort__enter(__func__);
	ssize_t ret;

	gort__stop_world();
	t = gort__trace_take();
	gort__unwind_here(&here);
	visit(t, g, &here, &all);
	gort__trace_others(t, g, visit, &all);
	gort__trace_give();
	gort__start_world();
	gort__leave();
	ret = all.failed ? -ENOMEM : give(stacks, n, &all);
	drop(&all);
	return ret;
}
