// SPDX-License-Identifier: MIT
// Calls on a thread of the program's, at a place where the program says that they may be made.
#ifndef AGENT_LIBRARY_POLL_H
#define AGENT_LIBRARY_POLL_H

#include "agent/library/worker.h"

// Has the thread, when it next calls debugcall_poll(), serve the request in the worker's place; false:
// it did not come until then.
bool poll_hand_over(struct worker *worker, int tid, int64_t until);
// Threads that poll are told of in the mailbox.
void poll_open(struct mailbox_header *header);

#endif
