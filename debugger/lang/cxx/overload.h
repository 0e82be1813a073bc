// SPDX-License-Identifier: MIT
// C++: which of several functions of one name a call means, by its arguments.
#ifndef DEBUGGER_LANG_CXX_OVERLOAD_H
#define DEBUGGER_LANG_CXX_OVERLOAD_H

#include "debugger/lang/c/evaluate.h"

// A name that only a call could tell apart; code VALUE, with the candidates.
struct dc_error *overload_needs_call(const struct resolution *what, const char *name) DC_CHECK;
// The function of a call by such a name. NULL in *ret: that takes a run.
struct dc_error *overload_choose(struct context *context, const struct node *call,
				 const struct function **ret) DC_CHECK;
// The method of a call through an object of a C++ class; NULL in *ret: that takes a run. Code NAME:
// the class has none of that name.
struct dc_error *overload_choose_method(struct context *context, const struct node *call,
					const struct type *class,
					const struct method **ret) DC_CHECK;

#endif
