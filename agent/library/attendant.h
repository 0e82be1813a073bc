// SPDX-License-Identifier: MIT
// The one thread that there always is: it sleeps until a client rings, starts and ends the threads
// that serve clients, and looks after callees whose client has gone.
#ifndef AGENT_LIBRARY_ATTENDANT_H
#define AGENT_LIBRARY_ATTENDANT_H

#include "agent/library/box.h"

// False: there can be no thread. met: called once, before the first client is served.
bool attendant_start(struct box *box, void (*met)(void));
// No calls are taken any more, as the process ends; waits a little for those that are under way.
void attendant_close(struct box *box);

#endif
