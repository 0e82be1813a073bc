# SPDX-License-Identifier: MIT
# What single targets need beside their own .c file.

$(B)/tests/targets/victim: tests/targets/victim_regs.S
LIBS_target_victim := -pthread -lm
LIBS_target_heap := -pthread
LIBS_target_agent_life := -ldl -pthread
LIBS_target_agent_polls := -ldl -pthread
CFLAGS_target_agent_polls := -Wno-infinite-recursion -Wno-array-bounds
LIBS_target_agent_callees := -pthread
CFLAGS_target_agent_callees := -Wno-infinite-recursion -Wno-use-after-free -Wno-free-nonheap-object -Wno-array-bounds
# Binding a name at its first call takes more stack than some of its threads have.
LIBS_target_tight_stacks := -pthread -Wl,-z,now
LIBS_target_counters := -pthread
LIBS_target_comers := -pthread
LIBS_target_forks := -pthread
CFLAGS_target_stepped := -O0
LIBS_target_cancelled := -pthread
CFLAGS_target_deep := -O0
LIBS_target_deep := -pthread
ifneq ($(shell command -v musl-gcc),)
$(B)/tests/targets/cancelled-musl: tests/targets/cancelled.c
	@mkdir -p $(@D)
	$(call say,TARGET)musl-gcc -g -O1 -D_GNU_SOURCE -std=gnu11 -o $@ $<
TEST_NEEDS += $(B)/tests/targets/cancelled-musl
endif
LIBS_target_errnos := -pthread
LIBS_target_stuck := -pthread
LIBS_target_ignoring := -pthread
CFLAGS_target_ignoring := -Wno-infinite-recursion
ERRNOS := $(B)/tests/targets/errnos
ERRNOS_static := gcc -static
ERRNOS_musl := $(if $(shell command -v musl-gcc),musl-gcc)
ERRNOS_muslstatic := $(if $(shell command -v musl-gcc),musl-gcc -static)
ERRNOS_WAYS := $(foreach way,static musl muslstatic,$(if $(ERRNOS_$(way)),$(ERRNOS)-$(way)))
$(ERRNOS_WAYS): $(ERRNOS)-%: tests/targets/errnos.c
	@mkdir -p $(@D)
	$(call say,TARGET)$(ERRNOS_$*) -g -O1 -D_GNU_SOURCE -std=gnu11 -o $@ $< -pthread
TEST_NEEDS += $(ERRNOS_WAYS)
LIBS_target_exec_storm := -pthread
CFLAGS_target_exec_storm := -no-pie
CFLAGS_target_victim := -Wno-infinite-recursion
CFLAGS_target_callfuncs := -Wno-psabi -Wno-old-style-definition -O0

# One program, built in the ways in which programs come; a way whose tools are missing is left out, and
# its tests are skipped. The plain target of that name is one more of them.
ZOO := $(B)/tests/targets/symbols_zoo
ZOO_plain := gcc -g
ZOO_dwarf2 := gcc -gdwarf-2 -gstrict-dwarf
ZOO_dwarf4 := gcc -gdwarf-4
ZOO_compressed := gcc -g -gz
ZOO_nopie := gcc -g -no-pie
ZOO_static := gcc -g -static
ZOO_staticpie := gcc -g -static-pie
ZOO_typeunits := gcc -g -fdebug-types-section
ZOO_splitdwarf := gcc -g -gsplit-dwarf
ZOO_debuglink := gcc -g
ZOO_debuglink_crc := gcc -g -Wl,--build-id=none
ZOO_sections := gcc -g -ffunction-sections -fdata-sections
ZOO_clang := $(if $(shell command -v clang),clang -g)
ZOO_clang4 := $(if $(shell command -v clang),clang -gdwarf-4)
ZOO_lld := $(if $(and $(shell command -v clang),$(shell command -v ld.lld)),clang -g -fuse-ld=lld)
ZOO_gold := $(if $(shell command -v ld.gold),gcc -g -fuse-ld=gold -Wl$(comma)--gdb-index -ggnu-pubnames)
ZOO_musl := $(if $(shell command -v musl-gcc),musl-gcc -g)
ZOO_muslstatic := $(if $(shell command -v musl-gcc),musl-gcc -g -static)
ZOO_WAYS := $(patsubst ZOO_%,%,$(foreach v,$(filter ZOO_%,$(.VARIABLES)),$(if $(strip $($(v))),$(v))))
ZOO_WAYS := $(filter-out WAYS,$(ZOO_WAYS))

$(ZOO_WAYS:%=$(ZOO)-%): $(ZOO)-%: tests/targets/symbols_zoo.c tests/targets/symbols_zoo.h
	@mkdir -p $(@D)
	$(call say,TARGET)$(ZOO_$*) -O0 -w -I. -D_GNU_SOURCE -std=gnu11 -o $@.new $<
	@if [ "$(filter debuglink%,$*)" ]; then \
		objcopy --only-keep-debug $@.new $@.debug && strip $@.new && \
		objcopy --add-gnu-debuglink=$@.debug $@.new; fi
	@mv $@.new $@
