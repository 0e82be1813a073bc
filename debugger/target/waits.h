// SPDX-License-Identifier: MIT
// The system calls that threads are found waiting in, and what a stop does to each.
#ifndef DEBUGGER_TARGET_WAITS_H
#define DEBUGGER_TARGET_WAITS_H

#include <stdbool.h>
#include <stdint.h>

enum waits {
	// A stop ends it with EINTR, because the kernel never restarts it (signal(7)) by itself.
	WAIT_EINTR = 1 << 0,
	// It may have a time to wait, which goes on with what is left of it only by the kernel's own
	// note.
	WAIT_TIMED = 1 << 1,
	// An interpreter or virtual machine that waits in it has left its data as others may find
	// them.
	WAIT_AT_REST = 1 << 2,
	WAIT_STDIO = 1 << 3, // stdio makes it, with a FILE locked
	WAIT_ALLOCATOR = 1 << 4, // allocators make it
	// A stop never ends it, whatever it waits for. (What may be made on a socket is not: one
	// with SO_RCVTIMEO or SO_SNDTIMEO gives EINTR.)
	WAIT_STEADY = 1 << 5,
	WAIT_SOCKET = 1 << 6, // may be made on a socket, which its first argument names
};
// Of system call nr; 0 for any that is not listed, and for negative ones.
unsigned waits_of(long nr);
// One that nothing but what it waits for ends: begun again, it is as if it had never been stopped.
bool waits_has_no_end(long nr, const uint64_t args[6]);
// The program sees EINTR once the thread was stopped in it.
bool waits_shows_eintr(long nr, const uint64_t args[6]);
// NULL: it is none that threads are known to wait in.
const char *waits_name(long nr);

#endif
