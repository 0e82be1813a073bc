// SPDX-License-Identifier: MIT
// Exceptions go with their goroutine; and those that would leave a function of the library end the
// process, by name.
#include "runtime/sched/exceptions.h"
#include "runtime/base/print.h"
#include "runtime/base/throw.h"
#include "runtime/gort.h"
#include "runtime/sched/sched.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

// Where the program is C++ it is there from the start.
extern struct exceptions *__cxa_get_globals(void) __attribute__((weak));

static struct exceptions none; // of a thread without C++
static struct exceptions *(*get_globals)(void) = __cxa_get_globals;
static unsigned long long loads; // of libraries, when we looked last

void gort__exceptions_find(struct m *m)
{
	struct exceptions *(*get)(void) = gort__load(&get_globals);

	if (!m->exceptions || m->exceptions == &none)
		gort__store(&m->exceptions, get ? get() : &none);
}

static int count_loads(struct dl_phdr_info *info, size_t size, void *now)
{
	(void)size;
	*(unsigned long long *)now = info->dlpi_adds;
	return 1;
}

bool gort__exceptions_loaded(void)
{
	static const char *const libraries[] = { NULL, "libstdc++.so.6", "libc++abi.so.1" };
	unsigned long long now = 0;
	void *found = NULL;

	// A plug-in brings it along, seen by itself only.
	if (gort__likely(gort__load(&get_globals) != NULL))
		return false;
	dl_iterate_phdr(count_loads, &now);
	if (now == gort__load(&loads))
		return false;
	gort__store(&loads, now);
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]) && !found; i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
		if (library)
			found = dlsym(library, "__cxa_get_globals");
	}
	gort__store((void **)&get_globals, found);
	return found != NULL;
}

gort__cold void gort__exceptions_save(struct g *g, struct m *m)
{
	g->exceptions = *m->exceptions;
	*m->exceptions = none;
	g->flags |= G_EXCEPTIONS;
}

gort__cold void gort__exceptions_put_back(struct g *g, struct m *m)
{
	*m->exceptions = g->exceptions;
	g->flags &= (uint8_t)~G_EXCEPTIONS;
}

// ---- those that nobody may pass on --------------------------------------------------------------

// What g++ and clang++ put before the part that the unwinder knows begins with its type, this far.
enum { TYPE_BEFORE = 80 };
static const uint64_t GNU_CXX = UINT64_C(0x474e5543432b2b00); // "GNUCC++\0"

static _Unwind_Reason_Code left(_Unwind_Action actions, uint64_t class,
				const struct _Unwind_Exception *e, const char *what)
{
	const char *type = "";

	// Looked for while the whole stack still stands. Other unwinding (a thread that is
	// cancelled) goes through.
	if (!(actions & _UA_SEARCH_PHASE))
		return _URC_CONTINUE_UNWIND;
	if (class == GNU_CXX)
		type = (*(const char *const *const *)((const char *)e - TYPE_BEFORE))[1];
	gort__fatal("a C++ exception %s%sleft %s", type + (*type == '*'), *type ? " " : "", what);
}

GORT__LEFT(goroutine)
{
	return left(actions, class, e, "the function of a goroutine");
}

GORT__LEFT(blocking)
{
	return left(actions, class, e, "a function in gort_blocking");
}

GORT__LEFT(deferred)
{
	return left(actions, class, e, "a deferred function");
}

// ---- one that becomes a panic -------------------------------------------------------------------

extern void *__cxa_begin_catch(void *) __attribute__((weak));
extern void __cxa_end_catch(void) __attribute__((weak));
extern void _Unwind_SetIP(struct _Unwind_Context *, _Unwind_Ptr) __attribute__((weak));
extern void _Unwind_SetGR(struct _Unwind_Context *, int, _Unwind_Word) __attribute__((weak));

GORT__LEFT(caught)
{
	enum { RAX = 0 }; // by DWARF's numbers

	if (actions & _UA_FORCE_UNWIND || class != GNU_CXX || !__cxa_begin_catch || !_Unwind_SetIP)
		return _URC_CONTINUE_UNWIND;
	if (actions & _UA_SEARCH_PHASE)
		return _URC_HANDLER_FOUND;
	_Unwind_SetGR(context, RAX, (_Unwind_Word)e);
	_Unwind_SetIP(context, (_Unwind_Ptr)gort__caught);
	return _URC_INSTALL_CONTEXT;
}

// Of the standard library's own: their text stands behind the object's first word.
static const char *text_of(const char *type, const void *object)
{
	static const char *const standard[] = {
		"St13runtime_error", "St11logic_error",	     "St12out_of_range",
		"St12length_error",  "St16invalid_argument", "St12domain_error",
		"St11range_error",   "St14overflow_error",   "St15underflow_error",
		"St12system_error",
	};

	for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
		if (!strcmp(type, standard[i]))
			return ((const char *const *)object)[1];
	return !strcmp(type, "PKc") ? *(const char *const *)object : "";
}

void gort__exception_panics(struct _Unwind_Exception *e)
{
	const char *type = (*(const char *const *const *)((const char *)e - TYPE_BEFORE))[1];
	char text[160];

	type += *type == '*';
	gort__format(text, sizeof(text), "%s", text_of(type, e + 1));
	__cxa_begin_catch(e);
	__cxa_end_catch();
	gort_panic("a C++ exception %s%s%s", type, *text ? ": " : "", text);
}
