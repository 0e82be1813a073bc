// SPDX-License-Identifier: MIT
// The memory of a target that nobody may trace, read and written by its agent. A slot of its own, as
// it is read while a callee of another waits to be judged.
#ifndef DEBUGGER_INJECT_AGENT_AGENT_MEMORY_H
#define DEBUGGER_INJECT_AGENT_AGENT_MEMORY_H

#include "debugger/target/process.h"

struct agent_memory;
// From now on the process's memory is reached by it. *ret NULL: the process has no agent. An error:
// it has, and it cannot be used.
struct dc_error *agent_memory_open(struct process *process, struct agent_memory **ret) DC_CHECK;
void agent_memory_close(struct agent_memory *memory); // NULL is fine

#endif
