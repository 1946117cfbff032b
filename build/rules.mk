# How things are built. A flavour is a compiler, flags and an object tree under build/out/FLAVOUR/.
#   host  what is installed      asan  host with address and undefined-behaviour sanitizers
#   fuzz  clang with libFuzzer   efi   freestanding, for firmware

SHELL := /bin/bash
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
PREFIX ?= /usr

# Dependencies first: everything below may then count on the packages.
ifeq ($(filter clean help,$(MAKECMDGOALS)),)
DEPS_RESULT := $(shell build/deps >&2 || echo failed)
ifneq ($(DEPS_RESULT),)
$(error build/deps failed)
endif
endif

WARN := -Wall -Wextra -Wconversion -Wvla -Wmissing-prototypes -Wshadow
ifdef CI
WARN += -Werror
endif
BASE := -std=gnu11 -I. -D_GNU_SOURCE -MMD -MP $(WARN)

CC_host := gcc
FLAGS_host := $(BASE) -O2 -g -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2
LINK_host := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
CC_asan := gcc
FLAGS_asan := $(BASE) -O1 -g -fPIC -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
LINK_asan := -fsanitize=address,undefined -Wl,--as-needed
CC_fuzz := clang
FLAGS_fuzz := $(BASE) -O1 -g -fPIC -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined -Wno-unknown-warning-option
LINK_fuzz := -fsanitize=fuzzer,address,undefined -Wl,--as-needed
HOSTED := host asan fuzz

# Short lines; V=1 shows the commands.
ifdef V
Q :=
say = @:
else
Q := @
say = @printf '  %-6s %s\n' $(1) '$(2)'
endif

HOST_LIBS := -lsodium -ljansson -lmbedcrypto
VOLUME_LIBS := -lcryptsetup $(HOST_LIBS)

