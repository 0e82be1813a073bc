# SPDX-License-Identifier: MIT
# What single runtime tests need beside their own file.

# Its client steps the same machine as the debugger; the library's copy is its own.
$(filter $(B)/tests/runtime/debugcall% $(B)/tests/runtime/trace $(B)/tests/runtime/freeze_doors,$(RUNTIME_TESTS)): $(B)/protocol/conversation.o

# What only C++ can show.
TESTS += $(B)/tests/runtime/exceptions
TEST_NEEDS += $(B)/tests/runtime/exceptions
$(B)/tests/runtime/exceptions: tests/runtime/exceptions.cc $(B)/libgort.a
	@mkdir -p $(@D)
	$(call say,LINK)g++ -I. -std=c++17 -g -O2 -Wall $(SANFLAGS) -MMD -MP -o $@ $^ -pthread
