// SPDX-License-Identifier: MIT
// Counters and the schedtrace line.
#include "runtime/gort.h"
#include "runtime/base/debug.h"
#include "runtime/base/print.h"
#include "runtime/sched/core.h"

void gort_stats(struct gort_stats *out)
{
	struct gort_stats s = { 0 };
	uint32_t n = gort__load(&sched.nprocs);

	// Ps are never freed, so those beyond nprocs still hold their counts.
	for (uint32_t i = 0; i < P_MAX; i++) {
		struct p *p = gort__load_acquire(&sched.allp[i]);
		if (!p)
			break;
		s.goroutines_made += gort__load(&p->made);
		s.goroutines += gort__load(&p->made) - gort__load(&p->ended);
		s.switches += gort__load(&p->schedtick);
		s.steals += gort__load(&p->steals);
		if (i < n)
			s.runnable += gort__load(&p->runq_tail) - gort__load(&p->runq_head) +
				      (gort__load(&p->runnext) != NULL);
	}
	s.goroutines_made += gort__load(&sched.made);
	s.goroutines += gort__load(&sched.made);
	s.runnable += gort__load(&sched.runq.n);
	s.threads = gort__load(&sched.nm);
	s.threads_made = gort__load(&sched.nm_made);
	s.procs = n;
	s.procs_idle = gort__load(&sched.npidle);
	s.retakes = gort__load(&sched.retakes);
	s.pauses = gort__load(&sched.pauses);
	s.world_stops = gort__load(&sched.world_stops);
	s.stack_bytes = gort__stack_bytes();
	for (struct m *m = gort__load_acquire(&sched.allm); m; m = m->allnext)
		s.callbacks += gort__load(&m->callbacks);
	*out = s;
}

void gort__schedtrace(int64_t now)
{
	static int64_t first, last;
	char line[1024];
	size_t at;

	if (!gort__debug.schedtrace)
		return;
	if (!first)
		first = now;
	if (last && now - last < gort__debug.schedtrace * INT64_C(1000000))
		return;
	last = now;
	at = gort__format(line, sizeof(line),
			  "SCHED %ldms: gomaxprocs=%u idleprocs=%u threads=%u spinningthreads=%u "
			  "needspinning=%u idlethreads=%u runqueue=%u [",
			  (now - first) / 1000000, sched.nprocs, sched.npidle, sched.nm,
			  sched.nspinning, sched.needspinning, sched.nmidle, sched.runq.n);
	for (uint32_t i = 0; i < sched.nprocs && at < sizeof(line) - 16; i++)
		at += gort__format(line + at, sizeof(line) - at, i ? " %u" : "%u",
				   sched.allp[i]->runq_tail - sched.allp[i]->runq_head);
	gort__print("%s]\n", line);
}
