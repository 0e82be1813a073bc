// SPDX-License-Identifier: MIT
// A chain: signal frames below a borrowed stack pointer through which one call is entered, answers
// and goes home, with nothing mapped and no code of ours. Pure: builds bytes, writes nothing.
//
//   entry      rt_sigreturn into the callee: arguments, vectors, control words, mask at once; none
//              when the callee is a system call, for which general registers are all there is
//   return     the callee's return address: a return that no exception gets past, then a store of
//              the result into a slot of the chain
//   handshake  rt_sigreturn into rt_tgsigqueueinfo of a signal to the thread itself, which has the
//              caller's extended state again by then
//   home       the thread's own errno, rt_sigreturn to the caller context, or, in the child of a fork, into exit_group(0)
#ifndef DEBUGGER_ARCH_X86_64_CHAIN_H
#define DEBUGGER_ARCH_X86_64_CHAIN_H

#include "debugger/arch/x86_64/abi.h"
#include "debugger/arch/x86_64/gadgets.h"
#include "debugger/arch/x86_64/xstate.h"

#include <sys/user.h>

enum { CHAIN_ROOM = 0x10000 }; // more than any chain takes, without a result in memory

struct chain_request {
	const struct gadgets *gadgets;
	const struct user_regs_struct *home; // the caller context
	const unsigned char *xstate; // its extended state
	size_t xstate_size;
	uint64_t mask; // its signal mask
	uint64_t top; // the chain ends at or below this
	uint64_t callee; // 0: the system call nr with entry->general
	long nr;
	uint64_t callee_mask;
	const struct abi_entry *entry;
	pid_t pid, tid; // as the target sees them
	int signo; // of the handshake
	unsigned pop_rbx; // which of the gadgets is the callee's way back
	uint64_t errno_addr; // of the thread; 0: it has none
	int32_t errno_own; // what it has there when it is home
};
struct chain {
	struct user_regs_struct entry; // the commit point: registers that run the chain
	uint64_t start;
	size_t size;
	uint64_t callee_sp; // when the callee is entered: its return address lies there
	uint64_t handshake_pc, handshake_sp; // at the handshake, and at no other time
	uint64_t rax, xmm0, memory; // where the results lie after it; 0: not taken
	uint64_t home; // a return to what lies here goes home
	uint64_t unwound_pc, unwound_sp; // what an unwinder sees above the callee
	unsigned char bytes[CHAIN_ROOM]; // what belongs at start
	unsigned char state[XSTATE_ROOM]; // the making of the callee's
};
// NULL: it can be made for such a call. Else why it cannot: stack arguments, results in registers
// that no gadget stores, gadgets that the target lacks.
const char *chain_obstacle(const struct gadgets *gadgets, const struct abi_entry *entry);
// REFUSED when it does not fit, or when the thread has rights to memory protection keys that frames
// without an extended state would reset (arch/x86/kernel/fpu: fpu__clear_user_states).
struct dc_error *chain_build(const struct chain_request *request, struct chain *ret) DC_CHECK;

#endif
