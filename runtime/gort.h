// SPDX-License-Identifier: MIT
// libgort: goroutines for C. The only public header.
// Results are a count, 0, or a negative errno. Times are nanoseconds; deadlines are absolute gort_now().
//
// Rules that C imposes (the reasons are in runtime/README.md):
//  - A goroutine may continue on another thread, but only at a call into this library. Never keep
//    across such a call: the address of a thread-local variable, pthread_self(), gettid(). Needing
//    a fixed thread, use gort_lock_os_thread(). errno is safe: this header redefines it.
//  - GORTMAXPROCS bounds how many goroutines are inside the scheduler's care at once; it is no mutual
//    exclusion. Code that computes or blocks in libc goes on running while others get its turn.
//  - A goroutine's stack is 64 KB unless gort_go_with() says otherwise, and is guarded. Calls
//    that need much (getaddrinfo, dlopen, big printf) belong in gort_blocking().
//  - "May park" below means that it may have to wait for something, and others run meanwhile. What
//    does not say so waits at most for the goroutine's turn, when that was given to others while it
//    computed or blocked; so after any call that is not marked "any thread" it may be on another
//    thread.
//    Every parking call that returns a result returns -ECANCELED once gort_cancel() was called on
//    its goroutine, except where it says otherwise. Locking without a result is not cancelled.
//  - C++ exceptions in flight belong to the goroutine and go where it goes. One that leaves fn of
//    gort_try() or gort_once_do() goes on in the caller, after what ends there; one that leaves the
//    function of a goroutine, timer or callback, a deferred function or gort_blocking()'s ends the
//    process by name. C++ that a C program loads later is noticed when that was in gort_blocking().
//  - Calls are for goroutines. On a thread without one they end the process with a message naming the
//    call, except those marked "any thread". None may be called from a signal handler.
//  - After fork the child has only the forking thread. Until it calls exec, every call of this
//    library that enters the scheduler ends it with a message.
//  - glibc 2.35 or later: faults, panics' stacks and debug calls ask its _dl_find_object(), which musl
//    lacks. In a static executable, or with an allocator of its own, no fault becomes a panic: nobody
//    can tell whether it happened under a lock. SIGSEGV, SIGBUS and SIGFPE are fatal there.
//  - Some calls here interrupt system calls that other threads are in, as any signal does: poll(),
//    nanosleep() and others that are never restarted end with EINTR. These are
//    gort_all_threads_syscall() and gort_set*id().
#ifndef GORT_H
#define GORT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
#define GORT_NORETURN [[noreturn]]
extern "C" {
#else
#define GORT_NORETURN _Noreturn
#endif

#define GORT_API __attribute__((visibility("default")))
// Whoever does not look at the result goes on without what was asked for.
#define GORT_MUST_LOOK __attribute__((warn_unused_result))

struct addrinfo;
struct iovec;
struct msghdr;
struct sockaddr;

// glibc declares __errno_location const, so a compiler may keep the address of one thread's errno
// across a call that moved the goroutine to another thread. This one is an ordinary function.
GORT_API int *gort_errno_location(void);
#undef errno
#define errno (*gort_errno_location())

#define GORT_FOREVER INT64_MAX

// ---- life ---------------------------------------------------------------------------------------

// Runs fn(arg) as the main goroutine (1 MB of stack) and returns 0 when it has returned. The
// calling thread only waits, unless gort_lock_os_thread() was called on it before: then fn runs on
// it. At fn's return the world stops: goroutines that are left run nothing of this library any more
// and end with the process. Second call: -EALREADY. -ENOMEM or -EAGAIN when threads or stacks
// cannot be made; one that cannot be made later is told of on stderr, once, and those that there are
// go on. From then on SIGQUIT, unless the program has an action of its own for it, ends the
// process with a report of where all goroutines are.
GORT_API int gort_main(void (*fn)(void *), void *arg);
// A program with ThreadSanitizer needs a library with it (make SAN=thread), and does not link with
// another.
#if defined(__SANITIZE_THREAD__)
#define gort_main gort_main_for_thread_sanitizer
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define gort_main gort_main_for_thread_sanitizer
#endif
#endif
#ifdef gort_main
GORT_API int gort_main(void (*fn)(void *), void *arg);
#endif

struct gort_attr {
	size_t stack_size; // bytes, 0 = 64 KB; rounded up to a power of two, at most 1 GB
	const char
		*label; // shown in tracebacks and debuggers; not copied, must outlive the goroutine
};

// Starts a goroutine. Returns its id, never 0; 0 when there is no memory (errno is ENOMEM) or a
// stack size cannot be had (EINVAL). Ids are never reused. Does not park.
GORT_API uint64_t gort_go(void (*fn)(void *), void *arg);
GORT_API uint64_t gort_go_with(const struct gort_attr *attr, void (*fn)(void *), void *arg);

// Lets others run first. Parks, but is never cancelled.
GORT_API void gort_yield(void);

// Ends the calling goroutine after running its deferred functions; passes through gort_try().
// In the main goroutine the others go on, and the process ends as deadlocked when none is left.
GORT_NORETURN GORT_API void gort_exit(void);

// The calling goroutine's id; 0 on a thread that has none (any thread).
GORT_API uint64_t gort_id(void);

// CLOCK_MONOTONIC in ns. Any thread; no system call.
GORT_API int64_t gort_now(void);

// Parks for at least ns nanoseconds (<= 0: yields). 0 or -ECANCELED.
GORT_API int gort_sleep(int64_t ns);

// Waits until gort_ready() names the caller; a gort_ready() that came before is not lost (one is
// remembered). Returns also when cancelled. May return without cause: check the condition in a
// loop.
GORT_API void gort_park(void);

// Ends the present or the next gort_park() of goroutine id. 0, or -ESRCH when it has ended.
GORT_API int gort_ready(uint64_t id);

// Asks goroutine id to stop: sticky, every parking call of it with a result returns -ECANCELED at
// once, one in progress too (a cond wait locks its mutex first). Never interrupts a raw libc call, a
// gort_once, or the plain locking of a mutex, rwmutex or semaphore: those wait until they have it.
// 0, also when it ends meanwhile, or -ESRCH when it had ended before the call.
GORT_API int gort_cancel(uint64_t id);

// Takes a gort_cancel() of the calling goroutine back. Whether it was cancelled: gort_canceled().
GORT_API void gort_cancel_clear(void);
GORT_API bool gort_canceled(void);

// Goroutine-local storage. A key is for every goroutine and lives as long as the process; values
// start NULL. destroy (may be NULL) is run on a non-NULL value when its goroutine ends.
// gort_local_key: the key (>= 0) or -EAGAIN when 1,024 are taken (any thread). _set: 0, -EINVAL for
// no such key, -ENOMEM.
GORT_API int gort_local_key(void (*destroy)(void *));
GORT_API int gort_local_set(int key, void *value);
GORT_API void *gort_local_get(int key);

// ---- channels -----------------------------------------------------------------------------------

typedef struct gort_chan gort_chan;

// A channel for elements of elem bytes (0 is allowed: only the event counts) with room for cap of
// them. One reference, to be given back by gort_chan_release(); the last one frees it and its
// buffer. NULL with errno ENOMEM or EINVAL (elem > 64 KB, cap * elem beyond the address space). Any
// thread.
GORT_API gort_chan *gort_chan_make(size_t elem, size_t cap);
GORT_API gort_chan *gort_chan_retain(gort_chan *c); // returns c; NULL stays NULL; any thread
GORT_API void gort_chan_release(gort_chan *c); // NULL is ignored; any thread

// Copies *elem in or out. 0; -EPIPE when closed (recv: and drained; *elem is zeroed then);
// -ECANCELED; _until: -ETIMEDOUT; try: -EAGAIN instead of parking. A NULL channel blocks for ever
// (try: -EAGAIN). elem may be NULL: send zeroes, drop what was received.
GORT_API int gort_send(gort_chan *c, const void *elem);
GORT_API int gort_recv(gort_chan *c, void *elem);
GORT_API int gort_send_until(gort_chan *c, const void *elem, int64_t deadline);
GORT_API int gort_recv_until(gort_chan *c, void *elem, int64_t deadline);
GORT_API int gort_trysend(gort_chan *c, const void *elem);
GORT_API int gort_tryrecv(gort_chan *c, void *elem);

// Wakes every waiter with -EPIPE; what is buffered can still be received. Closing a closed or a
// NULL channel panics. Does not park.
GORT_API void gort_close(gort_chan *c);
GORT_API size_t gort_len(gort_chan *c); // elements buffered now; 0 for NULL; any thread
GORT_API size_t gort_cap(gort_chan *c); // 0 for NULL; any thread

enum gort_op { GORT_SEND = 1, GORT_RECV = 2 };

struct gort_case {
	gort_chan *chan; // NULL: this case is never ready
	enum gort_op op;
	void *elem;
	int result; // written for the chosen case: 0 or -EPIPE
};

// Parks until one case can go on and does it; of several that can, each is as likely. Returns its
// index; -ETIMEDOUT at the deadline (0: at once, the default case); -ECANCELED; -EINVAL (n < 0,
// unknown op).
GORT_API int gort_select(struct gort_case *cases, int n, int64_t deadline);

// ---- locks --------------------------------------------------------------------------------------
// All-zero is a valid initial value. The content is private. They exclude goroutines, may be unlocked by another
// goroutine than the one that locked, and are never taken by signal handlers or threads without one.
// Plain locking always locks: no cancel ends it. int results: 0, -ECANCELED (_cancellable, _until),
// try: -EBUSY, _until: -ETIMEDOUT. What is not locked and gets unlocked ends the process with a
// message.

typedef struct gort_mutex {
	uintptr_t gort_private[3];
} gort_mutex;
typedef struct gort_rwmutex {
	uintptr_t gort_private[8];
} gort_rwmutex;
typedef struct gort_cond {
	uintptr_t gort_private[4];
} gort_cond;
typedef struct gort_wg {
	uintptr_t gort_private[4];
} gort_wg;
typedef struct gort_once {
	uintptr_t gort_private[4];
} gort_once;
typedef struct gort_sema {
	uintptr_t gort_private[4];
} gort_sema;

// Fair after 1 ms of waiting: a waiter that old gets the lock handed over. Locking may park.
GORT_API void gort_mutex_lock(gort_mutex *m);
GORT_MUST_LOOK GORT_API int gort_mutex_lock_cancellable(gort_mutex *m);
GORT_MUST_LOOK GORT_API int gort_mutex_trylock(gort_mutex *m);
GORT_MUST_LOOK GORT_API int gort_mutex_lock_until(gort_mutex *m, int64_t deadline);
GORT_API void gort_mutex_unlock(gort_mutex *m);

// Many readers or one writer; a waiting writer holds back new readers. Locking may park.
GORT_API void gort_rwmutex_rdlock(gort_rwmutex *rw);
GORT_MUST_LOOK GORT_API int gort_rwmutex_rdlock_cancellable(gort_rwmutex *rw);
GORT_MUST_LOOK GORT_API int gort_rwmutex_tryrdlock(gort_rwmutex *rw);
GORT_MUST_LOOK GORT_API int gort_rwmutex_rdlock_until(gort_rwmutex *rw, int64_t deadline);
GORT_API void gort_rwmutex_rdunlock(gort_rwmutex *rw);
GORT_API void gort_rwmutex_lock(gort_rwmutex *rw);
GORT_MUST_LOOK GORT_API int gort_rwmutex_lock_cancellable(gort_rwmutex *rw);
GORT_MUST_LOOK GORT_API int gort_rwmutex_trylock(gort_rwmutex *rw);
GORT_MUST_LOOK GORT_API int gort_rwmutex_lock_until(gort_rwmutex *rw, int64_t deadline);
GORT_API void gort_rwmutex_unlock(gort_rwmutex *rw);

// Unlocks m, parks until signalled, locks m again whatever the result (that locking is not
// cancelled). Never returns 0 without a signal.
GORT_API int gort_cond_wait(gort_cond *c, gort_mutex *m);
GORT_API int gort_cond_wait_until(gort_cond *c, gort_mutex *m, int64_t deadline);
GORT_API void gort_cond_signal(gort_cond *c); // wakes the one that waits longest
GORT_API void gort_cond_broadcast(gort_cond *c);

// Counts work that is under way; wait parks until the count is 0. A count below zero panics.
GORT_API void gort_wg_add(gort_wg *wg, int64_t n);
GORT_API void gort_wg_done(gort_wg *wg);
GORT_API int gort_wg_wait(gort_wg *wg);
GORT_API int gort_wg_wait_until(gort_wg *wg, int64_t deadline);

// Runs fn(arg) the first time; later and concurrent calls return when it has returned. Parks
// without being cancelled. If fn panics it counts as done, and the panic goes on in the first
// caller; so too with a C++ exception.
GORT_API void gort_once_do(gort_once *once, void (*fn)(void *), void *arg);

// A counting semaphore, first come first served. Acquire takes 1 and parks while there is none.
GORT_API void gort_sema_acquire(gort_sema *s);
GORT_MUST_LOOK GORT_API int gort_sema_acquire_cancellable(gort_sema *s);
GORT_MUST_LOOK GORT_API int gort_sema_tryacquire(gort_sema *s);
GORT_MUST_LOOK GORT_API int gort_sema_acquire_until(gort_sema *s, int64_t deadline);
GORT_API void gort_sema_release(gort_sema *s, uint32_t n);

// ---- timers -------------------------------------------------------------------------------------

// All-zero is a stopped timer. The memory must stay until the timer has fired or was stopped.
typedef struct gort_timer {
	uintptr_t gort_private[12];
} gort_timer;

// At deadline, and every period ns after it when period > 0, a new goroutine runs fn(arg).
// 0; -EBUSY when it is running already; -EINVAL for fn == NULL or period < 0. Does not park.
GORT_API int gort_timer_start(gort_timer *t, int64_t deadline, int64_t period, void (*fn)(void *),
			      void *arg);
// 1 when this call stopped it, 0 when it had fired or was stopped. fn may still be running then.
GORT_API int gort_timer_stop(gort_timer *t);
// Gives a started timer a new deadline. 1 when it was still to fire, 0 when it had fired or was
// stopped; it runs in both cases. -EINVAL when it was never started.
GORT_API int gort_timer_reset(gort_timer *t, int64_t deadline);

// A channel of int64_t, cap 1, that gets gort_now() once after ns. The caller releases it. NULL:
// ENOMEM.
GORT_API gort_chan *gort_after(int64_t ns);

// ---- panics -------------------------------------------------------------------------------------

struct gort_panic {
	char msg[256]; // always terminated
	int signo; // the signal that became a panic, 0 for gort_panic()
	int code; // its si_code
	void *addr; // the fault address
	void *pc; // where it happened
};

// fn(arg) runs when the innermost gort_try(), gort_callback() or goroutine entry ends: by return,
// panic or gort_exit(). Last in, first out. Never parks; no memory is a panic.
GORT_API void gort_defer(void (*fn)(void *), void *arg);

// Unwinds to the innermost gort_try() or to the end of the process: deferred functions run, nothing
// else does. Skipped frames run no cleanup attributes and no C++ destructors, and release no locks.
// Uncaught: every goroutine's stack on stderr, exit status 2.
GORT_NORETURN GORT_API void gort_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// In a deferred function while panicking: ends the panic, whose scope then returns to its caller
// (gort_try: 0). The result is valid until that function returns. Otherwise NULL.
GORT_API const struct gort_panic *gort_recover(void);

// Runs fn(arg). 0 when it returned or recovered; 1 when it panicked, with *out (may be NULL)
// filled. A C++ exception goes on in the caller once the deferred functions have run; it is no panic.
GORT_API int gort_try(void (*fn)(void *), void *arg, struct gort_panic *out);

// ---- blocking and threads -----------------------------------------------------------------------

// Runs fn(arg) on the thread's own big stack (1 MB or more) while others get this goroutine's turn;
// for libc calls that take long or much stack. fn may call nothing of this library but
// gort_callback() and what is marked "any thread". Waits for its turn again at the end.
GORT_API void gort_blocking(void (*fn)(void *), void *arg);

// Ties the goroutine to its present thread: nobody else runs there until as many unlocks. A
// goroutine that ends locked takes its thread with it (the process's first thread waits instead).
// Called before gort_main() on the same thread, as in a constructor, the main goroutine starts
// locked to it.
GORT_API void gort_lock_os_thread(void);
GORT_API void gort_unlock_os_thread(void);

// Runs fn(arg) as a goroutine, with 256 KB of stack, on the calling thread, whoever made the
// thread; parks like any other. On a goroutine: -EDEADLK, except inside gort_blocking(). On a
// signal stack or in the runtime: -EDEADLK. Before gort_main() has started or after it has
// returned: -EAGAIN. -ENOMEM. 0 when fn returned. A panic that leaves fn is fatal. gort_exit() in
// fn ends fn. Any thread.
GORT_API int gort_callback(void (*fn)(void *), void *arg);

// Makes the calling thread known to gort_all_threads_syscall() without running anything; undone at
// its exit. 0, -EAGAIN before gort_main(), -EDEADLK on a signal stack, -ENOMEM. Does not park. Any
// thread.
GORT_API int gort_thread_attach(void);

// ---- I/O ----------------------------------------------------------------------------------------
// As the system calls, but parks instead of blocking, and returns a count or a negative errno; never -EINTR or
// -EAGAIN. _until: -ETIMEDOUT. -ECANCELED. A descriptor the library did not open is left in its mode; one
// that epoll refuses (a file) is read and written directly. No write raises SIGPIPE: -EPIPE says it.
// Close through gort_fd_close(), which wakes the waiters with -EBADF; after a plain close() by someone
// else, gort_fd_forget() before the number is used again.

GORT_API ssize_t gort_read(int fd, void *buf, size_t n);
GORT_API ssize_t gort_read_until(int fd, void *buf, size_t n, int64_t deadline);
GORT_API ssize_t gort_readv(int fd, const struct iovec *iov, int n);
GORT_API ssize_t gort_write(int fd, const void *buf, size_t n);
GORT_API ssize_t gort_write_until(int fd, const void *buf, size_t n, int64_t deadline);
GORT_API ssize_t gort_writev(int fd, const struct iovec *iov, int n);
GORT_API ssize_t gort_recvmsg(int fd, struct msghdr *msg, int flags);
GORT_API ssize_t gort_recvmsg_until(int fd, struct msghdr *msg, int flags, int64_t deadline);
GORT_API ssize_t gort_sendmsg(int fd, const struct msghdr *msg, int flags);
GORT_API ssize_t gort_sendmsg_until(int fd, const struct msghdr *msg, int flags, int64_t deadline);
GORT_API int gort_accept(int fd, struct sockaddr *addr, unsigned *len); // close-on-exec
GORT_API int gort_accept_until(int fd, struct sockaddr *addr, unsigned *len, int64_t deadline);
GORT_API int gort_connect(int fd, const struct sockaddr *addr, unsigned len);
GORT_API int gort_connect_until(int fd, const struct sockaddr *addr, unsigned len,
				int64_t deadline);
GORT_API int gort_socket(int domain, int type, int protocol); // non-blocking, close-on-exec
GORT_API int gort_pipe(int fds[2]); // non-blocking, close-on-exec

// Parks until fd has one of events (POLLIN, POLLOUT, …; errors always count). The events, or
// -ETIMEDOUT, -ECANCELED, -EBADF, -EPERM (epoll refuses it).
GORT_API int gort_wait_fd(int fd, short events, int64_t deadline);

// Wakes the waiters with -EBADF and closes; who comes while it does so gets -EBADF as well, or the
// file that has the number by then. 0 or the negative errno of close. Does not park.
GORT_API int gort_fd_close(int fd);
// Drops what is known about a number without closing it. 0, or -ENOENT when nothing was known.
GORT_API int gort_fd_forget(int fd);

// getaddrinfo(3) off the goroutine's stack, while others run; its result (EAI_*), not an errno. Not
// cancelled.
GORT_API int gort_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
			      struct addrinfo **res);

