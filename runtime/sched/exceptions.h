// SPDX-License-Identifier: MIT
// C++ exceptions in flight. The language's runtime keeps them per thread: those that are caught and
// not yet left, and how many are being thrown. They are the goroutine's, so they go where it goes.
#ifndef RUNTIME_SCHED_EXCEPTIONS_H
#define RUNTIME_SCHED_EXCEPTIONS_H

#include "runtime/base/base.h"

#include <unwind.h>

struct g;
struct m;

// What __cxa_get_globals points at, as the Itanium C++ ABI has it; the second word with its padding.
struct exceptions {
	void *caught;
	uint64_t uncaught;
};

static inline bool gort__exceptions_any(const struct exceptions *e)
{
	return (uintptr_t)e->caught | e->uncaught;
}

// The calling thread, m's, has no P and no lock: finds its own, which may allocate.
gort__hidden void gort__exceptions_find(struct m *m);
// After a call that may have loaded C++, also without a P: true when all Ms must look again.
gort__hidden bool gort__exceptions_loaded(void);

// Of m, which g leaves, or is about to run on.
gort__hidden void gort__exceptions_save(struct g *g, struct m *m);
gort__hidden void gort__exceptions_put_back(struct g *g, struct m *m);

// amd64/switch.S: fn(arg) in a frame of which the unwinder tells the routine of the same name that
// an exception is about to leave it. Nothing of the unwinder's is linked: it is there when an
// exception is.
gort__hidden void gort__call_try(void (*fn)(void *), void *arg);
gort__hidden void gort__call_once(void (*fn)(void *), void *arg);
gort__hidden void gort__call_deferred(void (*fn)(void *), void *arg);
// The same, but an exception becomes a panic there: "a C++ exception TYPE: TEXT".
gort__hidden void gort__call_caught(void (*fn)(void *), void *arg);
gort__hidden extern const char gort__caught[];
_Noreturn gort__hidden void gort__exception_panics(struct _Unwind_Exception *e);

#define GORT__LEFT(name)                                                                          \
	gort__hidden _Unwind_Reason_Code gort__left_##name(                                       \
		int version, _Unwind_Action actions, uint64_t class, struct _Unwind_Exception *e, \
		struct _Unwind_Context *context);                                                 \
	_Unwind_Reason_Code gort__left_##name(                                                    \
		int version __attribute__((unused)), _Unwind_Action actions,                      \
		uint64_t class __attribute__((unused)),                                           \
		struct _Unwind_Exception *e __attribute__((unused)),                              \
		struct _Unwind_Context *context __attribute__((unused)))

#endif
