// SPDX-License-Identifier: MIT
// What a stopped thread is made of besides its memory: general registers, extended state, signal
// mask. All functions want the thread stopped and run on the tracer thread.
#ifndef DEBUGGER_TARGET_REGISTERS_H
#define DEBUGGER_TARGET_REGISTERS_H

#include "debugger/arch/x86_64/registers.h"
#include "debugger/arch/x86_64/xstate.h"
#include "debugger/base/error.h"

#include <sys/user.h>

struct dc_error *registers_get(pid_t tid, struct user_regs_struct *ret) DC_CHECK;
struct dc_error *registers_set(pid_t tid, const struct user_regs_struct *regs) DC_CHECK;
// One general register by its offset in struct user_regs_struct.
struct dc_error *registers_poke(pid_t tid, size_t offset, uint64_t value) DC_CHECK;

// NT_X86_XSTATE as this kernel makes it, whatever the CPU has: buf must have XSTATE_ROOM bytes.
struct dc_error *registers_get_xstate(pid_t tid, unsigned char *buf, size_t *size) DC_CHECK;
struct dc_error *registers_set_xstate(pid_t tid, const unsigned char *buf, size_t size) DC_CHECK;

struct dc_error *registers_get_mask(pid_t tid, uint64_t *mask) DC_CHECK; // bit signo-1
struct dc_error *registers_set_mask(pid_t tid, uint64_t mask) DC_CHECK;

// The user shadow stack is on: a forged return address would end the thread.
bool registers_has_shadow_stack(pid_t tid);
// Its system calls may be turned into SIGSYS (Wine does that), ours among them.
bool registers_has_dispatch(pid_t tid);
// Address of the thread's rseq area, 0 when it registered none.
uint64_t registers_rseq_area(pid_t tid);

#endif
