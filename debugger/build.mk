# SPDX-License-Identifier: MIT
# libdebugcall (every room but front/) and the debugcall program. The rooms are linked into one relocatable object
# first, and what debugcall.h does not declare becomes local in it: a program that embeds the library may have a
# function of any other name.

DEBUGGER_LIBS := -lunwind-ptrace -lunwind-x86_64 -lunwind -ldw -lelf -llzma -lcapstone -ljansson -lbpf -lpthread -lm
# The program's alone: readline is under the GPL, and the library must not be. libmd has the digests of trusted files.
FRONT_LIBS := -lreadline -llua5.4 -lmd
CFLAGS_debugger := -fvisibility=hidden

LIBDEBUGCALL_SRC := $(wildcard debugger/base/*.c debugger/arch/*/*.c debugger/target/*.c debugger/symbols/*.c debugger/symbols/*/*.c \
	debugger/stack/*.c debugger/stack/*/*.c debugger/values/*.c debugger/lang/*.c debugger/lang/*/*.c \
	debugger/inject/*.c debugger/inject/*/*.c debugger/control/*.c debugger/session/*.c agent/pad/*.[cS] agent/go/*.c protocol/*.c)
LIBDEBUGCALL_OBJ := $(addprefix $(B)/,$(addsuffix .o,$(basename $(LIBDEBUGCALL_SRC))))
FRONT_OBJ := $(addprefix $(B)/,$(addsuffix .o,$(basename $(wildcard debugger/front/*.c debugger/front/*/*.c))))
# The library keeps its own names to itself; what the program shares with it is linked anew.
FRONT_OBJ += $(B)/debugger/base/arena.o

# Code for Go programs: one piece without a constant or a call outside of it, in general registers only.
$(B)/agent/go/%.o: SANFLAGS :=
$(B)/agent/go/%.o: ALL_CFLAGS += -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-jump-tables -fno-stack-protector \
	-fcf-protection=none -fno-tree-loop-distribute-patterns -fno-toplevel-reorder -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables

# A source that goes away leaves no newer object behind; the list of them does change.
$(B)/debugger/debugcall.list: always
	@mkdir -p $(@D)
	@echo '$(LIBDEBUGCALL_OBJ)' | cmp -s - $@ || echo '$(LIBDEBUGCALL_OBJ)' > $@

# The kernel's own names of its calls.
$(B)/debugger/arch/x86_64/syscall_names.inc:
	@mkdir -p $(@D)
	@echo '#include <asm/unistd_64.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/[\2] = "\1",/p' > $@
$(B)/debugger/arch/x86_64/syscall_names.o: CPPFLAGS += -I$(B)
$(B)/debugger/arch/x86_64/syscall_names.o: $(B)/debugger/arch/x86_64/syscall_names.inc

# Unit tests and fuzzers, which look inside, link this one.
$(B)/internal.a: $(LIBDEBUGCALL_OBJ) $(B)/debugger/debugcall.list
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $(LIBDEBUGCALL_OBJ)

$(B)/debugger/debugcall.o: $(LIBDEBUGCALL_OBJ) $(B)/debugger/debugcall.list
	$(call say,LD)$(LD) -r -o $@.all $(LIBDEBUGCALL_OBJ)
	@objcopy -w --localize-hidden --keep-global-symbol='dc_*' $@.all $@

$(B)/libdebugcall.a: $(B)/debugger/debugcall.o
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $<

$(B)/libdebugcall.so: $(LIBDEBUGCALL_OBJ) debugger/debugcall.map $(B)/debugger/debugcall.list
	$(call say,LINK)$(CC) $(LDFLAGS) -shared -Wl,-soname,libdebugcall.so.0 -Wl,-z,now \
		-Wl,--version-script=debugger/debugcall.map -o $@ $(LIBDEBUGCALL_OBJ) $(DEBUGGER_LIBS)

# The commit that --version names; without git there is none.
$(B)/debugger/commit: always
	@mkdir -p $(@D)
	@(git describe --always --abbrev=12 2>/dev/null || true) > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(B)/debugger/front/version.o: $(B)/debugger/commit
$(B)/debugger/front/version.o: CPPFLAGS += -DDC_COMMIT='"$(shell cat $(B)/debugger/commit)"'

$(B)/debugger/front/%.o: CPPFLAGS += -isystem /usr/include/lua5.4
$(B)/debugcall: $(FRONT_OBJ) $(B)/libdebugcall.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(DEBUGGER_LIBS) $(FRONT_LIBS)

DEBUGGER_MADE := $(B)/libdebugcall.a $(B)/libdebugcall.so $(B)/debugcall
DEBUGCALL_VERSION = $(shell sed -n 's/^#define DC_VERSION "\(.*\)"/\1/p' debugger/debugcall.h)

all: $(DEBUGGER_MADE)

install: install-debugcall
.PHONY: install-debugcall
install-debugcall: $(DEBUGGER_MADE)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/include \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/debugcall
	install -m 755 $(B)/debugcall $(DESTDIR)$(PREFIX)/bin/debugcall
	install -m 644 $(B)/libdebugcall.a $(DESTDIR)$(LIBDIR)/libdebugcall.a
	install -m 755 $(B)/libdebugcall.so $(DESTDIR)$(LIBDIR)/libdebugcall.so.0
	ln -sf libdebugcall.so.0 $(DESTDIR)$(LIBDIR)/libdebugcall.so
	install -m 644 debugger/debugcall.h $(DESTDIR)$(PREFIX)/include/debugcall.h
	install -m 644 debugger/debugcall.1 $(DESTDIR)$(PREFIX)/share/man/man1/debugcall.1
	install -m 644 debugger/debugcall-dap.5 $(DESTDIR)$(PREFIX)/share/man/man5/debugcall-dap.5
	$(B)/debugcall --completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/debugcall
	$(B)/debugcall --completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_debugcall
	editors/vscode/make-vsix $(PREFIX) $(DESTDIR)$(PREFIX)/share/debugcall/debugcall.vsix
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' -e 's|@VERSION@|$(DEBUGCALL_VERSION)|' -e 's|@LIBS@|$(DEBUGGER_LIBS)|' \
		debugger/debugcall.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/debugcall.pc
