// SPDX-License-Identifier: MIT
// Stopping the world: every P is taken, from running Ms too.
#include "runtime/base/trace.h"
#include "runtime/sched/core.h"

enum { RETRY_NS = 20000 }; // an M inside the runtime stops by itself or is outside soon

static struct {
	bool busy; // under sched.lock
	struct glist waiting;
} world;

static void begin(struct g *g)
{
	gort__lock(&sched.lock);
	if (world.busy) {
		gort__glist_push(&world.waiting, g);
		// Woken as the owner: busy is not cleared in between.
		gort__park_unlock(&sched.lock, WAIT_WORLD);
		return;
	}
	world.busy = true;
	gort__unlock(&sched.lock);
}

void gort__stop_world(void)
{
	struct m *m;
	bool wait;

	begin(gort__g());
	gort__freeze_check();
	m = gort__self();
	gort__lock(&sched.lock);
	gort__note_clear(&sched.stopnote);
	sched.stopwait = (int32_t)sched.nprocs - 1;
	gort__store(&sched.stopping, 1);
	m->p->status = P_STOPPED;
	for (struct p *p; (p = gort__pidle_get());) {
		p->status = P_STOPPED;
		sched.stopwait--;
	}
	wait = sched.stopwait > 0;
	sched.world_stops++;
	gort__unlock(&sched.lock);
	while (wait) {
		int taken = gort__retake_all(m);
		gort__lock(&sched.lock);
		sched.stopwait -= taken;
		wait = sched.stopwait > 0;
		gort__unlock(&sched.lock);
		if (!wait)
			break;
		gort__freeze_check();
		if (gort__note_sleep(&sched.stopnote, RETRY_NS))
			break;
	}
	gort__trace("world stopped:", "Ps", (long)sched.nprocs, NULL);
}

void gort__start_world_with(uint32_t nprocs)
{
	struct p *runnable;
	struct g *next;

	gort__trace("world starts:", "Ps", (long)nprocs, NULL);
	gort__lock(&sched.lock);
	gort__store(&sched.stopping, 0);
	runnable = gort__procresize(nprocs);
	next = gort__glist_pop(&world.waiting);
	if (!next)
		world.busy = false;
	gort__unlock(&sched.lock);
	while (runnable) {
		struct p *p = runnable;
		runnable = p->link;
		p->link = NULL;
		gort__startm(p, false);
	}
	if (next)
		gort__ready(next, false);
	if (gort__any_queue() || gort__must_poll())
		gort__wakep();
}

void gort__start_world(void)
{
	gort__start_world_with(sched.nprocs);
}
