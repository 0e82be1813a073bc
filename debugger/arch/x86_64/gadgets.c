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

// [add $n,%rsp;] pops; ret: how many words it takes off the stack. False: something else follows.
static bool takes_words(const unsigned char *text, size_t left, unsigned *words)
{
	enum { POP = 0x58, POP_RSP = 0x5c, REX_B = 0x41, RET = 0xc3 };
	static const unsigned char add_rsp[] = { 0x48, 0x83, 0xc4 };
	size_t i = 0;

	*words = 0;
	if (left > sizeof(add_rsp) && !memcmp(text, add_rsp, sizeof(add_rsp))) {
		if (text[3] % 8 || text[3] > 0x7f)
			return false;
		*words = text[3] / 8;
		i = 4;
	}
	for (; i < left; i++) {
		if (text[i] == RET)
			return true;
		if (text[i] == REX_B && i + 1 < left)
			i++;
		else if (text[i] == POP_RSP)
			return false;
		if ((text[i] & 0xf8) != POP)
			return false;
		++*words;
	}
	return false;
}

// The store of a result register that takes the fewest words. It must take one at least, where an
// unwinder then finds nothing.
static void take_store(struct gadget_store *store, const unsigned char *text, size_t n,
		       uint64_t addr, const char *opcode, size_t length)
{
	enum { MODRM_DISPLACED = 0x40 };

	for (const unsigned char *at = text;
	     (at = memmem(at, n - (size_t)(at - text), opcode, length)); at++) {
		size_t left = n - (size_t)(at - text) - length;
		size_t displaced = (unsigned char)opcode[length - 1] & MODRM_DISPLACED ? 1 : 0;
		unsigned words;

		if (left > GADGET_SIZE_MAX)
			left = GADGET_SIZE_MAX;
		if (left <= displaced ||
		    !takes_words(at + length + displaced, left - displaced, &words) || !words ||
		    (store->addr && words >= store->words))
			continue;
		*store = (struct gadget_store){
			.addr = addr + (size_t)(at - text),
			.displacement = displaced ? (int8_t)at[length] : 0,
			.words = words,
		};
	}
}

static void take_chain(struct chain_gadgets *chain, const unsigned char *text, size_t n,
		       uint64_t addr)
{
	for (const unsigned char *at = text;
	     chain->nr_pop_rbx < GADGET_POPS &&
	     (at = memmem(at, n - (size_t)(at - text), "\x5b\xc3", 2));
	     at++)
		chain->pop_rbx[chain->nr_pop_rbx++] = addr + (size_t)(at - text);
	take_store(&chain->rax, text, n, addr, "\x48\x89\x43", 3); // mov %rax,d(%rbx)
	take_store(&chain->rax, text, n, addr, "\x48\x89\x03", 3); // mov %rax,(%rbx)
	take_store(&chain->xmm0, text, n, addr, "\x0f\x11\x43", 3); // movups %xmm0,d(%rbx)
	take_store(&chain->xmm0, text, n, addr, "\x0f\x11\x03", 3); // movups %xmm0,(%rbx)
}

bool gadgets_make_chain(const struct gadgets *gadgets)
{
	return gadgets->syscall && !gadgets->pops && gadgets->nr_home == 1 &&
	       gadgets->chain.nr_pop_rbx && gadgets->chain.rax.addr;
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
	take_chain(&found->chain, text, n, addr);
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
