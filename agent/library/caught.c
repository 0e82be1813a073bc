// SPDX-License-Identifier: MIT
// Exceptions that leave a callee: for the unwinder enter() is a frame that catches those of C++. What
// is needed of the unwinder is found when there is one that asks; the library itself needs none.
#include "agent/library/enter.h"

#include <dlfcn.h>
#include <unwind.h>

typedef void set_ip(struct _Unwind_Context *, _Unwind_Ptr);
typedef void set_gr(struct _Unwind_Context *, int, _Unwind_Word);

// "GNUCC++" and "CLNGC++"; the last byte tells how the object is held.
static int is_cxx(_Unwind_Exception_Class class)
{
	class &= ~(_Unwind_Exception_Class)0xff;
	return class == UINT64_C(0x474e5543432b2b00) || class == UINT64_C(0x434c4e47432b2b00);
}

__attribute__((visibility("hidden"))) _Unwind_Reason_Code
caught_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
		   struct _Unwind_Exception *exception, struct _Unwind_Context *context);

_Unwind_Reason_Code caught_personality(int version, _Unwind_Action actions,
				       _Unwind_Exception_Class class,
				       struct _Unwind_Exception *exception,
				       struct _Unwind_Context *context)
{
	enum { DWARF_RAX = 0 };
	set_ip *ip;
	set_gr *gr;

	// pthread_exit() and its kin end the thread.
	if (version != 1 || actions & _UA_FORCE_UNWIND || !is_cxx(class))
		return _URC_CONTINUE_UNWIND;
	ip = (set_ip *)dlsym(RTLD_DEFAULT, "_Unwind_SetIP");
	gr = (set_gr *)dlsym(RTLD_DEFAULT, "_Unwind_SetGR");
	if (!ip || !gr)
		return _URC_CONTINUE_UNWIND;
	if (actions & _UA_SEARCH_PHASE)
		return _URC_HANDLER_FOUND;
	gr(context, DWARF_RAX, (_Unwind_Word)(uintptr_t)exception);
	ip(context, (_Unwind_Ptr)(uintptr_t)enter_caught);
	return _URC_INSTALL_CONTEXT;
}
