# SPDX-License-Identifier: MIT
# What single targets need beside their own .c file.

$(B)/tests/targets/victim: tests/targets/victim_regs.S
LIBS_target_victim := -pthread -lm
LIBS_target_heap := -pthread
LIBS_target_counters := -pthread
CFLAGS_target_victim := -Wno-infinite-recursion
CFLAGS_target_callfuncs := -Wno-psabi -Wno-old-style-definition -O0
