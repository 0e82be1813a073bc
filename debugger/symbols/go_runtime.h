// SPDX-License-Identifier: MIT
// Go's runtime in a program: where its symbols are, and the fields of its structures. Of the program
// itself, by its symbol table and debug information.
#ifndef DEBUGGER_SYMBOLS_GO_RUNTIME_H
#define DEBUGGER_SYMBOLS_GO_RUNTIME_H

#include "debugger/symbols/symbols.h"

// The program has Go's table of functions.
bool symbols_has_go_runtime(struct symbols *symbols);
// Every symbol of code and data, by its whole name. false: it has no table of them.
bool symbols_go_each(struct symbols *symbols,
		     void (*visit)(const char *name, uint64_t addr, uint64_t size, void *arg),
		     void *arg);
struct go_member {
	const char *name;
	uint32_t *offset; // that far into the structure
	bool found;
};
// The members of a structure, "runtime.g"; false: one is not known.
bool symbols_go_members(struct symbols *symbols, const char *type, struct go_member *members,
			size_t n);

#endif
