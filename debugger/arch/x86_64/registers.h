// SPDX-License-Identifier: MIT
// The registers of a thread: their names (gdb's), numbers (psABI, figure 3.36) and places in what
// ptrace shows; and the roles that the registers of any machine play.
#ifndef DEBUGGER_ARCH_X86_64_REGISTERS_H
#define DEBUGGER_ARCH_X86_64_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

// By DWARF number; what an unwinder keeps of each frame.
enum {
	REGISTER_RBX = 3,
	REGISTER_RBP = 6,
	REGISTER_RSP = 7,
	REGISTER_R12 = 12,
	REGISTER_R15 = 15,
	REGISTER_RIP = 16,
	REGISTERS_DWARF = 17,
	REGISTER_SP = REGISTER_RSP,
	REGISTER_FP = REGISTER_RBP,
	REGISTER_PC = REGISTER_RIP,
};
void registers_to_dwarf(const struct user_regs_struct *regs, uint64_t ret[REGISTERS_DWARF]);

enum {
	RED_ZONE = 128, // bytes below the stack pointer that belong to the function (psABI 3.2.2)
	CODE_64 = 0x33, // the code segment of 64-bit code (asm/segment.h: __USER_CS)
	FLAG_RESUME = 1 << 16, // the next instruction runs though a breakpoint is there
	DATA_64 = 0x2b, // its stack segment (__USER_DS)
	REGISTER_SIZE_MAX = 64,
};

static inline uint64_t registers_pc(const struct user_regs_struct *regs)
{
	return regs->rip;
}
static inline uint64_t registers_sp(const struct user_regs_struct *regs)
{
	return regs->rsp;
}
// What the thread's own storage is addressed from.
static inline uint64_t registers_thread_pointer(const struct user_regs_struct *regs)
{
	return regs->fs_base;
}
// The system call it is stopped in; negative: none.
static inline long registers_syscall(const struct user_regs_struct *regs)
{
	return (long)regs->orig_rax;
}
// And its arguments.
static inline void registers_arguments(const struct user_regs_struct *regs, uint64_t ret[6])
{
	ret[0] = regs->rdi;
	ret[1] = regs->rsi;
	ret[2] = regs->rdx;
	ret[3] = regs->r10;
	ret[4] = regs->r8;
	ret[5] = regs->r9;
}
// What a system call or a function gives back.
static inline int64_t registers_result(const struct user_regs_struct *regs)
{
	return (int64_t)regs->rax;
}
static inline bool registers_are_64bit(const struct user_regs_struct *regs)
{
	return regs->cs == CODE_64;
}
// No system call is restarted when the thread goes on with these.
static inline void registers_forget_syscall(struct user_regs_struct *regs)
{
	regs->orig_rax = (uint64_t)-1;
}
// What is neither a general register nor the flags, as another stop of the thread had it.
static inline void registers_take_segments(struct user_regs_struct *regs,
					   const struct user_regs_struct *from)
{
	regs->cs = from->cs;
	regs->ss = from->ss;
	regs->ds = from->ds;
	regs->es = from->es;
	regs->fs = from->fs;
	regs->gs = from->gs;
	regs->fs_base = from->fs_base;
	regs->gs_base = from->gs_base;
}
// As far as they are known of a thread that was not stopped.
static inline struct user_regs_struct registers_known_from(uint64_t pc, uint64_t sp, long syscall)
{
	return (struct user_regs_struct){
		.rip = pc, .rsp = sp, .cs = CODE_64, .orig_rax = (uint64_t)syscall
	};
}
// For PTRACE_PEEKUSER and PTRACE_POKEUSER.
enum {
	REGISTER_PC_OFFSET = offsetof(struct user_regs_struct, rip),
	REGISTER_RESULT_OFFSET = offsetof(struct user_regs_struct, rax),
	REGISTER_FLAGS_OFFSET = offsetof(struct user_regs_struct, eflags),
};

// Where a register's bytes are.
struct register_place {
	bool in_xstate; // in the extended state, not in struct user_regs_struct
	bool is_absent; // this machine has it not, or it is not shown
	size_t offset, size;
	int dwarf; // -1: none, so not known in outer frames
	const char *spelling; // of the basic type
	unsigned lanes; // > 0: a vector of so many of it
	int component; // of the extended state: what must be announced once it is written
	bool is_code, is_data; // a pointer: shown with what it points at
	// A vector register that is kept in parts (the upper halves of ymm and zmm).
	struct {
		size_t offset, size;
		int component;
	} upper[2];
};
// False: no register of this architecture has the name.
bool register_find(const char *name, struct register_place *ret);
static inline size_t register_size(const struct register_place *place)
{
	return place->size + place->upper[0].size + place->upper[1].size;
}
// xstate: n bytes as ptrace gives them; bytes: REGISTER_SIZE_MAX. False: the thread's state has it
// not.
bool register_get(const struct register_place *place, const struct user_regs_struct *regs,
		  const unsigned char *xstate, size_t n, unsigned char *bytes);
bool register_put(const struct register_place *place, struct user_regs_struct *regs,
		  unsigned char *xstate, size_t n, const unsigned char *bytes);

#endif
