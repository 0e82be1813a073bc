// SPDX-License-Identifier: MIT
// The memory of the program that a target ran when it was opened. After an exec all of this is
// TARGET_EXECED, or 0 bytes.
#ifndef DEBUGGER_TARGET_MEMORY_H
#define DEBUGGER_TARGET_MEMORY_H

#include "debugger/target/process.h"

// All or nothing; code VALUE with the first unreadable address.
struct dc_error *memory_read(struct process *process, uint64_t addr, void *buf, size_t n) DC_CHECK;
// The program that the process ran has lost its memory: it is ending, or became another one.
bool memory_is_gone(const struct process *process);
// It is gone because the process became another program, not because it ends: a process that ends
// has no memory some time before it has ended.
bool memory_is_anothers(const struct process *process);
// As many bytes as are readable from addr on; 0 when none.
size_t memory_read_some(struct process *process, uint64_t addr, void *buf, size_t n);
// May write read-only mappings and grow [stack]; all or an error.
struct dc_error *memory_write(struct process *process, uint64_t addr, const void *buf,
			      size_t n) DC_CHECK;

// From now on the byte reads as it was, whatever a breakpoint of ours puts there, and is not written.
struct dc_error *memory_note_patch(struct process *process, uint64_t addr,
				   unsigned char was) DC_CHECK;
void memory_forget_patch(struct process *process, uint64_t addr);
// Writes the byte in spite of that.
struct dc_error *memory_patch(struct process *process, uint64_t addr, unsigned char byte) DC_CHECK;

#endif
