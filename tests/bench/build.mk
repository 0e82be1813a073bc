# SPDX-License-Identifier: MIT
# Programs that the benches measure with; never instrumented.

BENCH_PROGRAMS := $(addprefix $(B)/tests/bench/,gaps floor futex_floor gort_floor xstate_shim.so handshakes.so gort_gaps)
GORT_BENCHES := $(addprefix $(B)/tests/bench/,gort_micro gort_echo gort_inject)
TEST_NEEDS += $(BENCH_PROGRAMS) $(GORT_BENCHES)

ON_LIBRARY := $(B)/tests/bench/agent_calls $(B)/tests/bench/control_ops
TEST_NEEDS += $(ON_LIBRARY)
$(ON_LIBRARY): %: %.o $(B)/libdebugcall.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(DEBUGGER_LIBS)

$(GORT_BENCHES): %: %.o $(B)/libgort.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ -pthread

$(B)/tests/bench/gort_inject: $(B)/protocol/conversation.o

$(B)/tests/bench/gort_gaps: tests/bench/gaps.c $(GORT_PLAIN)
	@mkdir -p $(@D)
	$(call say,BENCH)$(CC) -std=gnu11 -D_GNU_SOURCE -DGAPS_ON_GORT -I. -O2 -g -Wall -o $@ $^ -pthread
$(B)/tests/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,BENCH)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -o $@ $< -pthread
$(B)/tests/bench/%.so: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,BENCH)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -shared -fPIC -o $@ $< -ldl
