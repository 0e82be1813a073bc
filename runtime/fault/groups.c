// SPDX-License-Identifier: MIT
// Goroutines grouped by where they stand.
#include "runtime/fault/groups.h"
#include "runtime/sched/sched.h"

#include <string.h>
#include <sys/mman.h>

enum { ROOM = 128 }; // stacks that the first piece of memory holds; a power of two

static void *map(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static size_t index_size(const struct groups *all)
{
	return all->room * 2 * sizeof(*all->index);
}

void gort__groups_drop(struct groups *all)
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
	struct groups more = { .room = all->room ? all->room * 2 : ROOM, .apart = all->apart };

	more.stacks = map(more.room * sizeof(*more.stacks));
	more.index = map(index_size(&more));
	if (!more.stacks || !more.index) {
		gort__groups_drop(&more);
		return false;
	}
	for (; more.n < all->n; more.n++) {
		more.stacks[more.n] = all->stacks[more.n];
		*find(&more, &more.stacks[more.n]) = more.n + 1;
	}
	gort__groups_drop(all);
	*all = more;
	return true;
}

static void add(struct groups *all, const struct gort_stack *s)
{
	uint32_t *at = all->room ? find(all, s) : NULL;

	if (at && *at && (s->depth || !all->apart)) {
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

void gort__groups_add(struct trace *t, const struct g *g, const struct unwind_regs *regs, void *arg)
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
