// SPDX-License-Identifier: MIT
// Names of code that a compiler at run time made, from the list that it keeps for profilers.
#ifndef DEBUGGER_SYMBOLS_PERF_MAP_H
#define DEBUGGER_SYMBOLS_PERF_MAP_H

#include "debugger/symbols/symbols.h"

struct perf_map {
	struct perf_map_entry {
		uint64_t start, size;
		const char *name;
	} * entries; // as they were written: a later one takes the place of what was there before
	size_t n;
	char *text; // what the names point into
};
// /tmp/perf-PID.map as the target has it; empty when it keeps none.
struct dc_error *perf_map_load(struct process *process, struct perf_map *ret) DC_CHECK;
void perf_map_deinit(struct perf_map *map);
// The name lives as long as the symbols; false: the list has none for the address.
bool perf_map_find(const struct perf_map *map, struct symbols *symbols, uint64_t addr,
		   const char **name, uint64_t *offset);

#endif
