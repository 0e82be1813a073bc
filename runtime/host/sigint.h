// SPDX-License-Identifier: MIT
// SIGINT while debug calls are under way: telling the host's own handshakes from what the program
// is sent.
#ifndef RUNTIME_HOST_SIGINT_H
#define RUNTIME_HOST_SIGINT_H

#include "runtime/base/signal.h"

// While a call is under way the disposition is ours, so that a handshake that nobody swallows does
// not end the program. Counted; the program's own comes back with the last disown. False when this
// very thread was interrupted in the middle of it, or another that was does not go on.
gort__hidden bool gort__sigint_own(void);
gort__hidden void gort__sigint_disown(void);
// Before each handshake: the program may have set another meanwhile.
gort__hidden void gort__sigint_renew(void);

// A SIGINT that the program has blocked, and that only we let through: kept until the mask is the
// program's again.
struct gort__sigints {
	bool has_thread, has_process; // sent to the thread; to the process
	siginfo_t thread, process;
};
// Queues them again, on the thread that they came to.
gort__hidden void gort__sigints_return(struct gort__sigints *kept, int32_t pid, int32_t tid);

#endif
