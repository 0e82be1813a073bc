// SPDX-License-Identifier: MIT
// The other threads of a target, all stopped while one is borrowed: --all-stop.
#ifndef DEBUGGER_INJECT_ALL_STOP_H
#define DEBUGGER_INJECT_ALL_STOP_H

#include "debugger/target/tracee.h"

struct all_stop {
	struct tracee *borrowed; // NULL: nobody was stopped
	struct tracee **tracees; // all others
	size_t n, room;
};
// Stops every thread except the borrowed one, those that are created meanwhile too. REFUSED when
// one cannot be stopped, TARGET_EXECED or TARGET_ENDED when the borrowed one is lost meanwhile; what
// was stopped is let go of by all_stop_release().
struct dc_error *all_stop_stop(struct all_stop *all, struct tracee *borrowed) DC_CHECK;
struct dc_error *all_stop_release(struct all_stop *all) DC_CHECK;
void all_stop_deinit(struct all_stop *all);

#endif
