// SPDX-License-Identifier: MIT
// Byte patterns: `syscall; ret`, and the ways into rt_sigreturn.
#include "debugger/arch/x86_64/gadgets.h"

#include <string.h>
#include <sys/syscall.h>

static void take_syscall(struct gadgets *found, const unsigned char *text, size_t left,
			 uint64_t addr)
{
	enum { POPS_MAX = 6, POP = 0x58, POP_RSP = 0x5c, REX_B = 0x41, RET = 0xc3 };
	unsigned pops = 0;

	found->bare_syscall = found->bare_syscall ?: addr;
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

bool gadgets_complete(const struct gadgets *gadgets)
{
	return gadgets->syscall && !gadgets->pops && gadgets->nr_home;
}

void gadgets_scan(struct gadgets *found, const unsigned char *text, size_t n, uint64_t addr)
{
	static const unsigned char restorers[][9] = {
		{ 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 }, // mov $15,%rax; syscall
		{ 0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05 }, // mov $15,%eax; syscall
	};
	static const size_t lengths[] = { 9, 7 };

	for (size_t i = 0; !found->nr_home && i < 2; i++) {
		const unsigned char *at = memmem(text, n, restorers[i], lengths[i]);

		if (at) {
			found->home[0] = addr + (size_t)(at - text);
			found->nr_home = 1;
		}
	}
	for (const unsigned char *at = text;
	     !gadgets_complete(found) && (at = memmem(at, n - (size_t)(at - text), "\x0f\x05", 2));
	     at++)
		take_syscall(found, at, n - (size_t)(at - text), addr + (size_t)(at - text));
	if (!found->pop_rax && !found->nr_home) {
		const unsigned char *at = memmem(text, n, "\x58\xc3", 2);

		found->pop_rax = at ? addr + (size_t)(at - text) : 0;
	}
}

const char *gadgets_conclude(struct gadgets *found)
{
	if (!found->nr_home && found->pop_rax && found->bare_syscall) {
		found->home[0] = found->pop_rax;
		found->home[1] = SYS_rt_sigreturn;
		found->home[2] = found->bare_syscall;
		found->nr_home = 3;
	}
	if (!found->syscall)
		return "system call instruction";
	return found->nr_home ? NULL : "signal restorer";
}
