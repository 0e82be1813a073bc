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

enum stack_age { STACK_YOUNG, STACK_OLD, STACK_DUE, STACK_COLD, STACK_AGES };

static struct {
	struct lock lock;
	char *arena, *arena_end; // what is left of the newest arena
	// Free ones, those first that were used last; the last have given their pages back.
	struct glist list[STACK_AGES][STACK_CLASSES];
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

// Free lists are stacks: the last one in is the one whose lines are warm. In those of Ps tail is not
// used.
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

// The same for the global ones, under stacks.lock.
static void list_push(struct glist *list, struct g *g)
{
	g->next = list->head;
	list->head = g;
	if (!list->tail)
		list->tail = g;
	list->n++;
}

static void list_splice(struct glist *to, struct glist *from)
{
	if (!from->n)
		return;
	from->tail->next = to->head;
	to->head = from->head;
	if (!to->tail)
		to->tail = from->tail;
	to->n += from->n;
	*from = (struct glist){ 0 };
}

static struct glist *warmest(int class)
{
	for (int age = STACK_YOUNG; age < STACK_AGES; age++)
		if (stacks.list[age][class].n)
			return &stacks.list[age][class];
	return NULL;
}

static gort__cold struct g *get_slow(struct p *p, int class)
{
	struct glist *list;
	struct g *g;

	if (p && (g = p->old[class])) {
		p->old[class] = g->next;
		for (int i = 0; i < BATCH && p->old[class]; i++) {
			struct g *next = p->old[class];
			p->old[class] = next->next;
			free_push(&p->free[class], next);
		}
		return g;
	}
	gort__lock(&stacks.lock);
	list = warmest(class);
	for (int i = 0; p && list && i < BATCH && list->n > 1; i++)
		free_push(&p->free[class], gort__glist_pop(list));
	g = list ? gort__glist_pop(list) : carve(class);
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
		list_push(&stacks.list[STACK_YOUNG][class], free_pop(&p->free[class]));
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

// ---- giving back --------------------------------------------------------------------------------

void gort__stack_turn(struct p *p)
{
	uint32_t turn = gort__load(&p->turn);

	if (turn != STACK_TURN_ASKED && turn != STACK_TURN_LATE)
		return;
	for (int class = 0; class < STACK_CLASSES; class ++) {
		p->shed[class] = p->old[class];
		p->old[class] = p->free[class].head;
		p->free[class] = (struct glist){ 0 };
	}
	gort__store_release(&p->turn, STACK_TURN_DONE);
}

// Racy, and no more than a hint.
static bool has_any(const struct p *p)
{
	bool any = gort__load(&p->turn) == STACK_TURN_DONE;

	for (int class = 0; class < STACK_CLASSES && !any; class ++)
		any = gort__load(&p->free[class].head) || gort__load(&p->old[class]);
	return any;
}

static void collect(struct p *p)
{
	if (gort__load_acquire(&p->turn) != STACK_TURN_DONE)
		return;
	for (int class = 0; class < STACK_CLASSES; class ++) {
		struct glist list = { 0 };
		for (struct g *g = p->shed[class], *next; g; g = next) {
			next = g->next;
			gort__glist_push(&list, g);
		}
		p->shed[class] = NULL;
		gort__lock(&stacks.lock);
		list_splice(&stacks.list[STACK_DUE][class], &list);
		gort__unlock(&stacks.lock);
	}
	gort__store_release(&p->turn, STACK_TURN_NONE);
}

static void ask(struct p *p)
{
	uint32_t asked = STACK_TURN_ASKED;

	collect(p);
	if (!has_any(p))
		return;
	if (gort__load(&p->turn) == STACK_TURN_NONE)
		gort__store(&p->turn, STACK_TURN_ASKED);
	else
		gort__cas(&p->turn, &asked, STACK_TURN_LATE);
}

void gort__stack_turn_all(void)
{
	gort__lock(&stacks.lock);
	for (int class = 0; class < STACK_CLASSES; class ++) {
		list_splice(&stacks.list[STACK_DUE][class], &stacks.list[STACK_OLD][class]);
		list_splice(&stacks.list[STACK_OLD][class], &stacks.list[STACK_YOUNG][class]);
	}
	gort__unlock(&stacks.lock);
	for (int i = 0; i < P_MAX && gort__load_acquire(&sched.allp[i]); i++)
		ask(sched.allp[i]);
	// With the lock none of these comes into anybody's hands.
	gort__lock(&sched.lock);
	for (struct p *p = sched.pidle; p; p = p->link)
		gort__stack_turn(p);
	for (int i = (int)sched.nprocs; i < P_MAX && sched.allp[i] && !sched.stopping; i++)
		gort__stack_turn(sched.allp[i]);
	gort__unlock(&sched.lock);
}

bool gort__stack_trim_later(void)
{
	bool any = false;

	gort__lock(&stacks.lock);
	for (int age = STACK_YOUNG; age < STACK_COLD; age++)
		for (int class = 0; class < STACK_CLASSES; class ++)
			any |= stacks.list[age][class].n != 0;
	gort__unlock(&stacks.lock);
	for (int i = 0; i < P_MAX && !any && gort__load_acquire(&sched.allp[i]); i++)
		any = has_any(sched.allp[i]);
	return any;
}

// All but the page that struct g is in, of a stack that nobody uses.
static void give_back(struct g *g)
{
	char *top = (char *)((uintptr_t)g & -(uintptr_t)PAGE);

	madvise(g->stack.lo, (size_t)(top - g->stack.lo), MADV_DONTNEED);
}

void gort__stack_collect(void)
{
	for (int i = 0; i < P_MAX && gort__load_acquire(&sched.allp[i]); i++)
		collect(sched.allp[i]);
}

bool gort__stack_trim(void)
{
	for (int class = 0; class < STACK_CLASSES; class ++) {
		struct g *g = NULL;

		if (!gort__load(&stacks.list[STACK_DUE][class].n))
			continue;
		// Nobody may be given it meanwhile.
		gort__lock(&stacks.lock);
		g = gort__glist_pop(&stacks.list[STACK_DUE][class]);
		gort__unlock(&stacks.lock);
		if (!g)
			continue;
		give_back(g);
		gort__lock(&stacks.lock);
		list_push(&stacks.list[STACK_COLD][class], g);
		gort__unlock(&stacks.lock);
		return true;
	}
	return false;
}
