# SPDX-License-Identifier: MIT
# What single runtime tests need beside their own file.

# Its client steps the same machine as the debugger; the library's copy is its own.
$(B)/tests/runtime/debugcall: $(B)/protocol/conversation.o