TEST_NEEDS += $(ZOO_WAYS:%=$(ZOO)-%)

# A library to be damaged while it is mapped.
LDFLAGS_target_symbols_host := -static
LIBRARY := $(B)/tests/targets/symbols_library
LIBRARY_dwarf5 := -gdwarf-5
LIBRARY_dwarf4 := -gdwarf-4
LIBRARY_compressed := -g -gz
LIBRARIES := $(patsubst %,$(LIBRARY)-%.so,dwarf5 dwarf4 compressed)
$(LIBRARIES): $(LIBRARY)-%.so: tests/targets/symbols_library.c
	@mkdir -p $(@D)
	$(call say,TARGET)$(CC) $(LIBRARY_$*) -O1 -w -std=gnu11 -shared -fPIC -o $@ $<
TEST_NEEDS += $(LIBRARIES)
$(B)/tests/targets/symbols_library: CFLAGS_target_symbols_library := -shared -fPIC

# Two files of one program that have the same names for themselves.
$(B)/tests/targets/symbols_twin.c:
	@mkdir -p $(@D)
	@echo '#include "tests/targets/symbols_twins.c"' > $@
$(B)/tests/targets/symbols_twins: $(B)/tests/targets/symbols_twin.c

# One program, or library, in two shapes: other names at the same addresses.
BECOMES := $(B)/tests/targets/becomes-add $(B)/tests/targets/becomes-wipe
BECOMES_LIBRARIES := $(B)/tests/targets/becomes-plug.so $(B)/tests/targets/becomes-pull.so
becomes = -DNAME=$* -DCALLED=$(if $(filter wipe,$*),wiped,$(if $(filter pull,$*),pulled,$(if $(filter plug,$*),plugged,added)))
$(BECOMES): $(B)/tests/targets/becomes-%: tests/targets/becomes.c
	@mkdir -p $(@D)
	$(call say,TARGET)$(CC) -D_GNU_SOURCE -std=gnu11 -g -O1 -Wall -no-pie -rdynamic $(becomes) -o $@ $< -ldl
$(BECOMES_LIBRARIES): $(B)/tests/targets/becomes-%.so: tests/targets/becomes.c
	@mkdir -p $(@D)
	$(call say,TARGET)$(CC) -D_GNU_SOURCE -std=gnu11 -g -O1 -Wall -fPIC -shared -DLIBRARY $(becomes) -o $@ $<
TEST_NEEDS += $(BECOMES) $(BECOMES_LIBRARIES)

# C++, by each compiler that is here.
CXX_WAYS := gcc $(if $(shell command -v clang++),clang)
CXX_gcc := g++
CXX_clang := clang++
CXX_TARGETS := $(CXX_WAYS:%=$(B)/tests/targets/cxx-%)
$(CXX_TARGETS): $(B)/tests/targets/cxx-%: tests/targets/cxx.cc
	@mkdir -p $(@D)
	$(call say,TARGET)$(CXX_$*) -g -O0 -w -std=gnu++17 -o $@ $<
# And as distributions have it: stripped, with its debug information in a file beside it.
CXX_STRIPPED := $(B)/tests/targets/cxx-stripped
$(CXX_STRIPPED): $(B)/tests/targets/cxx-gcc
	$(call say,TARGET)objcopy --only-keep-debug $< $@.debug && strip -o $@.new $< && \
		objcopy --add-gnu-debuglink=$@.debug $@.new
	@mv $@.new $@
CXX_SYMBOLS := $(B)/tests/targets/cxx-symbols
$(CXX_SYMBOLS): $(B)/tests/targets/cxx-gcc
	$(call say,TARGET)strip --strip-debug -o $@ $<
LIBRARY_TARGETS := $(CXX_WAYS:%=$(B)/tests/targets/library-%)
$(LIBRARY_TARGETS): $(B)/tests/targets/library-%: tests/targets/library.cc
	@mkdir -p $(@D)
	$(call say,TARGET)$(CXX_$*) -g -O0 -w -std=gnu++17 -o $@ $<
TEST_NEEDS += $(LIBRARY_TARGETS)
THROWERS := $(B)/tests/targets/catcher $(B)/tests/targets/thrower
$(THROWERS): $(B)/tests/targets/%: tests/targets/%.cc
	@mkdir -p $(@D)
	$(call say,TARGET)g++ -g -O1 -o $@ $<
TEST_NEEDS += $(CXX_TARGETS) $(CXX_STRIPPED) $(CXX_SYMBOLS) $(THROWERS)

# On the runtime, so that calls go through its own host.
$(B)/tests/targets/gort_server: tests/targets/victim_regs.S $(GORT_PLAIN)
LIBS_target_gort_server := -pthread -lm
$(B)/tests/targets/gort_yields: $(GORT_PLAIN)
LIBS_target_gort_yields := -pthread
$(B)/tests/targets/http_server: $(GORT_PLAIN)
LIBS_target_http_server := -pthread
CFLAGS_target_gort_server := -Wno-infinite-recursion
