# SPDX-License-Identifier: MIT
# What single runtime tests need beside their own file.

# Its client steps the same machine as the debugger; the library's copy is its own.
$(filter $(B)/tests/runtime/debugcall% $(B)/tests/runtime/trace $(B)/tests/runtime/freeze_doors,$(RUNTIME_TESTS)): $(B)/protocol/conversation.o
