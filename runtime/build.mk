# SPDX-License-Identifier: MIT
# libgort.a, libgort.so, gort.pc. Everything is linked into one relocatable object first: its text becomes the
# section gort_text, and in the archive everything but gort_* becomes local.

GORT_SRC := $(sort $(wildcard runtime/*.c runtime/*/*.c runtime/*/*.S) protocol/conversation.c)
GORT_OBJ := $(addprefix $(B)/,$(addsuffix .o,$(basename $(GORT_SRC))))
GORT_LIB := $(B)/libgort.a $(B)/libgort.so $(B)/gort.pc

# initial-exec: the current M is one load away. Users' stacks are guarded by 64 KB, which clash protection relies on.
CFLAGS_runtime := -fvisibility=hidden -ftls-model=initial-exec -fno-plt -fstack-clash-protection

# Runs before a caller's vector registers are saved, which TSan's own functions would change.
EARLY := $(B)/runtime/host/host.o $(B)/runtime/host/sigint.o $(B)/runtime/base/signal.o $(B)/runtime/base/trace.o \
	$(B)/protocol/conversation.o
$(EARLY): ALL_CFLAGS += -mgeneral-regs-only $(if $(filter thread,$(SAN)),-fno-sanitize=thread -DGORT_TSAN)

# Signal handlers and what walks others' stacks: instrumented, they would report what they are there to see.
UNINSTRUMENTED := signal freeze unwind traceback fatal symbolise image lines groups
$(UNINSTRUMENTED:%=$(B)/runtime/fault/%.o): SANFLAGS := $(if $(filter thread,$(SAN)),-DGORT_TSAN)

# The scheduler leaves frames on system stacks for good, which TSan's shadow stack would count; it is told by hand.
$(B)/runtime/sched/%.o $(B)/runtime/base/%.o: CFLAGS_runtime += $(if $(filter thread,$(SAN)),-fno-sanitize=thread -DGORT_TSAN)

all: $(GORT_LIB)

# A source that goes away leaves no newer object behind; the list of them does change.
$(B)/runtime/gort.list: always
	@mkdir -p $(@D)
	@echo '$(GORT_OBJ)' | cmp -s - $@ || echo '$(GORT_OBJ)' > $@
.PHONY: always

# Unit tests that look inside link this one.
$(B)/runtime/gort-all.o: $(GORT_OBJ) runtime/gort.ld $(B)/runtime/gort.list
	$(call say,LD)$(LD) -r -T runtime/gort.ld -o $@ $(GORT_OBJ)

$(B)/runtime/gort.o: $(B)/runtime/gort-all.o
	$(call say,LOCAL)objcopy -w --keep-global-symbol='gort_[!_]*' --keep-global-symbol=debugcall_descriptor $< $@

$(B)/libgort.a: $(B)/runtime/gort.o
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $<

$(B)/libgort.so: $(B)/runtime/gort-all.o runtime/gort.map
	$(call say,LINK)$(CC) $(LDFLAGS) -shared -Wl,-soname,libgort.so.0 -Wl,--version-script=runtime/gort.map -Wl,-z,now \
		-o $@ $< -pthread
	@ln -sf libgort.so $(B)/libgort.so.0

$(B)/gort.pc: runtime/gort.pc.in
	@mkdir -p $(@D)
	$(call say,GEN)sed -e 's|@PREFIX@|$(CURDIR)|' -e 's|@LIBDIR@|$(CURDIR)/$(B)|' -e 's|@INCLUDEDIR@|$(CURDIR)/runtime|' \
		-e 's|@RPATH@|-Wl,-rpath,$${libdir} |' $< > $@

install: install-gort
.PHONY: install-gort
install-gort: $(GORT_LIB)
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 runtime/gort.h $(DESTDIR)$(PREFIX)/include/gort.h
	install -m 644 $(B)/libgort.a $(DESTDIR)$(LIBDIR)/libgort.a
	install -m 755 $(B)/libgort.so $(DESTDIR)$(LIBDIR)/libgort.so.0
	ln -sf libgort.so.0 $(DESTDIR)$(LIBDIR)/libgort.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' -e 's|@INCLUDEDIR@|$${prefix}/include|' \
		-e 's|@RPATH@||' runtime/gort.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/gort.pc
