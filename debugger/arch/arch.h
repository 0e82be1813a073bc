// SPDX-License-Identifier: MIT
// What an architecture brings. Another one is a folder beside x86_64/ with these headers, a line
// here, and the hosts' own code: agent/pad/ and the parts of inject/ that enter a callee.
#ifndef DEBUGGER_ARCH_ARCH_H
#define DEBUGGER_ARCH_ARCH_H

// cpu        what this machine's processors have; asked once, before a thread is stopped
// registers  their names, numbers and places; the roles that any machine's registers play
// xstate     the extended state as ptrace shows it: vectors, floating point
// restart    how a system call is entered, and what an interrupted one leaves in the registers
// gadgets    instructions that serve a borrowed thread, as byte patterns
// sigframe   the signal frame from which rt_sigreturn restores a thread
// chain      a call in signal frames alone
// abi        the calling convention's registers and stack, filled by classes of eightbytes
// wide       whether a callee was compiled for wide vectors
// prologue   how far a function without unwind tables has moved its stack pointer
#include "debugger/arch/x86_64/abi.h"
#include "debugger/arch/x86_64/chain.h"
#include "debugger/arch/x86_64/cpu.h"
#include "debugger/arch/x86_64/gadgets.h"
#include "debugger/arch/x86_64/prologue.h"
#include "debugger/arch/x86_64/registers.h"
#include "debugger/arch/x86_64/restart.h"
#include "debugger/arch/x86_64/sigframe.h"
#include "debugger/arch/x86_64/wide.h"
#include "debugger/arch/x86_64/xstate.h"

#endif
