# SPDX-License-Identifier: MIT
# The expression parser and evaluator under libFuzzer for a minute; FUZZ_SECONDS= for longer.
# New inputs of interest stay in build/fuzz/found; a crash leaves build/fuzz/crash-*.

FUZZ_SECONDS ?= 60
FUZZ_SRC := tests/fuzz/expression.c debugger/arch/x86_64/registers.c debugger/arch/x86_64/xstate.c debugger/arch/x86_64/cpu.c debugger/base/arena.c debugger/base/error.c $(wildcard debugger/values/*.c debugger/lang/*.c debugger/lang/c/*.c debugger/lang/cxx/*.c) \
	debugger/symbols/types/type.c debugger/symbols/types/type_basic.c debugger/symbols/types/type_spell.c

build/fuzz/expression: $(FUZZ_SRC) $(wildcard debugger/values/*.h debugger/lang/*.h debugger/lang/*/*.h debugger/symbols/*.h debugger/symbols/types/*.h)
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=gnu11 $(WARN) -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $(FUZZ_SRC) -lunwind-x86_64 -lunwind -ldw -lelf -lm

fuzz: build/fuzz/expression
	@mkdir -p build/fuzz/found
	cd build/fuzz && ./expression -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
		-dict=$(CURDIR)/tests/fuzz/expression.dict -max_len=400 -print_final_stats=1 \
		found $(CURDIR)/tests/fuzz/corpus
