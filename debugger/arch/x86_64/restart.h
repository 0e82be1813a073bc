// SPDX-License-Identifier: MIT
// How a thread enters a system call, and what an interrupted one leaves in its registers.
#ifndef DEBUGGER_ARCH_X86_64_RESTART_H
#define DEBUGGER_ARCH_X86_64_RESTART_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/user.h>

// include/linux/errno.h: what an interrupted call returns to the kernel's own exit, and no program
// ever sees. A debugger does, at the stop.
enum {
	ERESTARTSYS = 512,
	ERESTARTNOINTR = 513,
	ERESTARTNOHAND = 514,
	ERESTART_RESTARTBLOCK = 516,
};
enum { SYSCALL_SIZE = 2 }; // of the instruction

// The registers that make the call nr when the instruction at pc is reached, the stack pointer
// being sp; all others as in regs.
struct user_regs_struct restart_entry(const struct user_regs_struct *regs, uint64_t pc, uint64_t sp,
				      long nr, const uint64_t args[6]);
// Stopped in a system call that the kernel goes on with by itself.
bool restart_is_pending(const struct user_regs_struct *regs);
// Of these, one whose remaining time the kernel keeps aside, in a note that any rt_sigreturn
// erases.
bool restart_is_timed(const struct user_regs_struct *regs);
// Stopped where one has ended with EINTR, before the program saw that.
bool restart_is_refused(const struct user_regs_struct *regs);
// The kernel begins it again, unless a handler is to run: then it ends with EINTR all the same.
void restart_unless_handled(struct user_regs_struct *regs);
// Whoever restores these registers without the kernel's help has to do what it would have done:
// begin the call again, or, where that is not possible, end it with EINTR.
void restart_by_hand(struct user_regs_struct *regs);
// The call ends with EINTR, whatever it was.
void restart_never(struct user_regs_struct *regs);

#endif