// From now on sends every arriving sig to c (elements of sizeof(int): its number; of
// sizeof(siginfo_t): all), never waiting for room. c = NULL gives the former action back. 0,
// -EINVAL (signals of the runtime or uncatchable, other element sizes). Holds a reference to c.
GORT_API int gort_notify(int sig, gort_chan *c);

// ---- the world ----------------------------------------------------------------------------------

// How many goroutines run at once. n > 0 sets it (at most 256), and after the return no automatic
// update is applied, nor is a single system call made for one. Returns the former value; n <= 0
// only asks. May park.
GORT_API int gort_gomaxprocs(int n);
// Back to the default, computed now, and to automatic updates: min(affinity, max(2, ceil(quota /
// period))). May park.
GORT_API void gort_set_default_gomaxprocs(void);
// CPUs usable by the process when it started. Any thread.
GORT_API int gort_num_cpu(void);

// One system call on every thread of the process, or on none. The result or a negative errno.
// -ENOTSUP when a thread is alive that the runtime does not know, or nobody can tell because
// /proc/self/task cannot be read; -EBUSY when one does not take signal 40, by which they are
// gathered: it has it blocked, or sleeps in the kernel for seconds. A handler that the program has
// set for that signal comes behind the runtime's meanwhile. Being gathered ends poll(), nanosleep()
// and the like on other threads with EINTR. Different results on different threads end the process
// with both printed. Parks.
GORT_API long gort_all_threads_syscall(long nr, long a1, long a2, long a3);
GORT_API long gort_all_threads_syscall6(long nr, long a1, long a2, long a3, long a4, long a5,
					long a6);

