// SPDX-License-Identifier: MIT
// What Go programs have names for: packages, types under the names that Go writes for them, untyped
// and typed constants, and the types that the runtime's own descriptions stand for.
#ifndef DEBUGGER_SYMBOLS_GO_H
#define DEBUGGER_SYMBOLS_GO_H

#include "debugger/symbols/symbols.h"

// The program itself is Go's.
bool symbols_is_go(struct symbols *symbols);
// The type of that full name, "main.T", "[]*net/http.Server", "map[string]int"; code NAME: there is
// none.
struct dc_error *symbols_go_type(struct symbols *symbols, const char *name,
				 const struct type **ret) DC_CHECK;
// The one that the program describes so far behind runtime.types; NULL: none that is known.
const struct type *symbols_go_described(struct symbols *symbols, uint64_t offset);
// Where the program has runtime.types, and where those end; false: it does not say.
bool symbols_go_types(struct symbols *symbols, uint64_t *start, uint64_t *end);

struct go_constant {
	const struct type *type; // of the untyped: int, float64 or string
	int64_t integer;
	double real;
	const char *text; // NULL: it is none
};
struct dc_error *symbols_go_constant(struct symbols *symbols, const char *name,
				     struct go_constant *ret) DC_CHECK;

// The package that the name, its whole path or the last element of it, means. false: there is none.
// *other: another one that it may mean as well; NULL.
bool symbols_go_package(struct symbols *symbols, const char *name, const char **ret,
			const char **other);
// What the function whose code begins at the address takes of its caller's stack, by the runtime's
// table; UINT32_MAX: not said.
uint32_t symbols_go_frame(struct symbols *symbols, uint64_t entry);
// Bytes on the stack between its pointer and the return address, where Go code is at pc; false: not
// known. *is_first: a goroutine or a thread begins in that function.
bool symbols_go_depth(struct symbols *symbols, uint64_t pc, uint64_t *ret, bool *is_first);
// What the program lacks of what is wanted to know of it, in words; NULL: nothing, or it is no Go.
const char *symbols_go_lack(struct symbols *symbols);
// The package of the code at the address; NULL: it is no Go code.
const char *symbols_go_package_at(struct symbols *symbols, uint64_t pc);

#endif
