// SPDX-License-Identifier: MIT
// Where all goroutines stand, equal stacks counted together: gort_profile.
#include "runtime/gort.h"
#include "runtime/fault/groups.h"
#include "runtime/sched/sched.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

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
	const struct gort_stack **order = mmap(NULL, size, PROT_READ | PROT_WRITE,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (order == MAP_FAILED)
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
	gort__groups_add(t, g, &here, &all);
	gort__trace_others(t, g, gort__groups_add, &all);
	gort__trace_give();
	gort__start_world();
	gort__leave();
	ret = all.failed ? -ENOMEM : give(stacks, n, &all);
	gort__groups_drop(&all);
	return ret;
}
