// SPDX-License-Identifier: MIT
// Tying goroutines to threads.
#include "runtime/gort.h"
#include "runtime/sched/core.h"

static struct m *early; // made by a gort_lock_os_thread before gort_main

struct m *gort__main_m_get(void)
{
	struct m *m = gort__self();

	if (m && m == early)
		return m;
	m = gort__m_new(M_MAIN);
	if (m)
		gort__m_attach(m);
	return m;
}

static void lock_early(void)
{
	struct m *m = gort__self();

	if (m ? m != early : gort__load(&sched.started))
		gort__enter_slow(NULL, "gort_lock_os_thread");
	if (!m) {
		m = gort__m_new(M_MAIN);
		if (!m)
			gort__fatal("no memory for a thread");
		gort__m_attach(m);
		early = m;
	}
	m->locks++;
}

void gort_lock_os_thread(void)
{
	struct m *m = gort__self();

	if (!m || !m->curg) {
		lock_early();
		return;
	}
	gort__enter(__func__);
	m = gort__self();
	m->locks++;
	m->lockedg = m->curg;
	m->curg->lockedm = m;
	gort__m_tie(m);
	gort__leave();
}

void gort_unlock_os_thread(void)
{
	struct m *m = gort__self();

	if (m && m == early && !m->curg) {
		m->locks -= m->locks > 0;
		return;
	}
	gort__enter(__func__);
	m = gort__self();
	if (m->locks && --m->locks == 0 && !m->locks_internal) {
		m->lockedg = NULL;
		m->curg->lockedm = NULL;
		gort__m_tie(m);
	}
	gort__leave();
}
