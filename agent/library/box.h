// SPDX-License-Identifier: MIT
// The memory file of the mailbox, and who may write to it: whoever may open it anew through
// /proc/PID/fd. The process itself keeps one read-only descriptor.
#ifndef AGENT_LIBRARY_BOX_H
#define AGENT_LIBRARY_BOX_H

#include "protocol/mailbox.h"

#include <sys/types.h>

struct box {
	struct mailbox_header *header; // not in children of fork; NULL: there is none
	int fd; // read-only
	dev_t device; // what fd is, should the program have closed it
	ino_t inode;
};

// False: it cannot be made so that nobody else writes to it, and nothing is left of it.
bool box_make(struct box *box);
// For good, but for the clients that have it open.
void box_close(struct box *box);
// In a child of fork, which has no mapping of it.
void box_forget(struct box *box);
// Whether a client holds the slot; true, too, where nobody can tell.
bool box_has_client(const struct box *box, unsigned slot);

#endif
