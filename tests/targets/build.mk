# SPDX-License-Identifier: MIT
# What single targets need beside their own .c file.

$(B)/tests/targets/victim: tests/targets/victim_regs.S
LIBS_target_victim := -pthread -lm
