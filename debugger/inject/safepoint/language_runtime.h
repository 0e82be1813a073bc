// SPDX-License-Identifier: MIT
// Language runtimes: a thread in the middle of one is at no place where that runtime may be entered
// anew.
#ifndef DEBUGGER_INJECT_SAFEPOINT_LANGUAGE_RUNTIME_H
#define DEBUGGER_INJECT_SAFEPOINT_LANGUAGE_RUNTIME_H

#include "debugger/stack/unwind.h"
#include "debugger/symbols/symbols.h"
#include "debugger/target/maps.h"

// The module is the interpreter or virtual machine of a language.
bool language_runtime_is_module(const struct module *module);
// The thread was asleep in a system call that waits: it has left the runtime's data as others may
// find them. Not so one that maps memory for the collector.
bool language_runtime_waits(const struct user_regs_struct *regs);
// Whether a thread that runs is in the module's code, or will return to it.
bool language_runtime_is_inside(const struct module *module, const struct maps *maps,
				const struct snapshot *snapshot);

#endif
