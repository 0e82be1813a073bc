// SPDX-License-Identifier: MIT
// A program with an allocator of its own, linked in: goroutines are paused in its midst, with its
// lock, and go on when they get a P. So nothing of the library may wait for it with a P.
// valgrind: it has an allocator of its own
#include "tests/runtime/sync.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifdef UNDER_SANITIZER
#define CASE(text, fn) SKIP(text, fn, "the sanitizer has an allocator of its own")
#else
#define CASE(text, fn) TEST(text, fn)

// ---- the allocator ------------------------------------------------------------------------------
// One lock, a list for each power of two. What has another alignment is never freed.

enum { THINKS = 3000, LEAST = 5, GREATEST = 40, REGION = 64 << 20 };

struct block {
	long class;
	struct block *next;
	char memory[];
};

static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
static char *heap_next, *heap_end;
static struct block *heap_free[GREATEST + 1];

// As if a list was searched. It is here that goroutines are paused.
__attribute__((noinline)) static void think(void)
{
	static volatile unsigned work;

	for (int i = 0; i < THINKS; i++)
		work++;
}

static struct block *take(int class)
{
	size_t size = (size_t)1 << class;
	struct block *b = heap_free[class];

	if (b) {
		heap_free[class] = b->next;
		return b;
	}
	if ((size_t)(heap_end - heap_next) < size) {
		size_t region = size > REGION ? size : REGION;
		heap_next = mmap(NULL, region, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (heap_next == MAP_FAILED)
			abort();
		heap_end = heap_next + region;
	}
	b = (struct block *)heap_next;
	heap_next += size;
	return b;
}

// Under a name of which the compiler knows nothing.
__attribute__((noinline)) static void *allocate(size_t n)
{
	int class = LEAST;
	struct block *b;

	while (((size_t)1 << class) < n + sizeof(struct block))
		class ++;
	pthread_mutex_lock(&heap_lock);
	think();
	b = take(class);
	b->class = class;
	pthread_mutex_unlock(&heap_lock);
	return b->memory;
}

void *malloc(size_t n)
{
	return allocate(n);
}

static struct block *block_of(void *p)
{
	return (struct block *)((char *)p - offsetof(struct block, memory));
}

void free(void *p)
{
	struct block *b = block_of(p);

	if (!p || !b->class)
		return;
	pthread_mutex_lock(&heap_lock);
	think();
	b->next = heap_free[b->class];
	heap_free[b->class] = b;
	pthread_mutex_unlock(&heap_lock);
}

void *calloc(size_t a, size_t b)
{
	void *p = allocate(a * b);

	return memset(p, 0, a * b);
}

void *realloc(void *p, size_t n)
{
	size_t old = p ? ((size_t)1 << block_of(p)->class) - sizeof(struct block) : 0;
	void *now;

	if (p && old >= n)
		return p;
	now = allocate(n);
	if (p)
		memcpy(now, p, old);
	free(p);
	return now;
}

int posix_memalign(void **ret, size_t align, size_t n)
{
	char *p = allocate(n + align + sizeof(struct block));
	uintptr_t at = ((uintptr_t)p + sizeof(struct block) + align - 1) & -align;

	*ret = (void *)at;
	block_of(*ret)->class = 0;
	return 0;
}

void *aligned_alloc(size_t align, size_t n)
{
	void *p;

	return posix_memalign(&p, align, n) ? NULL : p;
}
#endif

// ---- those who use it ---------------------------------------------------------------------------

enum { WORKERS = 3, EACH = 100 };

static atomic_bool stop;
static gort_wg working;

static void works(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		free(malloc(100));
	gort_wg_done(&working);
}

static void beside_allocators(void (*fn)(void))
{
	atomic_store(&stop, false);
	gort_wg_add(&working, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		gort_go(works, NULL);
	fn();
	atomic_store(&stop, true);
	gort_wg_wait(&working);
}

// ---- what the library does ----------------------------------------------------------------------

static void after(void)
{
	for (int i = 0; i < EACH; i++) {
		gort_chan *c = gort_after(MS / 2), *other = gort_after(MS / 2);
		// The one's last reference is ours, the other's the timer's.
		gort_chan_release(other);
		expect_eq(gort_recv(c, NULL), 0);
		gort_chan_release(c);
	}
}

static void select_many(void)
{
	enum { MANY = 40 };
	struct gort_case cases[MANY];
	gort_chan *never = gort_chan_make(0, 0);

	for (int i = 0; i < EACH; i++) {
		gort_chan *c = gort_after(MS / 2);
		for (int k = 0; k < MANY; k++)
			cases[k] = (struct gort_case){ k == i % MANY ? c : never, GORT_RECV, NULL,
						       0 };
		expect_eq(gort_select(cases, MANY, GORT_FOREVER), i % MANY);
		gort_chan_release(c);
	}
	gort_chan_release(never);
}

static gort_wg blocked;

static void nap(void *arg)
{
	(void)arg;
	usleep(2000);
}

static void blocks(void *arg)
{
	gort_blocking(nap, arg);
	gort_wg_done(&blocked);
}

// Threads are made all the time: a locked goroutine's ends with it.
static void blocks_locked(void *arg)
{
	gort_lock_os_thread();
	gort_blocking(nap, arg);
	gort_wg_done(&blocked);
}

static void make_threads(void)
{
	for (int i = 0; i < EACH / 4; i++) {
		gort_wg_add(&blocked, 12);
		for (int k = 0; k < 12; k++)
			gort_go(k % 2 ? blocks : blocks_locked, NULL);
		gort_wg_wait(&blocked);
	}
}

static void call_all_threads(void)
{
	for (int i = 0; i < EACH / 4; i++) {
		gort_wg_add(&blocked, 12);
		for (int k = 0; k < 12; k++)
			gort_go(blocks_locked, NULL);
		expect_eq(gort_all_threads_syscall(SYS_prctl, PR_SET_KEEPCAPS, i % 2, 0), 0);
		gort_wg_wait(&blocked);
	}
}

static void *calls_back(void *arg)
{
	expect_eq(gort_callback(arg, NULL), 0);
	return NULL;
}

static void in_callback(void *arg)
{
	(void)arg;
	free(malloc(10));
	gort_yield();
}

static void have_callbacks(void)
{
	for (int i = 0; i < EACH / 8; i++) {
		pthread_t t[4];
		for (int k = 0; k < 4; k++)
			pthread_create(&t[k], NULL, calls_back, in_callback);
		for (int k = 0; k < 4; k++)
			pthread_join(t[k], NULL);
	}
}

static void deferred(void *arg)
{
	(void)arg;
}

static void panics(void *arg)
{
	gort_defer(deferred, arg);
	gort_defer(deferred, arg);
	gort_panic("%.*f", 200, 1e200);
}

static void panic_often(void)
{
	int key = gort_local_key(free);

	for (int i = 0; i < EACH; i++) {
		gort_once once = { 0 };
		expect_eq(gort_try(panics, NULL, NULL), 1);
		gort_once_do(&once, deferred, NULL);
		if (i == 0)
			gort_local_set(key, malloc(10));
	}
}

static void change_procs(void)
{
	int procs = gort_gomaxprocs(0);

	for (int i = 0; i < EACH / 4; i++) {
		gort_gomaxprocs(1 + i % 4);
		gort_sleep(MS / 2);
	}
	gort_gomaxprocs(procs);
}

#define BESIDE(name)                     \
	static void name##_beside(void)  \
	{                                \
		beside_allocators(name); \
	}

BESIDE(after)
BESIDE(select_many)
BESIDE(make_threads)
BESIDE(call_all_threads)
BESIDE(have_callbacks)
BESIDE(panic_often)
BESIDE(change_procs)

static const struct test tests[] = {
	CASE("gort_after", after_beside),
	CASE("gort_select of many", select_many_beside),
	CASE("threads are made", make_threads_beside),
	CASE("all threads make a call", call_all_threads_beside),
	CASE("callbacks of new threads", have_callbacks_beside),
	CASE("panics and goroutines' own values", panic_often_beside),
	CASE("another number of Ps", change_procs_beside),
};

SYNC_MAIN(tests)
