# SPDX-License-Identifier: MIT
# The one entry to the build. Each folder states what it makes in its own build.mk.
#
#   make            libgort, libdebugcall and the debugcall program
#   make demo       calls into a python3, a threaded server, one in Go and a busy one on libgort, live
#   make test       every test; the last line is "N passed, N failed, N skipped"
#   make test-ide   VS Code and Emacs themselves, driven through a session
#   make test-kernel    those that want Debian's own kernel, under emulation; make test has them too
#   make bench      figures beside the peers, measured in the same run
#   make valgrind   the runtime's tests under memcheck
#   make campaign   the long kill and stress runs
#   make lint       layout, static analysis, the include floors
#   make fuzz       the expression parser under libFuzzer for 60 s
#   make deps       what Debian 12 lacks, by apt-get
#   make install    DESTDIR= PREFIX=/usr/local LIBDIR=PREFIX/lib
#   make deb        Debian packages, in build/deb, without an error of lintian's
#
# SAN=address,undefined (or SAN=thread) builds and tests with sanitizers; DEBUG=1 checks lock ranks;
# V=1 shows the commands.

CC     ?= gcc
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
SAN    ?=
DEBUG  ?=
comma  := ,

B := build/$(if $(SAN),$(subst $(comma),-,$(SAN)),release)$(if $(DEBUG),-debug)

WARN     := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wvla
CPPFLAGS := -I. -D_GNU_SOURCE $(if $(DEBUG),-DGORT_DEBUG)
CFLAGS   ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(WARN) $(CFLAGS) -fPIC -fno-omit-frame-pointer $(SANFLAGS) $(CFLAGS_$(firstword $(subst /, ,$<)))
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
LDFLAGS  := $(SANFLAGS)

say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(@:$(B)/%=%);)

.PHONY: all demo test bench campaign lint fuzz deps install deb clean
all:

# What this machine lacks is installed once, by name, and said so.
DEPS := build-essential pkg-config libunwind-dev libelf-dev libdw-dev liblzma-dev libcapstone-dev libbpf-dev \
	libjansson-dev libreadline-dev liblua5.4-dev libmd-dev libcmocka-dev python3
DEPS_TEST := $(DEPS) binutils procps strace xz-utils -- gdb musl-tools clang lld dwz libc6-dbg ruby-full \
	nodejs wrk mandoc golang-go qemu-system-x86 busybox-static cpio elfutils redis-server nginx-light
DEPS_LINT := clang-format cppcheck
DEPS_BENCH := $(DEPS_TEST) golang delve libboost-fiber-dev lldb lldb-19 valgrind
deps:
	@tests/deps $(DEPS_TEST)
	@tests/kernel/fetch
	@tests/dap/fetch

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(B)/%.o: %.S
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

-include runtime/build.mk
-include debugger/build.mk
-include agent/library/build.mk
-include tests/build.mk

# From a copy of what git has, or of all: packages come from a clean tree.
DEPS_DEB := debhelper dpkg-dev fakeroot lintian
deb:
	@tests/deps $(DEPS) $(DEPS_DEB)
	@rm -rf build/deb && mkdir -p build/deb/source
	@(git ls-files 2>/dev/null | grep . || find . -path ./build -prune -o -type f -print) | \
		tar -cf - -T - | tar -xf - -C build/deb/source
	cd build/deb/source && dpkg-buildpackage -b -us -uc -rfakeroot -j$(or $(JOBS),2)
	@rm -rf build/deb/source
	lintian --fail-on error build/deb/*.changes

clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
