// SPDX-License-Identifier: MIT
// The layout of a chain, from its home frame down.
#include "debugger/arch/x86_64/chain.h"

#include "debugger/arch/x86_64/cpu.h"
#include "debugger/arch/x86_64/registers.h"
#include "debugger/arch/x86_64/restart.h"
#include "debugger/arch/x86_64/sigframe.h"
#include "debugger/arch/x86_64/xstate.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

enum { WORD = 8, EFLAGS_PLAIN = 0x202 };
// The handshake's result is stored so that its lowest byte becomes that of a stack pointer: 0 where
// it was sent, 0xff for -EPERM, which a child gets because it names its parent. At that distance
// from a multiple of 256 lie the two ways on. The second begins inside the first frame, in words
// that the kernel does not read (struct sigcontext_64: reserved1), and shares with it no word that
// both need: the first one's mask is the second one's r8 and r9.
enum { FORK_BYTE = 0xff, FORK_ALIGN = 0x100, FORK_END = FORK_BYTE + SIGFRAME_CONTEXT };

const char *chain_obstacle(const struct gadgets *gadgets, const struct abi_entry *entry)
{
	if (!gadgets_make_chain(gadgets))
		return "the target lacks the instructions for a chain";
	if (entry->stack_size)
		return "it has arguments on the stack";
	if (entry->leaves_more || entry->leaves_x87)
		return "its result is in registers that no instruction of the target stores";
	if (entry->leaves_vector && !gadgets->chain.xmm0.addr)
		return "its result is in a register that no instruction of the target stores";
	return NULL;
}

// Bytes of a chain by the addresses that they will have.
static void *at(struct chain *chain, uint64_t addr)
{
	return chain->bytes + (addr - chain->start);
}

static void put_word(struct chain *chain, uint64_t addr, uint64_t word)
{
	memcpy(at(chain, addr), &word, sizeof(word));
}

static struct user_regs_struct plain(uint64_t pc, uint64_t sp)
{
	struct user_regs_struct regs = {
		.rip = pc, .rsp = sp, .eflags = EFLAGS_PLAIN, .cs = CODE_64, .ss = DATA_64
	};

	return regs;
}

// The frame at addr, with the restorer before it.
static void put_frame(struct chain *chain, const struct gadgets *gadgets, uint64_t addr,
		      const struct user_regs_struct *regs, uint64_t mask, uint64_t fpstate)
{
	put_word(chain, addr - WORD, gadgets->home[0]);
	sigframe_put_context(at(chain, addr), regs, mask, fpstate);
}

struct layout {
	uint64_t home_state, fork, memory, xmm0, rax, info;
	uint64_t to_home; // from fork to its frame: what the store of errno takes, the restorer
	uint64_t choose, after, handshake, back, callee_sp, entry_state, entry;
	size_t in_use, entry_in_use;
};

// What the callee has on entry: the vectors that hold arguments, the thread's own rounding without
// the exceptions it has seen, an empty x87 stack.
static struct dc_error *make_entry_state(const struct chain_request *request, unsigned char *state,
					 size_t *in_use)
{
	enum { TO_TAGS = 6 }; // status, tags and opcode
	const uint64_t keep = 1 << XSTATE_PKRU;
	uint64_t bits = xstate_present(request->xstate, request->xstate_size) & keep;
	uint32_t mxcsr;

	memcpy(state, request->xstate, request->xstate_size);
	memset(state + XSTATE_HEADER, 0, XSTATE_EXTENDED - XSTATE_HEADER);
	bits |= 1 << XSTATE_X87 | 1 << XSTATE_SSE;
	memcpy(state + XSTATE_HEADER, &bits, sizeof(bits));
	memset(state + FXSAVE_FSW, 0, TO_TAGS);
	memcpy(&mxcsr, state + FXSAVE_MXCSR, sizeof(mxcsr));
	mxcsr &= ~(uint32_t)MXCSR_FLAGS;
	memcpy(state + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));

	struct dc_error *err = xstate_put(state, request->xstate_size, request->entry);

	*in_use = xstate_in_use(state, request->xstate_size);
	return err;
}

