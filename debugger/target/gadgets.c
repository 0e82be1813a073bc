// SPDX-License-Identifier: MIT
// The search for `syscall; ret` and for a way into rt_sigreturn in the target's mapped text.
#include "debugger/target/gadgets.h"

#include "debugger/base/cleanup.h"
#include "debugger/target/memory.h"

#include <string.h>

// The libc that makes all of a program's system calls; its objects and ld.so have what is needed on
// nearly every system, so that larger modules are seldom read.
static int rank(const struct mapping *mapping)
{
	const char *slash = strrchr(mapping->path, '/');
	const char *name = slash ? slash + 1 : mapping->path;

	if (!strcmp(mapping->path, "[vdso]"))
		return 1;
	if (!strncmp(name, "libc.", 5) || !strncmp(name, "libc-", 5) || !strncmp(name, "ld-", 3))
		return 0;
	// Execute-only and neither readable nor backed by memory.
	if (!strcmp(mapping->path, "[vsyscall]"))
		return -1;
	return slash ? 2 : -1;
}

struct search {
	struct gadgets *found;
	uint64_t bare_syscall, pop_rax; // for targets without a restorer
};

static void take_syscall(struct search *search, const unsigned char *text, size_t left,
			 uint64_t addr)
{
	enum { POPS_MAX = 6, POP = 0x58, POP_RSP = 0x5c, REX_B = 0x41, RET = 0xc3 };
	struct gadgets *found = search->found;
	unsigned pops = 0;

	search->bare_syscall = search->bare_syscall ?: addr;
	if (found->syscall && !found->pops)
		return;
	for (size_t i = 2; i < left && pops <= POPS_MAX; i++) {
		if (text[i] == RET) {
			if (!found->syscall || pops < found->pops) {
				found->syscall = addr;
				found->pops = pops;
			}
			return;
		}
		if (text[i] == REX_B && i + 1 < left)
			i++;
		else if (text[i] == POP_RSP)
			return;
		if ((text[i] & 0xf8) != POP)
			return;
		pops++;
	}
}

static bool complete(const struct search *search)
{
	return search->found->syscall && !search->found->pops && search->found->nr_home;
}

static void scan(struct search *search, const unsigned char *text, size_t n, uint64_t addr)
{
	static const unsigned char restorers[][9] = {
		{ 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 }, // mov $15,%rax; syscall
		{ 0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05 }, // mov $15,%eax; syscall
	};
	static const size_t lengths[] = { 9, 7 };
	struct gadgets *found = search->found;

	for (size_t i = 0; !found->nr_home && i < 2; i++) {
		const unsigned char *at = memmem(text, n, restorers[i], lengths[i]);

		if (at) {
			found->home[0] = addr + (size_t)(at - text);
			found->nr_home = 1;
		}
	}
	for (const unsigned char *at = text;
	     !complete(search) && (at = memmem(at, n - (size_t)(at - text), "\x0f\x05", 2)); at++)
		take_syscall(search, at, n - (size_t)(at - text), addr + (size_t)(at - text));
	if (!search->pop_rax && !found->nr_home) {
		const unsigned char *at = memmem(text, n, "\x58\xc3", 2);

		search->pop_rax = at ? addr + (size_t)(at - text) : 0;
	}
}

static void scan_mapping(struct search *search, struct process *process,
			 const struct mapping *mapping)
{
	enum { CHUNK = 1 << 18, OVERLAP = 32 };
	_cleanup_free_ unsigned char *text = malloc(CHUNK);

	if (!text)
		return;
	for (uint64_t addr = mapping->start; addr < mapping->end && !complete(search);
	     addr += CHUNK - OVERLAP) {
		size_t want = mapping->end - addr < CHUNK ? mapping->end - addr : CHUNK;
		size_t n = memory_read_some(process, addr, text, want);

		if (n > 1)
			scan(search, text, n, addr);
		if (n < want || addr + want == mapping->end)
			break;
	}
}

struct dc_error *gadgets_find(struct process *process, const struct maps *maps, struct gadgets *ret)
{
	enum { RT_SIGRETURN = 15 };
	struct gadgets found = { 0 };
	struct search search = { .found = &found };

	for (int wanted = 0; wanted <= 2 && !complete(&search); wanted++)
		for (size_t i = 0; i < maps->n && !complete(&search); i++)
			if (maps->map[i].executable && rank(&maps->map[i]) == wanted)
				scan_mapping(&search, process, &maps->map[i]);
	if (!found.nr_home && search.pop_rax && search.bare_syscall) {
		found.home[0] = search.pop_rax;
		found.home[1] = RT_SIGRETURN;
		found.home[2] = search.bare_syscall;
		found.nr_home = 3;
	}
	if (!found.syscall || !found.nr_home)
		return error_make(DC_REFUSED,
				  "the text of process %d (%s) has no %s to borrow a thread with",
				  process->pid, process->name,
				  found.syscall ? "signal restorer" : "system call instruction");
	*ret = found;
	return NULL;
}
