# SPDX-License-Identifier: MIT
# The classification of values is tested against what compilers do: generated functions, compiled by
# each compiler that is here, once for each width of vectors. They are never instrumented.

ABI_CC := gcc $(if $(shell command -v clang),clang)
ABI_WIDTHS := 16 32 64
ABI_FLAGS_16 :=
ABI_FLAGS_32 := -mavx
ABI_FLAGS_64 := -mavx512f
# NAME: SEED TYPES FUNCTIONS WIDEST-VECTOR
ABI_ARGS_16 := 1 400 600 16
ABI_ARGS_32 := 2 60 120 32
ABI_ARGS_64 := 3 60 120 64

$(B)/tests/unit/abi_cases_%.c: tests/unit/abi/cases.py
	@mkdir -p $(@D)
	$(call say,GEN)/usr/bin/python3 $< abi_$(*) $(ABI_ARGS_$(lastword $(subst _, ,$*))) > $@.new
	@mv $@.new $@

define ABI_OBJECT
$(B)/tests/unit/abi_cases_$(1)_$(2).o: $(B)/tests/unit/abi_cases_$(1)_$(2).c tests/unit/abi/cases.h \
		debugger/inject/classify.h debugger/symbols/type.h
	$$(call say,CC)$(1) $(CPPFLAGS) -std=gnu11 -O1 -w -Wno-psabi $(ABI_FLAGS_$(2)) -c $$< -o $$@
$(B)/tests/unit/abi: $(B)/tests/unit/abi_cases_$(1)_$(2).o
endef
$(foreach cc,$(ABI_CC),$(foreach width,$(ABI_WIDTHS),$(eval $(call ABI_OBJECT,$(cc),$(width)))))

# The runtime's pure functions are tested by themselves.
$(B)/tests/unit/cgroup: $(B)/runtime/sched/cgroup.o $(B)/runtime/base/print.o $(B)/runtime/base/sigpipe.o

# The program's own files are in no library.
$(B)/tests/unit/records: $(addprefix $(B)/debugger/,front/records.o front/text.o front/text_shell.o front/style.o front/json.o base/arena.o)
LIBS_unit_records := -Wl,--wrap=calloc