static struct layout lay_out(const struct chain_request *request, size_t in_use,
			     size_t entry_in_use, bool takes_xmm0)
{
	const struct chain_gadgets *gadgets = &request->gadgets->chain;
	const struct abi_entry *entry = request->entry;
	unsigned words = gadgets->rax.words;
	struct layout l = { .in_use = in_use, .entry_in_use = entry_in_use };

	l.home_state = (request->top - (in_use + SIGFRAME_MAGIC2)) & ~UINT64_C(63);
	l.to_home = WORD * (words + 1);
	l.fork = (l.home_state - l.to_home - FORK_END) & ~(uint64_t)(FORK_ALIGN - 1);
	l.memory = l.fork;
	if (entry->result_size)
		l.memory = (l.fork - entry->result_size) & ~(uint64_t)(entry->result_align - 1);
	l.xmm0 = (l.memory - 16) & ~UINT64_C(15);
	l.rax = l.xmm0 - WORD;
	l.info = l.rax - sizeof(siginfo_t);
	l.choose = l.info - SIGFRAME_CONTEXT;
	l.after = l.choose - WORD * (2 + words); // store; its words; restorer
	l.handshake = l.after - SIGFRAME_CONTEXT;
	l.back = l.handshake - WORD * (2 + words);
	// The store of xmm0 comes first and leaves %rbx to be set for the other.
	l.callee_sp = l.back - WORD * (1 + (takes_xmm0 ? 1 + gadgets->xmm0.words + 2 : 0));
	if (l.callee_sp % 16 != WORD) {
		// Frames need no alignment, the callee does.
		l.handshake -= WORD;
		l.back -= WORD;
		l.callee_sp -= WORD;
	}
	l.entry = l.callee_sp;
	if (request->callee) {
		l.entry_state = (l.callee_sp - entry_in_use - SIGFRAME_MAGIC2) & ~UINT64_C(63);
		l.entry = l.entry_state - SIGFRAME_CONTEXT;
	}
	return l;
}

static void put_home(struct chain *chain, const struct chain_request *request,
		     const struct layout *l)
{
	struct user_regs_struct home = *request->home, gone;

	gone = plain(request->gadgets->syscall, l->fork);
	gone.rax = SYS_exit_group;
	// The child's frame first: where they overlap it is the other that counts.
	put_frame(chain, request->gadgets, l->fork + FORK_BYTE + l->to_home, &gone, ~UINT64_C(0),
		  0);
	restart_by_hand(&home);

	unsigned char shared[SIGFRAME_CONTEXT];
	const uint64_t first = l->fork + l->to_home, begin = FORK_BYTE - WORD;
	const size_t mask_at = SIGFRAME_CONTEXT - sizeof(request->mask);

	sigframe_put_context(shared, &home, request->mask, l->home_state);
	put_word(chain, first - WORD, request->gadgets->home[0]);
	memcpy(at(chain, first), shared, begin);
	memcpy(at(chain, first + mask_at), shared + mask_at, sizeof(request->mask));
	sigframe_put_xstate(at(chain, l->home_state), request->xstate, l->in_use);
}

static void put_handshake(struct chain *chain, const struct chain_request *request,
			  const struct layout *l, uint64_t mask)
{
	const struct gadgets *gadgets = request->gadgets;
	const struct gadget_store *store = &gadgets->chain.rax;
	// The word before the stack pointer is rcx, which is nobody's here.
	uint64_t low_byte_of_sp = l->choose + SIGFRAME_SP - (WORD - 1);
	siginfo_t info = { .si_signo = request->signo, .si_code = SI_TKILL };
	struct user_regs_struct regs = plain(gadgets->syscall, l->after);

	regs.rax = SYS_rt_tgsigqueueinfo;
	regs.rdi = (uint64_t)request->pid;
	regs.rsi = (uint64_t)request->tid;
	regs.rdx = (uint64_t)request->signo;
	regs.r10 = l->info;
	regs.rbx = low_byte_of_sp - (uint64_t)store->displacement;
	// From outside it would take longer than all other registers together.
	put_frame(chain, gadgets, l->handshake, &regs, mask, l->home_state);
	info.si_pid = request->pid;
	memcpy(at(chain, l->info), &info, sizeof(info));
	put_word(chain, l->after, store->addr);
	// Without the prefix that makes it one of eight bytes, the store is one of four: an errno.
	regs = plain(store->addr + 1, l->fork);
	regs.rax = (uint32_t)request->errno_own;
	regs.rbx = (request->errno_addr ?: l->info) - (uint64_t)store->displacement;
	put_frame(chain, gadgets, l->choose, &regs, ~UINT64_C(0), 0);
	chain->handshake_pc = gadgets->syscall + SYSCALL_SIZE;
	chain->handshake_sp = l->after;
}

