# SPDX-License-Identifier: MIT
# The kernel's own tests alone; they are part of "make test" too. ROWS="yama perf" runs the rows so named.

.PHONY: test-kernel
test-kernel:
	@tests/deps $(DEPS_TEST)
	@tests/kernel/fetch
	@$(MAKE) --no-print-directory test-kernel-run
test-kernel-run: tests
	@B=$(B) SAN=$(SAN) tests/run -v tests/kernel/boot.py
