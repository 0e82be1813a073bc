// SPDX-License-Identifier: MIT
// The target's memory by /proc/PID/mem: it reads what the target itself may not, writes read-only
// pages, grows the stack, and is bound to one program, where process_vm_readv follows the pid into
// the next.
#include "debugger/target/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dc_error *ended(const struct process *process)
{
	return error_in_state(error_make(DC_TARGET_ENDED, "process %d (%s) has ended", process->pid,
					 process->name),
			      DC_STATE_ENDED);
}

bool memory_is_gone(const struct process *process)
{
	char byte;

	if (process->mem_fd < 0 && process->way)
		return process->way->is_gone(process->way->arg);
	// Without memory everything is past its end. Where there is memory, its first byte is read
	// or is an error.
	return process->mem_fd < 0 ? !process_alive(process)
				   : pread(process->mem_fd, &byte, 1, 0) == 0;
}

bool memory_is_anothers(const struct process *process)
{
	char path[1];

	// The link to its program goes with its memory.
	return memory_is_gone(process) && process_alive(process) &&
	       (readlinkat(process->proc_fd, "exe", path, sizeof(path)) >= 0 || errno != ENOENT);
}

enum { READ_MAX = 1 << 30 }; // the kernel reads somewhat more than this at once

static size_t read_some(struct process *process, uint64_t addr, void *buf, size_t n)
{
	size_t done = 0;

	if (process->mem_fd < 0 && process->way)
		return process->way->move(process->way->arg, addr, buf, n, false);
	while (done < n) {
		size_t wanted = n - done;
		ssize_t got = pread(process->mem_fd, (char *)buf + done, wanted,
				    (off_t)(addr + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
		// Page by page, it ends early only before one that cannot be read, but for the
		// largest of reads.
		if ((size_t)got < wanted && wanted < READ_MAX)
			break;
	}
	return done;
}

// ---- breakpoints of ours ---------------------------------------------------------------------------

struct patched {
	uint64_t addr;
	unsigned char was;
};

size_t memory_read_some(struct process *process, uint64_t addr, void *buf, size_t n)
{
	size_t done = read_some(process, addr, buf, n);

	for (size_t i = 0; i < process->nr_patched; i++) {
		const struct patched *at = &process->patched[i];

		if (at->addr - addr < done)
			((unsigned char *)buf)[at->addr - addr] = at->was;
	}
	return done;
}

struct dc_error *memory_note_patch(struct process *process, uint64_t addr, unsigned char was)
{
	struct patched *more = realloc(process->patched, (process->nr_patched + 1) * sizeof(*more));

	if (!more)
		return &dc_out_of_memory;
	process->patched = more;
	more[process->nr_patched++] = (struct patched){ .addr = addr, .was = was };
	return NULL;
}

void memory_forget_patch(struct process *process, uint64_t addr)
{
	for (size_t i = 0; i < process->nr_patched; i++) {
		if (process->patched[i].addr == addr) {
			process->patched[i] = process->patched[--process->nr_patched];
			return;
		}
	}
}

static struct dc_error *refuse_patched(const struct process *process, uint64_t addr, size_t n)
{
	for (size_t i = 0; i < process->nr_patched; i++) {
		if (process->patched[i].addr - addr < n)
			return error_make(DC_REFUSED,
					  "a breakpoint is at 0x%" PRIx64
					  ": what is there can be written when it is deleted",
					  process->patched[i].addr);
	}
	return NULL;
}

// ---- all or nothing -------------------------------------------------------------------------------

// What nothing at all can be read or written for.
static struct dc_error *no_memory(struct process *process)
{
	if (!process_alive(process))
		return ended(process);
	if (process->mem_fd < 0 && !process->way)
		return error_make(DC_ATTACH, "may not open the memory of process %d (%s): %s",
				  process->pid, process->name, strerror(process->mem_errno));
	if (memory_is_anothers(process))
		return error_in_state(error_make(DC_TARGET_EXECED,
						 "process %d became another program", process->pid),
				      DC_STATE_EXECED);
	return memory_is_gone(process) ? ended(process) : NULL;
}

struct dc_error *memory_read(struct process *process, uint64_t addr, void *buf, size_t n)
{
	size_t done = memory_read_some(process, addr, buf, n);

	if (done == n)
		return NULL;
	// Page by page, the first byte that cannot be read is the start of a page.
	return no_memory(process)
		       ?: error_about(error_make(DC_VALUE,
						 "cannot access memory at address 0x%" PRIx64,
						 addr + done),
				      DC_VALUE_UNREADABLE);
}

static struct dc_error *write_all(struct process *process, uint64_t addr, const void *buf, size_t n)
{
	size_t done = 0;

	if (process->mem_fd < 0 && process->way)
		// It writes only, and n is not so large that it would be asked twice.
		done = process->way->move(process->way->arg, addr, (void *)(uintptr_t)buf, n, true);
	while (done < n) {
		ssize_t put = pwrite(process->mem_fd, (const char *)buf + done, n - done,
				     (off_t)(addr + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return no_memory(process)
				       ?: error_make(DC_VALUE,
						     "cannot write to memory at address 0x%" PRIx64,
						     addr + done);
		done += (size_t)put;
	}
	return NULL;
}

struct dc_error *memory_write(struct process *process, uint64_t addr, const void *buf, size_t n)
{
	struct dc_error *err = refuse_patched(process, addr, n);

	return err ? err : write_all(process, addr, buf, n);
}

struct dc_error *memory_patch(struct process *process, uint64_t addr, unsigned char byte)
{
	return write_all(process, addr, &byte, 1);
}
