# SPDX-License-Identifier: MIT
# libdebugcall-agent.so, which goes into other programs: never instrumented, on libc alone.

AGENT_SRC := $(wildcard agent/library/*.c agent/library/*.S) protocol/mailbox.c
AGENT_OBJ := $(addprefix $(B)/agent/library/,$(addsuffix .o,$(notdir $(basename $(AGENT_SRC)))))
AGENT_MADE := $(B)/libdebugcall-agent.so $(B)/debugcall-agent.pc
CFLAGS_agent := -fvisibility=hidden -fno-plt

all: $(AGENT_MADE)

$(AGENT_OBJ): SANFLAGS :=
$(B)/agent/library/mailbox.o: protocol/mailbox.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(CFLAGS_agent) -MMD -MP -c $< -o $@

# What is loaded stays: threads of ours may be in it.
$(B)/libdebugcall-agent.so: $(AGENT_OBJ) agent/library/agent.map
	$(call say,LINK)$(CC) -shared -Wl,-soname,libdebugcall-agent.so.0 -Wl,-z,now -Wl,-z,nodelete -Wl,-z,defs \
		-Wl,--version-script=agent/library/agent.map -o $@ $(AGENT_OBJ) -pthread

$(B)/debugcall-agent.pc: agent/library/debugcall-agent.pc.in
	@mkdir -p $(@D)
	$(call say,GEN)sed -e 's|@PREFIX@|$(CURDIR)|' -e 's|@LIBDIR@|$(CURDIR)/$(B)|' -e 's|@INCLUDEDIR@|$(CURDIR)/agent/library|' \
		-e 's|@VERSION@|$(DEBUGCALL_VERSION)|' -e 's|@RPATH@|-Wl,-rpath,$${libdir} |' $< > $@

install: install-agent
.PHONY: install-agent
install-agent: $(AGENT_MADE)
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 agent/library/debugcall_agent.h $(DESTDIR)$(PREFIX)/include/debugcall_agent.h
	install -m 755 $(B)/libdebugcall-agent.so $(DESTDIR)$(LIBDIR)/libdebugcall-agent.so.0
	ln -sf libdebugcall-agent.so.0 $(DESTDIR)$(LIBDIR)/libdebugcall-agent.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' -e 's|@INCLUDEDIR@|$${prefix}/include|' \
		-e 's|@VERSION@|$(DEBUGCALL_VERSION)|' -e 's|@RPATH@||' agent/library/debugcall-agent.pc.in \
		> $(DESTDIR)$(LIBDIR)/pkgconfig/debugcall-agent.pc
