# SPDX-License-Identifier: MIT
# The preload that ends the debugger at its n-th step.

KILLER := $(B)/tests/call/killer.so
TEST_NEEDS += $(KILLER)

$(KILLER): tests/call/killer.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O1 -g -fPIC -shared -o $@ $< -ldl
