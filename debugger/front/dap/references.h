// SPDX-License-Identifier: MIT
// What the client holds by number: frames, scopes, values, calls that it may ask for. The newest are
// kept; a number is never given twice.
#ifndef DEBUGGER_FRONT_DAP_REFERENCES_H
#define DEBUGGER_FRONT_DAP_REFERENCES_H

#include "debugger/debugcall.h"

// The number of a goroutine as a thread is above every thread's (PID_MAX_LIMIT is 2^22).
enum { GOROUTINES = 1 << 22 };

enum reference_kind {
	REFERENCE_NONE,
	REFERENCE_FRAME,
	REFERENCE_SCOPE,
	REFERENCE_VALUE,
	REFERENCE_LAZY,
	REFERENCE_TARGET
};

struct frame_reference {
	pid_t thread; // 0: of a goroutine that no thread runs
	uint64_t goroutine;
	unsigned index; // from the innermost, inlined ones not counted
	uint64_t pc;
	bool stands; // the thread stood, and does until all references are cleared
};
struct scope_reference {
	enum dc_names names; // which of the frame's
	unsigned
		result; // instead: what the function that it was stepped out of gave, as $N; 0: none
	struct frame_reference frame;
};
// A frame, or none.
struct around {
	struct frame_reference frame;
	bool is_known;
};
struct value_reference {
	struct dc_value *value;
	struct around around; // whose names its expression means
};
struct lazy {
	char *expression;
	struct around around;
};
struct reference {
	enum reference_kind kind;
	int number;
	union {
		struct frame_reference frame;
		struct scope_reference scope;
		struct value_reference value;
		struct lazy lazy;
		uint64_t target; // an address that a thread may be sent to
	};
};

struct references;
struct references *references_create(void); // NULL: out of memory
void references_destroy(struct references *references); // NULL is fine
// Takes over what it holds, which is released when there is no memory for it; then it gives 0.
int references_add(struct references *references, const struct reference *reference);
// NULL: there is none of such a kind by that number, or not any more.
const struct reference *references_find(const struct references *references, int64_t number,
					enum reference_kind kind);
// All are gone: what they were read from has run on.
void references_clear(struct references *references);

#endif
