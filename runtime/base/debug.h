// SPDX-License-Identifier: MIT
// GORTDEBUG=name=value,…: parsed once at start, read as plain ints after. A name alone means 1.
#ifndef RUNTIME_BASE_DEBUG_H
#define RUNTIME_BASE_DEBUG_H

#include "runtime/base/base.h"

//	name			default		meaning
#define GORT__DEBUG_VARS(X)                                                                   \
	X(schedtrace, 0) /* print a line about the scheduler every so many ms      */         \
	X(asyncpreemptoff, 0) /* 1: no SIGURG pauses; Ps are still retaken              */    \
	X(dontfreezetheworld, 0) /* 1: a fatal panic signals nobody                        */ \
	X(updatemaxprocs, 1) /* 0: GORTMAXPROCS follows no later change                 */    \
	X(containermaxprocs, 1) /* 0: cgroup limits are not read                          */  \
	X(threadtrace, 0) /* 1: name the thread that all_threads_syscall refuses     */       \
	X(symbolise, 1) /* 0: fatal reports stay module+offset                    */          \
	X(trace, 0) /* keep the last so many events (1: 4,096) and write them   */            \
	X(guard, 1) /* 0: do without MADV_GUARD_INSTALL even where it works    */

struct gort__debug {
#define X(name, value) int name;
	GORT__DEBUG_VARS(X)
#undef X
};

extern gort__hidden struct gort__debug gort__debug;

gort__hidden void gort__debug_parse(void);

#endif
