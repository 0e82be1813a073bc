// SPDX-License-Identifier: MIT
// Locales of our own: the program that hosts us may have set one in which 1.5 is written 1,5, or in
// which no character beyond ASCII is printable.
#ifndef DEBUGGER_VALUES_LOCALES_H
#define DEBUGGER_VALUES_LOCALES_H

#include <locale.h>

// Live as long as the process; 0 when there is no memory or, for UTF-8, no such locale.
locale_t locale_plain(void); // "C"
locale_t locale_unicode(void); // "C.UTF-8"

#endif
