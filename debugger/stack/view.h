// SPDX-License-Identifier: MIT
// Memory as one walk of a stack sees it: the snapshot first, then pages of the target, of which
// those that nobody can write stay cached from walk to walk.
#ifndef DEBUGGER_STACK_VIEW_H
#define DEBUGGER_STACK_VIEW_H

#include "debugger/target/maps.h"

struct snapshot;

enum { VIEW_PAGE = 4096, VIEW_SLOTS = 256 };

struct view_page {
	uint64_t addr; // of the page
	uint64_t walk; // the walk that read it; 0: holds for all walks
	unsigned char bytes[VIEW_PAGE];
};

struct view {
	struct process *process;
	struct maps maps;
	int64_t maps_time; // CLOCK_MONOTONIC nanoseconds
	const struct snapshot *snapshot; // of the walk under way
	uint64_t walk;
	bool strayed; // this walk has read beyond the snapshot what the target may change
	struct view_page *pages; // VIEW_SLOTS
};

struct dc_error *view_init(struct view *view, struct process *process) DC_CHECK;
void view_deinit(struct view *view);
// Begins a walk. *changed: code was mapped or unmapped since the last one.
struct dc_error *view_begin(struct view *view, const struct snapshot *snapshot,
			    bool *changed) DC_CHECK;
// All of it or false.
bool view_read(struct view *view, uint64_t addr, void *buf, size_t n);
bool view_read_word(struct view *view, uint64_t addr, uint64_t *ret);
bool view_is_code(const struct view *view, uint64_t addr);

#endif
