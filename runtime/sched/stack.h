// SPDX-License-Identifier: MIT
// Goroutine stacks: reserved in arenas of 64 MB, guarded, with struct g in the top page, reused for
// ever.
#ifndef RUNTIME_SCHED_STACK_H
#define RUNTIME_SCHED_STACK_H

#include "runtime/base/base.h"

struct g;
struct p;

enum {
	STACK_GUARD = 64 << 10, // bytes below every stack that nobody may touch
	STACK_GUARD_OPEN = 16 << 10, // bytes of it lent to deferred functions after an overflow
	STACK_DEFAULT = 64 << 10, // bytes of an ordinary stack
	STACK_CLASSES = 15, // 64 KB << class; the last is 1 GB
};

// Free stacks age by turns that sysmon calls: what was not used from one turn to the next gives its
// pages back to the kernel. Whoever has a P in hand makes its turn.
enum stack_turn {
	STACK_TURN_NONE,
	STACK_TURN_ASKED,
	STACK_TURN_LATE, // asked before the last turn already: its M does not come by
	STACK_TURN_DONE, // what it shed is to be collected
};

//	lo - STACK_GUARD        lo                                        hi        slot end
//	|  guard, no access     |  the stack, growing down  <-  first SP  | struct g | colour |
struct stack {
	char *lo, *hi;
};

gort__hidden void gort__stack_init(void);

// The class whose stacks have at least size bytes, or -1.
gort__hidden int gort__stack_class(size_t size);

// A struct g with its stack, from p's list, the global one or a new arena. Its id, table slot,
// stack bounds and list link are right; the rest is as its last user left it. NULL: no memory.
gort__hidden struct g *gort__stack_get(struct p *p, int class);
gort__hidden void gort__stack_put(struct p *p, struct g *g);

// Opens 16 KB of the guard just below g's stack so that deferred functions can run after an
// overflow, and closes it again. True when addr lies in g's guard.
gort__hidden bool gort__stack_in_guard(const struct g *g, const void *addr);
gort__hidden void gort__stack_guard_open(struct g *g);
gort__hidden void gort__stack_guard_close(struct g *g);

// Reserved bytes, guards included.
gort__hidden uint64_t gort__stack_bytes(void);

// Makes p's turn if one was asked for.
gort__hidden void gort__stack_turn(struct p *p);

// For sysmon. Calls a turn: of the global list at once, of the Ps that nobody has in hand too.
gort__hidden void gort__stack_turn_all(void);
// Takes what Ps have shed.
gort__hidden void gort__stack_collect(void);
// Gives the pages of one stack that is due back to the kernel. False when none is left.
gort__hidden bool gort__stack_trim(void);
// Some are going to be due.
gort__hidden bool gort__stack_trim_later(void);

#endif
