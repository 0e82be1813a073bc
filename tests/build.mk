# SPDX-License-Identifier: MIT
# Tests by wildcard: a new file needs no line here. A folder's own build.mk may add to these:
#   TESTS                  programs and scripts that tests/run runs, TAP on stdout
#   TEST_NEEDS             what else must be built before they run
#   CFLAGS_target_NAME, LDFLAGS_target_NAME, LIBS_target_NAME, CC_target_NAME   one target's own
#   LIBS_unit_NAME, LIBS_runtime_NAME, LIBS_call_NAME                           one test's own
# Scripts find what was built under $B. Targets are plain programs and are never instrumented.

TARGET_SRC  := $(filter-out %/becomes.c,$(wildcard tests/targets/*.c))
TARGETS     := $(TARGET_SRC:%.c=$(B)/%)
UNIT_TESTS  := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*.c))
CALL_TESTS  := $(patsubst %.c,$(B)/%,$(filter-out %/killer.c %/changer.c %/held.c,$(wildcard tests/call/*.c)))
CONTROL_TESTS := $(patsubst %.c,$(B)/%,$(filter-out %/driver.c,$(wildcard tests/control/*.c)))
DRIVER     := $(B)/tests/control/driver
RUNTIME_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/runtime/*.c))
SCRIPTS     := $(shell find tests/unit tests/runtime tests/call tests/go tests/cli tests/agent tests/control tests/shell tests/dap tests/kernel tests/fuzz -maxdepth 1 \
	\( -name '*.py' -o -name '*.sh' \) -perm -u+x 2>/dev/null | sort)
BENCHES     := $(shell find tests/bench -maxdepth 1 -type f -perm -u+x 2>/dev/null | sort)

TESTS      := $(UNIT_TESTS) $(RUNTIME_TESTS) $(CALL_TESTS) $(CONTROL_TESTS) $(SCRIPTS)
TEST_NEEDS := $(TARGETS) $(UNIT_TESTS) $(RUNTIME_TESTS) $(CALL_TESTS) $(CONTROL_TESTS) $(DRIVER)

# Targets and what benches measure are plain programs, so they are linked with the plain library.
GORT_PLAIN := $(if $(SAN)$(DEBUG),build/release/libgort.a,$(B)/libgort.a)
ifneq ($(SAN)$(DEBUG),)
build/release/libgort.a:
	$(MAKE) SAN= DEBUG= $@
endif

-include $(wildcard tests/*/build.mk)

.SECONDARY:

$(UNIT_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/internal.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_unit_$*) -lcmocka $(DEBUGGER_LIBS)

$(CALL_TESTS): $(B)/tests/call/%: $(B)/tests/call/%.o $(B)/libdebugcall.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_call_$*) $(DEBUGGER_LIBS)

$(CONTROL_TESTS) $(DRIVER): $(B)/tests/control/%: $(B)/tests/control/%.o $(B)/libdebugcall.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_control_$*) $(DEBUGGER_LIBS)

$(RUNTIME_TESTS): $(B)/tests/runtime/%: $(B)/tests/runtime/%.o $(B)/libgort.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_runtime_$*) -pthread -lm

$(TARGETS): $(B)/tests/targets/%: tests/targets/%.c
	@mkdir -p $(@D)
	$(call say,TARGET)$(or $(CC_target_$*),$(CC)) -I. -D_GNU_SOURCE -std=gnu11 -g -O1 -Wall $(CFLAGS_target_$*) -MMD -MP \
		$(LDFLAGS_target_$*) -o $@ $(filter %.c %.S %.o %.a,$^) $(LIBS_target_$*)

# The packages come first and the build after them, even with -j: so each is a make of its own.
test:
	@tests/deps $(DEPS_TEST)
	@tests/kernel/fetch
	@tests/dap/fetch
	@$(MAKE) --no-print-directory test-run
# Those tests that say what they do in it.
CAMPAIGN_SAYS := $(shell grep -lrs CAMPAIGN tests/unit tests/runtime tests/call tests/cli tests/control tests/dap tests/agent)
campaign:
	@tests/deps $(DEPS_TEST)
	@$(MAKE) --no-print-directory SAN=address,undefined build/address-undefined/debugcall
	@$(MAKE) --no-print-directory fuzz
	@DC_CAMPAIGN=1 $(MAKE) --no-print-directory test-run \
		TESTS='$(filter $(CAMPAIGN_SAYS) $(CAMPAIGN_SAYS:%.c=$(B)/%),$(TESTS))'
bench:
	@tests/deps $(DEPS_BENCH)
	@$(MAKE) --no-print-directory bench-run
demo:
	@tests/deps $(DEPS) -- redis-server
	@$(MAKE) --no-print-directory demo-run

.PHONY: test-run bench-run demo-run tests test-ide test-ide-run valgrind
tests: all $(TEST_NEEDS)
test-run: tests
	@B=$(B) SAN=$(SAN) tests/run $(TESTS)
bench-run: tests
	@set -e; for bench in $(BENCHES); do echo "== $$bench"; B=$(abspath $(B)) $$bench; done
demo-run: all $(B)/tests/targets/server $(B)/tests/targets/http_server
	@B=$(B) tests/demo
# Editors are large, so they are got by this alone; make test drives those that are there.
test-ide:
	@tests/dap/fetch
	@tests/dap/ide/fetch
	@$(MAKE) --no-print-directory test-ide-run
test-ide-run: all $(B)/tests/targets/http_server $(B)/tests/targets/plain
	@B=$(B) tests/run -j 1 tests/dap/ide/vscode.py tests/dap/emacs.sh
# The runtime's tests under memcheck, those that cannot run there skipped with their reason.
valgrind: tests
	@tests/deps -- valgrind
	@B=$(B) VALGRIND=1 tests/run $(RUNTIME_TESTS)
lint:
	@tests/deps $(DEPS_LINT)
	@tests/lint
