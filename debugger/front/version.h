// SPDX-License-Identifier: MIT
// --version: which program this is, and what it can do on this machine.
#ifndef DEBUGGER_FRONT_VERSION_H
#define DEBUGGER_FRONT_VERSION_H

#include "debugger/front/records.h"

int version_say(struct records *out);

#endif
