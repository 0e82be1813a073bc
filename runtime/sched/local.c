// SPDX-License-Identifier: MIT
// Goroutine-local storage: an array per goroutine that uses any, indexed by key.
#include "runtime/gort.h"
#include "runtime/sched/core.h"
#include "runtime/sched/heap.h"
#include "runtime/sched/local.h"

enum {
	KEYS = 1024,
	ROUNDS = 4, // destructors may set values again; as often as pthreads look at least
};

static void (*destroyers[KEYS])(void *);
static uint32_t keys;

struct locals {
	uint32_t n;
	void *value[];
};

int gort_local_key(void (*destroy)(void *))
{
	uint32_t key = gort__load(&keys);

	do {
		if (key == KEYS)
			return -EAGAIN;
	} while (!gort__cas(&keys, &key, key + 1));
	// The key is known to nobody before the return.
	gort__store_release(&destroyers[key], destroy);
	return (int)key;
}

// malloc here is called as if by the goroutine: outside of enter and leave, and with no lock.
int gort_local_set(int key, void *value)
{
	struct g *g = gort__enter(__func__);
	struct locals *l = g->locals;

	gort__leave();
	if (key < 0 || (uint32_t)key >= gort__load(&keys))
		return -EINVAL;
	if (!l || (uint32_t)key >= l->n) {
		uint32_t n = ((uint32_t)key + 4) & ~3u;
		uint32_t old = l ? l->n : 0;
		l = gort__realloc(l, sizeof(*l) + n * sizeof(l->value[0]));
		if (!l)
			return -ENOMEM;
		for (uint32_t i = old; i < n; i++)
			l->value[i] = NULL;
		l->n = n;
		g->locals = l;
	}
	l->value[key] = value;
	return 0;
}

void *gort_local_get(int key)
{
	struct m *m = gort__self();
	struct locals *l;

	if (!m || !m->curg)
		gort__enter(__func__);
	l = m->curg->locals;
	return l && key >= 0 && (uint32_t)key < l->n ? l->value[key] : NULL;
}

void gort__locals_end(struct g *g)
{
	bool again = true;

	gort__leave();
	for (int round = 0; again && round < ROUNDS; round++) {
		again = false;
		for (uint32_t key = 0; key < g->locals->n; key++) {
			void *value = g->locals->value[key];
			void (*destroy)(void *) = gort__load_acquire(&destroyers[key]);
			g->locals->value[key] = NULL;
			if (!value || !destroy)
				continue;
			destroy(value);
			again = true;
		}
	}
	gort__free(g->locals);
	g->locals = NULL;
	gort__enter("goroutine end");
}
