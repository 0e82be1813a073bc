// SPDX-License-Identifier: MIT
// Which hits of a breakpoint are told, judged by the kernel in the thread that hits, by a program of
// ours: of the others nobody hears, and no thread stops for them. It goes with its descriptors, and so
// with us.
#ifndef DEBUGGER_TARGET_FILTER_H
#define DEBUGGER_TARGET_FILTER_H

#include "debugger/base/error.h"
#include "debugger/target/bpf_program.h"

#include <sys/types.h>

struct filter;

// All hits are told so far. REFUSED, with the reason, where the kernel takes no such program from us,
// or does not heed what it answers (as those before 6.10 or so).
struct dc_error *filter_create(struct filter **ret) DC_CHECK;
void filter_destroy(struct filter *filter); // NULL is fine

// From now on those hits are told for which the program leaves something else than 0 in R0. It runs
// to its end; R6 points to the registers, struct bpf_perf_event_data; R10 to its stack. NULL: all are
// told.
struct dc_error *filter_set(struct filter *filter, const struct bpf_program *program) DC_CHECK;

// The event, a thread's and not enabled yet, is judged by it.
// *ret: where its hits are counted.
struct dc_error *filter_attach(struct filter *filter, int event, pid_t tid, uint32_t *ret) DC_CHECK;
void filter_detach(struct filter *filter, pid_t tid, uint32_t place); // the event is closed
// Hits that were told, and all that were judged. The kernel judges none while another of its BPF
// programs, or a call of somebody's that reads their maps, is at work on that CPU, and tells none of
// those either.
uint64_t filter_told(const struct filter *filter, uint32_t place);
uint64_t filter_judged(const struct filter *filter, uint32_t place);

#endif
