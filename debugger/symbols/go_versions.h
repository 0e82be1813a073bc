// SPDX-License-Identifier: MIT
// The structures of Go's runtime on amd64, version by version.
#ifndef DEBUGGER_SYMBOLS_GO_VERSIONS_H
#define DEBUGGER_SYMBOLS_GO_VERSIONS_H

#include "debugger/symbols/go_runtime.h"

// Of Go 1.minor; NULL: it is not known.
const struct go_offsets *go_version_offsets(int minor);

#endif