modules = $(filter-out $(1)/main.c,$(wildcard $(1)/*.c))
LIBRARIES :=
PROGRAMS :=
SHARED :=
TOOL_PROGRAMS :=

define object_rule
build/out/$(1)/obj/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC,$(1) $$<)
	$(Q)$(CC_$(1)) $$(FLAGS_$(1)) -c $$< -o $$@
endef
$(foreach f,$(HOSTED),$(eval $(call object_rule,$(f))))

# Pre-boot's modules and what stands in for the firmware, hosted: with the firmware's types and calling convention.
EFI_HOSTED := -I/usr/include/efi -I/usr/include/efi/x86_64 -fshort-wchar -DGNU_EFI_USE_MS_ABI
$(foreach f,$(HOSTED),$(eval build/out/$(f)/obj/preboot/%.o build/out/$(f)/obj/tests/fake/%.o \
	build/out/$(f)/obj/tests/unit/preboot_%.o: FLAGS_$(f) += $(EFI_HOSTED)))

# Argon2's block functions include libsodium's own, of which these units have the flags and the warnings;
# optimized and without sanitizers, for everything that unlocks waits for them.
ARGON2_BLOCKS := ref ssse3 avx2_host avx512f_host
ARGON2_CFLAGS = -I$(SODIUM)/src/libsodium -I$(SODIUM)/src/libsodium/include/sodium -DCONFIGURED=1 \
	-DNATIVE_LITTLE_ENDIAN -DHAVE_EMMINTRIN_H -DHAVE_TMMINTRIN_H -w
$(foreach f,$(HOSTED),$(eval $(ARGON2_BLOCKS:%=build/out/$(f)/obj/common/argon2_%.o): FLAGS_$(f) += $$(ARGON2_CFLAGS) \
	-DHAVE_SMMINTRIN_H -DHAVE_AVXINTRIN_H -DHAVE_AVX2INTRIN_H -DHAVE_AVX512FINTRIN_H -O2 -fno-sanitize=all) \
	$(eval build/out/$(f)/obj/common/argon2_ssse3.o: FLAGS_$(f) += -mssse3) \
	$(eval build/out/$(f)/obj/common/argon2_avx2_host.o: FLAGS_$(f) += -mavx2) \
	$(eval build/out/$(f)/obj/common/argon2_avx512f_host.o: FLAGS_$(f) += -mavx512f))

# library(name, sources). The list makes an archive anew when a source joins or leaves.
define library_rule
build/out/$(1)/lib/lib$(2).a: $(3:%.c=build/out/$(1)/obj/%.o) build/out/$(1)/lib/lib$(2).list
	@rm -f $$@
	@ar crs $$@ $$(filter %.o,$$^)
build/out/$(1)/lib/lib$(2).list: FORCE
	@mkdir -p $$(@D)
	@echo '$(3)' | cmp -s - $$@ || echo '$(3)' >$$@
endef
define library_all
LIBRARIES += $(1)
$(foreach f,$(HOSTED),$(eval $(call library_rule,$(f),$(1),$(2))))
endef
library = $(eval $(call library_all,$(1),$(2)))

# generated(name, sources, packages, what it reads): the program of these sources, started with the names of what it
# reads, prints build/out/gen/NAME.c, which is a source like any other.
define generated_rule
build/out/gen/$(1): $(2:%.c=build/out/host/obj/%.o)
	@mkdir -p $$(@D)
	$(Q)$(CC_host) $(LINK_host) -o $$@ $$^ $(3)
build/out/gen/$(1).c: build/out/gen/$(1) $(4)
	$$(call say,GEN,$$@)
	$(Q)$$^ >$$@
endef
generated = $(eval $(call generated_rule,$(1),$(2),$(3),$(4)))

# program(name, folder, libraries, packages)
define program_rule
PROGRAMS += build/out/host/bin/$(1)
build/out/host/bin/$(1): build/out/host/obj/$(2)/main.o $(3:%=build/out/host/lib/lib%.a)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC_host) $(LINK_host) -o $$@ $$^ $(4)
endef
program = $(eval $(call program_rule,$(1),$(2),$(3),$(4)))

# shared(name, sources, libraries, version script, packages)
define shared_rule
SHARED += build/out/host/lib/$(1)
build/out/host/lib/$(1): $(2:%.c=build/out/host/obj/%.o) $(3:%=build/out/host/lib/lib%.a) $(4)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC_host) -shared -Wl,-soname,$(1) -Wl,--version-script,$(4) -Wl,-z,defs,-z,relro,-z,now \
		-Wl,--as-needed -Wl,--gc-sections -o $$@ $$(filter %.o %.a,$$^) $(5)
endef
shared = $(eval $(call shared_rule,$(1),$(2),$(3),$(4),$(5)))

# Firmware. The distribution's static libraries use the red zone, which firmware's interrupts overwrite, so
# every object is compiled here. No AVX: firmware does not enable it.
EFI_ARCH := x86_64
SODIUM := build/out/cache/libsodium-src
EFI_LIB := /usr/lib
CC_efi := gcc
# Ours is made for size, but for what computes or draws; libraries for speed.
EFI_LEVEL := -O2
build/out/efi/obj/%.o: EFI_LEVEL := -Os
$(foreach quick,argon2% canvas raster glyph picture scrub,$(foreach folder,preboot common,\
	$(eval build/out/efi/obj/$(folder)/$(quick).o: EFI_LEVEL := -O2)))
EFI_CFLAGS = -std=gnu11 $(EFI_LEVEL) -g -ffreestanding -fno-stack-protector -mno-red-zone -fshort-wchar -fPIC \
	-fcf-protection=none -maccumulate-outgoing-args -fvisibility=hidden -ffunction-sections -fdata-sections -DGNU_EFI_USE_MS_ABI -MMD -MP
EFI_INC := -I. -I/usr/include/efi -I/usr/include/efi/$(EFI_ARCH) \
	-I$(SODIUM)/src/libsodium/include

build/out/efi/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,efi $<)
	$(Q)$(CC_efi) $(EFI_CFLAGS) $(EFI_INC) $(WARN) -c $< -o $@

$(ARGON2_BLOCKS:%=build/out/efi/obj/common/argon2_%.o): EFI_CFLAGS += $(ARGON2_CFLAGS)

build/out/efi/sodium/%.o: $(SODIUM)/src/libsodium/%.c
	@mkdir -p $(@D)
	$(Q)$(CC_efi) $(EFI_CFLAGS) $(EFI_INC) -I$(SODIUM)/src/libsodium/include/sodium $(SODIUM_EFI_CFLAGS) -w -c $< -o $@

# What shim and the firmware's revocation lists know the application by (preboot/sbat.csv), as a section.
VERSION := $(shell sed -n 's/^Version: //p' common/holdfast.pc.in)
VERSION_FLAG := -DHOLDFAST_VERSION='"$(VERSION)"'
build/out/efi/obj/preboot/measure.o build/out/efi/obj/preboot/selftest.o: EFI_CFLAGS += $(VERSION_FLAG)
$(foreach f,$(HOSTED),$(eval build/out/$(f)/obj/preboot/measure.o build/out/$(f)/obj/preboot/selftest.o: FLAGS_$(f) += $(VERSION_FLAG)))
$(foreach f,efi $(HOSTED),$(eval build/out/$(f)/obj/preboot/measure.o build/out/$(f)/obj/preboot/selftest.o: common/holdfast.pc.in))
build/out/efi/sbat.csv: preboot/sbat.csv common/holdfast.pc.in
	@mkdir -p $(@D)
	$(Q)sed 's/@VERSION@/$(VERSION)/' $< >$@
build/out/efi/sbat.o: build/out/efi/sbat.csv
	$(Q)printf '.section .sbat,"a"\n.incbin "$<"\n.section .note.GNU-stack\n' | as -o $@ -
build/out/host/tools/efi_finish: build/out/host/obj/build/efi_finish.o
	@mkdir -p $(@D)
	$(Q)$(CC_host) $(LINK_host) -o $@ $<

# With SECURE_BOOT_KEY and SECURE_BOOT_CERT (PEM) it is signed; SECURE_BOOT_OPTIONS: more of holdfast-sign's.
SIGN_EFI := $(if $(SECURE_BOOT_KEY),preboot/holdfast-sign --key '$(SECURE_BOOT_KEY)' --cert '$(SECURE_BOOT_CERT)' \
	$(SECURE_BOOT_OPTIONS))
build/out/efi/signer: FORCE
	@mkdir -p $(@D)
	@[ -n "$(SIGN_EFI)" ] || ! grep -q . $@ 2>/dev/null || \
		echo "holdfast.efi was signed and is made anew UNSIGNED: give SECURE_BOOT_KEY and SECURE_BOOT_CERT again" >&2
	@echo "$(SIGN_EFI)" | cmp -s - $@ || echo "$(SIGN_EFI)" >$@

# efi_program(name, our sources, libsodium sources). What a debugger needs stays in the .so beside it.
# One of the tests (tests/...) is never signed.
EFI_SECTIONS := .text .reloc .sbat .rodata .rela .dynamic .data .bss
define efi_rule
build/out/efi/$(1:.efi=.so): $(2:%.c=build/out/efi/obj/%.o) $(3:%.c=build/out/efi/sodium/%.o) build/out/efi/sbat.o \
		preboot/efi.lds
	@mkdir -p $$(@D)
	$(Q)ld -nostdlib -znocombreloc -znoexecstack -shared -Bsymbolic --gc-sections --no-undefined -T preboot/efi.lds \
		-L$(EFI_LIB) $(EFI_LIB)/crt0-efi-$(EFI_ARCH).o $$(filter %.o,$$^) -o $$@ -lefi -lgnuefi
build/out/efi/$(1): build/out/efi/$(1:.efi=.so) build/out/host/tools/efi_finish build/out/efi/signer
	$$(call say,EFI,$$@)
	$(Q)objcopy --strip-all $(EFI_SECTIONS:%=-j %) --target efi-app-$(EFI_ARCH) --subsystem=10 $$< $$@
	$(Q)build/out/host/tools/efi_finish $$@
	$(if $(and $(SIGN_EFI),$(filter-out tests/%,$(1))),$(Q)$(SIGN_EFI) $$@)
endef
efi_program = $(eval $(call efi_rule,$(1),$(2),$(3)))

# Test programs, after LIBRARIES is complete.
define test_rule
build/out/$(1)/tests/%_$(2): build/out/$(1)/obj/tests/$(3)/%_$(2).o $(LIBRARIES:%=build/out/$(1)/lib/lib%.a)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC_$(1)) $(LINK_$(1)) -Lbuild/out/$(1)/lib -o $$@ $$< $(TEST_LIBS) $(TEST_PACKAGES)
endef
define tool_rule
TOOL_PROGRAMS += build/out/host/tests/$(2)_tool
build/out/host/tests/$(2)_tool: build/out/host/obj/$(1:.c=.o) $(LIBRARIES:%=build/out/host/lib/lib%.a)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC_host) $(LINK_host) -Lbuild/out/host/lib -o $$@ $$< $(TEST_LIBS) $(TEST_PACKAGES)
endef
define test_programs_all
$(eval $(call test_rule,host,test,unit))
$(eval $(call test_rule,asan,test,unit))
$(eval $(call test_rule,fuzz,fuzz,fuzz))
$(foreach t,$(TOOLS),$(eval $(call tool_rule,$(t),$(patsubst tests/%/,%,$(dir $(t))))))
endef
test_programs = $(eval $(call test_programs_all))
.SECONDARY:
.PHONY: FORCE
FORCE:

-include $(shell find $(HOSTED:%=build/out/%) build/out/efi -type f -name '*.d' 2>/dev/null)