// The callee's way back; what %rbx must be when it is entered.
static uint64_t put_back(struct chain *chain, const struct chain_request *request,
			 const struct layout *l, bool takes_xmm0)
{
	const struct chain_gadgets *gadgets = &request->gadgets->chain;
	uint64_t pop_rbx = gadgets->pop_rbx[request->pop_rbx];
	uint64_t rbx = l->rax - (uint64_t)gadgets->rax.displacement, word = l->callee_sp;

	put_word(chain, word, pop_rbx + 1);
	word += WORD;
	chain->unwound_pc = pop_rbx + 1;
	chain->unwound_sp = word;
	if (takes_xmm0) {
		put_word(chain, word, gadgets->xmm0.addr);
		word += WORD * (1 + gadgets->xmm0.words);
		put_word(chain, word, pop_rbx);
		put_word(chain, word + WORD, rbx);
		word += 2 * WORD;
		rbx = l->xmm0 - (uint64_t)gadgets->xmm0.displacement;
	}
	put_word(chain, word, gadgets->rax.addr);
	return rbx;
}

static void put_syscall(struct chain *chain, const struct chain_request *request,
			const struct layout *l, uint64_t rbx)
{
	chain->entry = restart_entry(request->home, request->gadgets->syscall, l->callee_sp,
				     request->nr, request->entry->general);
	chain->entry.rbx = rbx;
	chain->entry.eflags = EFLAGS_PLAIN;
}

static void put_entry(struct chain *chain, const struct chain_request *request,
		      const struct layout *l, uint64_t rbx, const unsigned char *state)
{
	const struct abi_entry *entry = request->entry;
	struct user_regs_struct regs = plain(request->callee, l->callee_sp);

	regs.rdi = entry->result_size ? l->memory : entry->general[0];
	regs.rsi = entry->general[1];
	regs.rdx = entry->general[2];
	regs.rcx = entry->general[3];
	regs.r8 = entry->general[4];
	regs.r9 = entry->general[5];
	regs.rax = entry->al;
	regs.rbx = rbx;
	sigframe_put_context(at(chain, l->entry), &regs, request->callee_mask, l->entry_state);
	sigframe_put_xstate(at(chain, l->entry_state), state, l->entry_in_use);
	chain->entry = *request->home;
	chain->entry.rip = request->gadgets->home[0];
	chain->entry.rsp = l->entry;
	chain->entry.eflags = EFLAGS_PLAIN;
	registers_forget_syscall(&chain->entry);
}

static bool has_own_keys(const struct chain_request *request)
{
	enum { PKRU_DEFAULT = 0x55555554 }; // arch/x86/mm/pkeys.c: init_pkru_value
	uint32_t start = cpu_features()->xstate_start[XSTATE_PKRU], pkru;

	if (!(xstate_present(request->xstate, request->xstate_size) >> XSTATE_PKRU & 1) || !start ||
	    start + sizeof(pkru) > request->xstate_size)
		return false;
	memcpy(&pkru, request->xstate + start, sizeof(pkru));
	return pkru != PKRU_DEFAULT;
}

struct dc_error *chain_build(const struct chain_request *request, struct chain *ret)
{
	bool takes_xmm0 = request->entry->leaves_vector;
	size_t in_use = xstate_in_use(request->xstate, request->xstate_size), entry_in_use = 0;
	struct dc_error *err = NULL;

	if (has_own_keys(request))
		return error_make(DC_REFUSED, "the thread has protection keys of its own");
	if (request->callee)
		err = make_entry_state(request, ret->state, &entry_in_use);
	if (err)
		return err;

	struct layout l = lay_out(request, in_use, entry_in_use, takes_xmm0);
	uint64_t end = l.home_state + in_use + SIGFRAME_MAGIC2;

	if (in_use > request->xstate_size || l.entry > request->top ||
	    end - l.entry > sizeof(ret->bytes))
		return error_make(DC_REFUSED, "a chain of %ju bytes is too large",
				  (uintmax_t)(end - l.entry));
	ret->start = l.entry;
	ret->size = end - l.entry;
	memset(ret->bytes, 0, ret->size);
	ret->callee_sp = l.callee_sp;
	ret->rax = l.rax;
	ret->xmm0 = takes_xmm0 ? l.xmm0 : 0;
	ret->memory = request->entry->result_size ? l.memory : 0;
	ret->home = l.fork + l.to_home - WORD;
	put_home(ret, request, &l);
	put_handshake(ret, request, &l, request->callee_mask);

	uint64_t rbx = put_back(ret, request, &l, takes_xmm0);

	if (request->callee)
		put_entry(ret, request, &l, rbx, ret->state);
	else
		put_syscall(ret, request, &l, rbx);
	return NULL;
}
