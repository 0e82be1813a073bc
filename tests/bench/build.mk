# SPDX-License-Identifier: MIT
# Programs that the benches measure with; never instrumented.

BENCH_PROGRAMS := $(addprefix $(B)/tests/bench/,gaps floor xstate_shim.so)
TEST_NEEDS += $(BENCH_PROGRAMS)

$(B)/tests/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -o $@ $< -pthread
$(B)/tests/bench/%.so: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -shared -fPIC -o $@ $< -ldl
