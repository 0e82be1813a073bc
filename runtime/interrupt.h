// SPDX-License-Identifier: MIT
// SIGINT while debug calls are under way: telling the host's own handshakes from what the program
// is sent.
#ifndef RUNTIME_INTERRUPT_H
#define RUNTIME_INTERRUPT_H

#include "runtime/base/signal.h"

#define DEBUGCALL_BIT(sig) (UINT64_C(1) << ((sig)-1))

// While a call is under way the disposition is ours, so that a handshake that nobody swallows does
// not end the program. Counted; the program's own comes back with the last disown. False when this
// very thread was interrupted in the middle of it, or another that was does not go on.
gort__hidden bool gort__interrupt_own(void);
gort__hidden void gort__interrupt_disown(void);
// Before each handshake: the program may have set another meanwhile.
gort__hidden void gort__interrupt_renew(void);

// A SIGINT that the program has blocked, and that only we let through: kept until the mask is the
// program's again.
struct gort__interrupts {
	bool has_thread, has_process; // sent to the thread; to the process
	siginfo_t thread, process;
};
// Queues them again, on the thread that they came to.
gort__hidden void gort__interrupts_return(struct gort__interrupts *kept, int32_t pid, int32_t tid);

#endif
