// SPDX-License-Identifier: MIT
// Goroutine stacks: arenas, guards, reuse.
#include "runtime/sched/stack.h"
#include "runtime/base/debug.h"
#include "runtime/base/lock.h"
#include "runtime/base/sanitize.h"
#include "runtime/sched/sched.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif

enum {
	PAGE = 4096,
	ARENA = 64 << 20, // Valgrind refuses mappings much larger
	COLOURS = 24, // stacks at one offset in their pages would fight for one cache set
	COLOUR_STEP = 64,
	LINE = 64,
	BATCH = 32, // stacks moved between a P and the global list at once
	P_KEEP = 2048, // free default stacks one P may hold
	SLOT_BITS = 24, // of an id
	TABLE_CHUNK = 4096, // slots per piece of the table
};

static struct {
	struct lock lock;
	char *arena, *arena_end; // what is left of the newest arena
	struct glist free[STACK_CLASSES];
	struct glist cold[STACK_CLASSES]; // the same, with their pages given back
	uint64_t reserved;
	bool guard_madvise;
} stacks = { .lock = GORT__LOCK_INIT(STACKS) };

// Every goroutine ever made, by slot: pieces are never moved or freed, so readers take no lock.
static struct g **table[(1 << SLOT_BITS) / TABLE_CHUNK];
static uint32_t table_used = 1; // id 0 is nobody

static size_t class_size(int class)
{
	return (size_t)STACK_DEFAULT << class;
}

int gort__stack_class(size_t size)
{
	for (int class = 0; class < STACK_CLASSES; class ++)
		if (size <= class_size(class))
			return class;
	return -1;
}

// A version number would not tell: an emulator may answer 0 without doing anything. The kernel's
// own access to a guarded page fails with EFAULT.
static bool probe_guard(void)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool works;

	if (page == MAP_FAILED)
		return false;
	works = !madvise(page, PAGE, MADV_GUARD_INSTALL) && access(page, F_OK) && errno == EFAULT;
	munmap(page, PAGE);
	return works;
}

void gort__stack_init(void)
{
	// The leak check reads what /proc/self/maps calls readable, and such guards do not show
	// there.
	if (gort__sanitized())
		gort__debug.guard = 0;
	// Valgrind reads guest memory itself and would die on such a guard.
	stacks.guard_madvise = gort__debug.guard && !gort__valgrind(VALGRIND_RUNNING, NULL, NULL) &&
			       probe_guard();
}

static void *reserve(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED)
		return NULL;
	// A huge page would commit sixteen stacks for one touched byte.
	madvise(mem, size, MADV_NOHUGEPAGE);
	gort__add(&stacks.reserved, size);
	gort__san_arena(mem, size);
	return mem;
}

static bool guard(char *lo)
{
	// mprotect ends where the kernel's limit of mappings does; then there is no stack, never an
	// unguarded one.
	if (stacks.guard_madvise)
		return !madvise(lo, STACK_GUARD, MADV_GUARD_INSTALL);
	return !mprotect(lo, STACK_GUARD, PROT_NONE);
}

