// SPDX-License-Identifier: MIT
// What sync/ and fault/ will define, weakly, until they do.
#include "runtime/gort.h"
#include "runtime/base/print.h"
#include "runtime/sched/core.h"
#include "runtime/sync/netpoll.h"

#include <unistd.h>

#define weak __attribute__((weak))

weak uint32_t gort__netpoll_on, gort__netpoll_waiters, gort__freezing;
weak int gort__netpoll(int64_t delay, struct glist *ready)
{
	(void)delay, (void)ready;
	return 0;
}
weak void gort__netpoll_break(void)
{
}
weak void gort__timers_init(struct p *p)
{
	p->timers.when = INT64_MAX;
}
weak int64_t gort__timers_check(struct p *p, int64_t now)
{
	(void)p, (void)now;
	return INT64_MAX;
}
weak void gort__timers_move(struct p *from, struct p *to)
{
	(void)from, (void)to;
}
weak _Noreturn void gort__freeze_stop(void)
{
	for (;;)
		pause();
}
weak _Noreturn void gort__throw(const char *msg)
{
	gort__fatal("%s", msg);
}
weak _Noreturn void gort__fatal(const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	gort__vformat(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	gort__print("fatal error: %s\n", buf);
	_exit(2);
}
weak _Noreturn void gort__fatal_deadlock(void)
{
	gort__fatal("all goroutines are asleep - deadlock!");
}
weak void gort__fault_init(void)
{
}
weak void gort__defers_run(struct g *g)
{
	(void)g;
}
weak void gort__defers_exit(struct g *g)
{
	(void)g;
}
weak _Noreturn void gort__fault_lock_order(const char *held, const char *taken)
{
	gort__fatal("runtime lock %s taken under %s", taken, held);
}
weak int64_t gort_now(void)
{
	return gort__nanotime();
}
weak _Noreturn void gort_panic(const char *fmt, ...)
{
	gort__fatal("panic: %s", fmt);
}
