# SPDX-License-Identifier: MIT
# libdebugcall (every room but front/) and the debugcall program.

DEBUGGER_LIBS := -lunwind-ptrace -lunwind-x86_64 -lunwind -ldw -lelf -llzma -lcapstone -ljansson -lpthread -lm
CFLAGS_debugger := -fvisibility=hidden

LIBDEBUGCALL_SRC := $(wildcard debugger/*.c debugger/target/*.c debugger/symbols/*.c \
	debugger/stack/*.c debugger/values/*.c debugger/call/*.c agent/pad*.[cS] protocol/*.c)
LIBDEBUGCALL_SRC := $(filter-out debugger/main.c,$(LIBDEBUGCALL_SRC))
LIBDEBUGCALL_OBJ := $(addprefix $(B)/,$(addsuffix .o,$(basename $(LIBDEBUGCALL_SRC))))
FRONT_OBJ := $(addprefix $(B)/,$(addsuffix .o,$(basename $(wildcard debugger/front/*.c debugger/main.c))))

$(B)/libdebugcall.a: $(LIBDEBUGCALL_OBJ)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(B)/debugcall: $(FRONT_OBJ) $(B)/libdebugcall.a
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(DEBUGGER_LIBS)

all: $(B)/libdebugcall.a $(if $(wildcard debugger/main.c),$(B)/debugcall)

install: $(B)/libdebugcall.a $(B)/debugcall
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include
	install -m 755 $(B)/debugcall $(DESTDIR)$(PREFIX)/bin/debugcall
	install -m 644 $(B)/libdebugcall.a $(DESTDIR)$(PREFIX)/lib/libdebugcall.a
	install -m 644 debugger/debugcall.h $(DESTDIR)$(PREFIX)/include/debugcall.h
