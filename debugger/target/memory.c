// SPDX-License-Identifier: MIT
// The target's memory. process_vm_readv is the faster way in, /proc/PID/mem the wider one: it reads
// what the target itself may not, writes read-only pages and grows the stack.
#include "debugger/target/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/uio.h>
#include <unistd.h>

// Opened once, from whichever thread comes first.
static int mem_fd(struct process *process)
{
	int fd = __atomic_load_n(&process->mem_fd, __ATOMIC_ACQUIRE);

	if (fd >= 0)
		return fd;
	fd = process_openat(process, "mem", O_RDWR);
	if (fd < 0)
		return -1;

	int expected = -1;

	if (__atomic_compare_exchange_n(&process->mem_fd, &expected, fd, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return fd;
	close(fd);
	return expected;
}

static struct dc_error *ended(const struct process *process)
{
	return error_in_state(error_make(DC_TARGET_ENDED, "process %d (%s) has ended", process->pid,
					 process->name),
			      DC_STATE_ENDED);
}

bool memory_is_gone(struct process *process)
{
	int fd = mem_fd(process);
	char byte;

	// Without memory there is nothing to open, or everything is past its end. Where there is
	// memory, its first byte is read or is an error.
	return fd < 0 ? errno == ESRCH : pread(fd, &byte, 1, 0) == 0;
}

size_t memory_read_some(struct process *process, uint64_t addr, void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		struct iovec local = { (char *)buf + done, n - done };
		struct iovec remote = { (void *)(uintptr_t)(addr + done), n - done };
		ssize_t got = process_vm_readv(process->pid, &local, 1, &remote, 1, 0);

		// This one goes by number: bytes count only if the process still has it afterwards.
		if (got > 0 && !process_alive(process))
			return 0;
		if (got <= 0) {
			int fd = mem_fd(process);

			got = fd < 0 ? -1
				     : pread(fd, local.iov_base, local.iov_len,
					     (off_t)(addr + done));
		}
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

struct dc_error *memory_read(struct process *process, uint64_t addr, void *buf, size_t n)
{
	size_t done = memory_read_some(process, addr, buf, n);

	if (done == n)
		return NULL;
	if (!process_alive(process))
		return ended(process);
	if (mem_fd(process) < 0 && (errno == EACCES || errno == EPERM))
		return error_make(DC_ATTACH, "may not read the memory of process %d (%s)",
				  process->pid, process->name);
	// Page by page, the first byte that cannot be read is the start of a page.
	return error_make(DC_VALUE, "cannot access memory at address 0x%" PRIx64, addr + done);
}

struct dc_error *memory_write(struct process *process, uint64_t addr, const void *buf, size_t n)
{
	int fd = mem_fd(process);
	size_t done = 0;

	if (fd < 0) {
		int saved = errno;

		return process_alive(process)
			       ? error_errno(saved, "cannot open /proc/%d/mem", process->pid)
			       : ended(process);
	}
	while (done < n) {
		ssize_t put = pwrite(fd, (const char *)buf + done, n - done, (off_t)(addr + done));

		if (put < 0 && errno == EINTR)
			continue;
		// No memory any more, though the process may still be ending.
		if (put == 0)
			return ended(process);
		if (put < 0)
			return process_alive(process)
				       ? error_make(DC_VALUE,
						    "cannot write to memory at address 0x%" PRIx64,
						    addr + done)
				       : ended(process);
		done += (size_t)put;
	}
	return NULL;
}
