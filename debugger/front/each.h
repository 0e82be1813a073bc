// SPDX-License-Identifier: MIT
// The same expressions in many places: threads, goroutines, processes. One that fails ends none of the others.
#ifndef DEBUGGER_FRONT_EACH_H
#define DEBUGGER_FRONT_EACH_H

#include "debugger/front/options.h"

// The highest exit status of all.
int each_thread(struct dc_session *session, const struct words *words, struct records *out);
int each_goroutine(struct dc_session *session, const struct words *words, struct records *out);
// All processes of the name, or all children of the process of that id.
int each_process(struct options *options, struct records *out);

#endif