static bool table_add(struct g *g)
{
	uint32_t slot = table_used;
	struct g **piece;

	if (slot >> SLOT_BITS)
		return false;
	piece = table[slot / TABLE_CHUNK];
	if (!piece) {
		piece = mmap(NULL, TABLE_CHUNK * sizeof(*piece), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (piece == MAP_FAILED)
			return false;
		gort__store_release(&table[slot / TABLE_CHUNK], piece);
	}
	g->id = slot;
	gort__store_release(&piece[slot % TABLE_CHUNK], g);
	g->allnext = sched.allg;
	gort__store_release(&sched.allg, g);
	gort__store_release(&table_used, slot + 1);
	return true;
}

struct g *gort__g_lookup(uint64_t id)
{
	uint32_t slot = id & ((1u << SLOT_BITS) - 1);
	struct g *g;

	if (!slot || slot >= gort__load_acquire(&table_used))
		return NULL;
	g = gort__load_acquire(&table[slot / TABLE_CHUNK][slot % TABLE_CHUNK]);
	if (gort__load_acquire(&g->id) != id || gort__load(&g->status) == G_DEAD)
		return NULL;
	return g;
}

static struct g *make(char *slot, int class)
{
	char *end = slot + STACK_GUARD + class_size(class);
	size_t colour = table_used % COLOURS * COLOUR_STEP;
	struct g *g = (void *)(end - colour - (sizeof(struct g) + LINE - 1) / LINE * LINE);

	if (!guard(slot))
		return NULL;
	g->stack.lo = slot + STACK_GUARD;
	g->stack.hi = (char *)g;
	g->stack_class = (uint8_t) class;
	g->status = G_DEAD;
	gort__valgrind(VALGRIND_STACK_REGISTER, g->stack.lo, g->stack.hi);
	if (!table_add(g))
		return NULL;
	return g;
}

// Under stacks.lock: a new goroutine from the arena, or from a mapping of its own when it is large.
static struct g *carve(int class)
{
	size_t size = STACK_GUARD + class_size(class);
	struct g *g;

	if (class) {
		char *slot = reserve(size);
		g = slot ? make(slot, class) : NULL;
		if (slot && !g)
			munmap(slot, size);
		return g;
	}
	if (stacks.arena == stacks.arena_end) {
		char *arena = reserve(ARENA);
		if (!arena)
			return NULL;
		stacks.arena = arena;
		stacks.arena_end = arena + ARENA;
	}
	g = make(stacks.arena, class);
	if (g)
		stacks.arena += size;
	return g;
}

// Free lists are stacks: the last one in is the one whose lines are warm. tail is not used.
static void free_push(struct glist *free, struct g *g)
{
	g->next = free->head;
	free->head = g;
	free->n++;
}

static struct g *free_pop(struct glist *free)
{
	struct g *g = free->head;

	if (g) {
		free->head = g->next;
		free->n--;
	}
	return g;
}

static gort__cold struct g *get_slow(struct p *p, int class)
{
	struct glist *free = &stacks.free[class];
	struct g *g;

	gort__lock(&stacks.lock);
	for (int i = 0; p && i < BATCH && free->n > 1; i++)
		free_push(&p->free[class], free_pop(free));
	g = free_pop(free);
	if (!g)
		g = free_pop(&stacks.cold[class]);
	if (!g)
		g = carve(class);
	gort__unlock(&stacks.lock);
	return g;
}

struct g *gort__stack_get(struct p *p, int class)
{
	struct g *g = p ? free_pop(&p->free[class]) : NULL;

	return gort__likely(g != NULL) ? g : get_slow(p, class);
}

static gort__cold void put_slow(struct p *p, int class)
{
	gort__lock(&stacks.lock);
	for (uint32_t n = p->free[class].n / 2; n; n--)
		free_push(&stacks.free[class], free_pop(&p->free[class]));
	gort__unlock(&stacks.lock);
}

void gort__stack_put(struct p *p, struct g *g)
{
	int class = g->stack_class;
	struct glist *free = &p->free[class];

	// The next user's id differs, so that old ids name nobody.
	gort__store_release(&g->id, g->id + (UINT64_C(1) << SLOT_BITS));
	free_push(free, g);
	if (gort__unlikely(free->n > (class ? BATCH : P_KEEP)))
		put_slow(p, class);
}

bool gort__stack_in_guard(const struct g *g, const void *addr)
{
	const char *a = addr;

	return a >= g->stack.lo - STACK_GUARD && a < g->stack.lo;
}

void gort__stack_guard_open(struct g *g)
{
	char *lo = g->stack.lo - STACK_GUARD_OPEN;

	if (stacks.guard_madvise)
		madvise(lo, STACK_GUARD_OPEN, MADV_GUARD_REMOVE);
	else
		mprotect(lo, STACK_GUARD_OPEN, PROT_READ | PROT_WRITE);
	g->guard_open = true;
}

void gort__stack_guard_close(struct g *g)
{
	char *lo = g->stack.lo - STACK_GUARD_OPEN;

	if (stacks.guard_madvise)
		madvise(lo, STACK_GUARD_OPEN, MADV_GUARD_INSTALL);
	else
		mprotect(lo, STACK_GUARD_OPEN, PROT_NONE);
	g->guard_open = false;
}

uint64_t gort__stack_bytes(void)
{
	return gort__load(&stacks.reserved);
}

// All but the top page of a stack that nobody uses.
static void give_back(struct g *g)
{
	char *top = (char *)((uintptr_t)g & -(uintptr_t)PAGE);

	madvise(g->stack.lo, (size_t)(top - g->stack.lo), MADV_DONTNEED);
}

bool gort__stack_trim(void)
{
	for (int class = 0; class < STACK_CLASSES; class ++) {
		struct g *g = NULL;

		gort__lock(&stacks.lock);
		if (stacks.free[class].n)
			g = free_pop(&stacks.free[class]);
		gort__unlock(&stacks.lock);
		if (!g)
			continue;
		give_back(g);
		gort__lock(&stacks.lock);
		free_push(&stacks.cold[class], g);
		gort__unlock(&stacks.lock);
		return true;
	}
	return false;
}
