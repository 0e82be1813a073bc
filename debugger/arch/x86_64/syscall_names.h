// SPDX-License-Identifier: MIT
// System calls by name and number, as this machine's kernel headers have them.
#ifndef DEBUGGER_ARCH_X86_64_SYSCALL_NAMES_H
#define DEBUGGER_ARCH_X86_64_SYSCALL_NAMES_H

const char *syscall_name(long nr); // NULL: none is known
long syscall_number(const char *name); // a decimal number, too; -1: none
#endif
