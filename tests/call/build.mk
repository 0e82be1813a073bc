# SPDX-License-Identifier: MIT
# The preload that ends the debugger at its n-th step.

KILLER := $(B)/tests/call/killer.so
TEST_NEEDS += $(KILLER)

$(KILLER): tests/call/killer.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O1 -g -fPIC -shared -o $@ $< -ldl

# The preload that counts first touches while a thread is held.
HELD := $(B)/tests/call/held.so
TEST_NEEDS += $(HELD)

$(HELD): tests/call/held.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O1 -g -fPIC -shared -o $@ $< -ldl

# The preload that changes a target while debugcall looks at it.
CHANGER := $(B)/tests/call/changer.so
TEST_NEEDS += $(CHANGER)

$(CHANGER): tests/call/changer.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O1 -g -fPIC -shared -o $@ $< -ldl
