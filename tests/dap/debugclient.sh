#!/bin/sh
# SPDX-License-Identifier: MIT
# The adapter behind npm's DebugClient.
cd "$(dirname "$0")/../.."
B=${B:-build/release}
if ! command -v node >/dev/null || [ ! -d build/dap/node_modules ]; then
	echo "1..0 # SKIP no node, or tests/dap/fetch could not get DebugClient"
	exit 0
fi
exec node tests/dap/debugclient.js "$B/debugcall" "$(realpath "$B")/tests/targets" "$PWD/tests/targets" "$@"
