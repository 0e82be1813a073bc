// SPDX-License-Identifier: MIT
// Where threads keep errno: no C library exports the variable, all export the function that tells.
#include "debugger/arch/x86_64/thread_local.h"
#include "debugger/symbols/set.h"
#include "debugger/target/memory.h"

bool symbols_errno(struct symbols *symbols, int64_t *offset)
{
	enum { CODE = 64 };
	unsigned char code[CODE];
	struct thread_local_place place;
	struct function function;
	int64_t word = 0;
	size_t n;

	if (!symbols_named_function(symbols, "__errno_location", &function))
		return false;
	n = memory_read_some(symbols->process, function.addr, code, sizeof(code));
	if (!thread_local_follow(code, n, function.addr, &place))
		return false;
	if (place.slot &&
	    memory_read_some(symbols->process, place.slot, &word, sizeof(word)) != sizeof(word))
		return false;
	*offset = place.offset + word;
	return true;
}
