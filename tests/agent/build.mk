# SPDX-License-Identifier: MIT
# The preload by which debugcall may not trace.

DENIER := $(B)/tests/agent/denier.so
TEST_NEEDS += $(DENIER)

$(DENIER): tests/agent/denier.c
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O1 -g -fPIC -shared -o $@ $< -ldl
