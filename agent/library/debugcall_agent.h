// SPDX-License-Identifier: MIT
// libdebugcall-agent: whoever may trace a process can call its functions through it, with no thread
// stopped. Preload it, link with it, or have it loaded by "debugcall inject"; nothing needs to be
// called. DEBUGCALL_AGENT=off in the environment keeps it out, =lazy has it start no thread before
// a client asks.
#ifndef DEBUGCALL_AGENT_H
#define DEBUGCALL_AGENT_H

#ifdef __cplusplus
extern "C" {
#endif

// 1 while the agent takes calls in this process; 0 otherwise.
__attribute__((visibility("default"))) int debugcall_agent_is_open(void);

// Called in a program's loop where any of its functions may be called: "debugcall --thread TID" then has
// the call made here, by this thread, which is not stopped for it. Costs a load when nobody asks.
__attribute__((visibility("default"))) void debugcall_poll(void);

#ifdef __cplusplus
}
#endif
#endif
