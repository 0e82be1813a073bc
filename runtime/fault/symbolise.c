// SPDX-License-Identifier: MIT
// A forked child turns the places of a report into functions, files and lines. It may hang or crash
// on what it reads: then it is killed, and the report stands without.
#include "runtime/fault/fatal.h"
#include "runtime/base/debug.h"
#include "runtime/base/signal.h"
#include "runtime/base/raw.h"

#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

enum { DEADLINE_MS = 3000, FILES = 1 << 16 };

struct entry {
	uint64_t pc, lookup;
	const void *map;
	const char *dir, *file;
	unsigned line;
	bool done;
};

static struct entry entries[TRACE_SEEN];
static uint64_t addresses[TRACE_SEEN];
static struct entry *by_address[TRACE_SEEN];

static void found(void *arg, unsigned i, const char *dir, const char *file, unsigned line)
{
	struct entry *e = by_address[i];

	(void)arg;
	e->dir = dir;
	e->file = file;
	e->line = line;
}

static void look_up_map(const void *map, unsigned n)
{
	const struct image *image = gort__image_of(map);
	struct image opened;
	unsigned k = 0;

	if (!image) {
		if (!gort__image_open(&opened, gort__module_path(map), map))
			return;
		image = &opened;
	}
	for (unsigned i = 0; i < n; i++) {
		uint64_t addr = entries[i].lookup - image->bias;
		unsigned at = k;
		if (entries[i].map != map)
			continue;
		for (; at && addresses[at - 1] > addr; at--) {
			addresses[at] = addresses[at - 1];
			by_address[at] = by_address[at - 1];
		}
		addresses[at] = addr;
		by_address[at] = &entries[i];
		k++;
	}
	gort__image_lines(image, addresses, k, found, NULL);
}

static void print(struct trace *t, const struct entry *e)
{
	struct place at;

	gort__place(&at, e->pc, e->lookup);
	gort__emit(&t->out, "\t%s+0x%lx", at.module ? at.module : "", at.module_off);
	if (at.name)
		gort__emit(&t->out, " %s", at.name);
	gort__emit(&t->out, " %s%s%s:%u\n", e->dir && e->file[0] != '/' ? e->dir : "",
		   e->dir && e->file[0] != '/' ? "/" : "", e->file, e->line);
}

static void child(struct trace *t)
{
	const struct gort__sigaction none = { 0 };
	unsigned n = t->nseen;
	bool any = false;

	gort__sigaction_restore(SIGSEGV, &none);
	gort__sigaction_restore(SIGBUS, &none);
	gort__sigaction_restore(SIGFPE, &none);
	for (unsigned i = 0; i < n; i++) {
		struct dl_find_object object;
		entries[i].pc = t->seen[i].pc;
		entries[i].lookup = t->seen[i].lookup;
		if (!_dl_find_object((void *)t->seen[i].lookup, &object))
			entries[i].map = object.dlfo_link_map;
		else
			entries[i].done = true;
	}
	for (unsigned i = 0; i < n; i++) {
		if (entries[i].done)
			continue;
		look_up_map(entries[i].map, n);
		for (unsigned j = i; j < n; j++)
			entries[j].done |= entries[j].map == entries[i].map;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!entries[i].file)
			continue;
		if (!any)
			gort__emit(&t->out, "\nlines:\n");
		any = true;
		print(t, &entries[i]);
	}
	gort__sink_flush(&t->out);
}

void gort__symbolise(struct trace *t)
{
	struct timespec tick = { .tv_nsec = 1000000 };
	long pid, got = 0;

	if (!gort__debug.symbolise || !t->nseen)
		return;
	// No signal at its end: nobody else is to hear of it.
	pid = gort__raw(SYS_clone, 0, 0, 0, 0, 0, 0);
	if (pid == 0) {
		child(t);
		for (;;)
			gort__raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	}
	if (pid < 0)
		return;
	for (int i = 0; i < DEADLINE_MS && !got; i++) {
		got = gort__raw(SYS_wait4, pid, 0, 0x40000001 /* __WALL | WNOHANG */, 0, 0, 0);
		if (!got)
			gort__raw(SYS_nanosleep, (long)&tick, 0, 0, 0, 0, 0);
	}
	if (got)
		return;
	gort__raw(SYS_kill, pid, SIGKILL, 0, 0, 0, 0);
	gort__raw(SYS_wait4, pid, 0, 0x40000000, 0, 0, 0);
	gort__emit(&t->out, "lines: not found in time\n");
}