// As their namesakes in libc, which reach all threads; no goroutine and no thread that the runtime
// knows sees a half-changed process, unless it runs with signal 40 blocked. Threads that it does not
// know may, as with libc's. EINTR elsewhere as above. 0 or -errno. May park.
GORT_API int gort_setuid(uid_t uid);
GORT_API int gort_setgid(gid_t gid);
GORT_API int gort_setreuid(uid_t ruid, uid_t euid);
GORT_API int gort_setregid(gid_t rgid, gid_t egid);
GORT_API int gort_setresuid(uid_t ruid, uid_t euid, uid_t suid);
GORT_API int gort_setresgid(gid_t rgid, gid_t egid, gid_t sgid);
GORT_API int gort_setgroups(size_t n, const gid_t *groups);
GORT_API int gort_seteuid(uid_t euid);
GORT_API int gort_setegid(gid_t egid);

// Writes the caller's stack, or with all everyone's (the world stops for it: may park), as text of
// at most n - 1 bytes and a NUL. Returns the length.
GORT_API size_t gort_traceback(char *buf, size_t n, bool all);

enum { GORT_STACK_DEPTH = 64 };

struct gort_stack {
	uint64_t count; // goroutines that stand there
	uint64_t id; // one of them
	uint32_t
		depth; // of pc; 0 when it cannot be had: blocked in a system call outside this library
	// Innermost first, the inside of this library left out, what is deeper cut off. They are
	// return addresses (look up pc - 1), but for the first of a goroutine that runs. For
	// dladdr() or addr2line.
	void *pc[GORT_STACK_DEPTH];
};

// Where all goroutines are (the world stops for it), equal stacks counted together. Returns how
// many different ones there are and writes the first n, those with most goroutines first. -ENOMEM.
// May park, is not cancelled.
GORT_API ssize_t gort_profile(struct gort_stack *stacks, size_t n);

struct gort_stats {
	uint64_t goroutines; // alive now
	uint64_t goroutines_made; // since the start
	uint64_t threads; // Ms alive now
	uint64_t threads_made;
	uint64_t procs; // GORTMAXPROCS in force
	uint64_t procs_idle;
	uint64_t runnable; // goroutines in run queues
	uint64_t switches; // goroutines given a P, all Ps together
	uint64_t steals; // goroutines taken from another P
	uint64_t retakes; // Ps taken from Ms that computed or blocked
	uint64_t pauses; // Ms paused by SIGURG to keep the CPU limit
	uint64_t world_stops;
	uint64_t stack_bytes; // reserved for stacks, guards included
	uint64_t callbacks; // gort_callback() runs
};

// A snapshot; the numbers are read one by one without stopping anybody. Any thread.
GORT_API void gort_stats(struct gort_stats *out);

#ifdef __cplusplus
}
#endif

#endif
