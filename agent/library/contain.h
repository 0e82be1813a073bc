// SPDX-License-Identifier: MIT
// Faults of callees are contained: handlers that are there while a client is, and that pass on to the
// program's own what is not a callee's.
#ifndef AGENT_LIBRARY_CONTAIN_H
#define AGENT_LIBRARY_CONTAIN_H

#include <stdbool.h>

// The handlers are installed with the first taker and given back with the last release.
bool contain_take(void);
void contain_release(void);
// In a child of fork: the program's own actions are in force again.
void contain_forget(void);
// They are in place still; installed again over those that the program has set meanwhile.
bool contain_hold(void);
// The calling thread lets through what is contained; all else stays blocked.
void contain_unblock(void);
// Asks the thread about its callee.
void contain_ask(int tid);

#endif
