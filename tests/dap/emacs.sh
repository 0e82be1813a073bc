#!/bin/sh
# SPDX-License-Identifier: MIT
# The adapter behind Emacs's dap-mode.
cd "$(dirname "$0")/../.."
B=$(realpath "${B:-build/release}")
if ! command -v emacs >/dev/null || ! dpkg-query -W elpa-dap-mode >/dev/null 2>&1; then
	echo "1..0 # SKIP no Emacs with dap-mode (emacs-nox, elpa-dap-mode)"
	exit 0
fi
export DEBUGCALL="$B/debugcall" TARGET="$B/tests/targets/plain" SOURCE="$PWD/tests/targets/plain.c"
LINE=$(grep -n 'if (write(STDOUT_FILENO' "$SOURCE" | cut -d: -f1)
export LINE
HOME=$(mktemp -d) || exit 1
export HOME
trap 'rm -rf "$HOME"' EXIT
timeout 100 emacs --batch -l tests/dap/emacs.el 2>"$HOME/err" || { status=$?; sed 's/^/# /' "$HOME/err"; exit $status; }
