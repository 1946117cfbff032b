# What is built. How it is built is in build/rules.mk. `make help` lists the goals.

.DEFAULT_GOAL := all
include build/rules.mk
-include preboot/libsodium.mk
-include preboot/mbedtls.mk

define HELP
make          build everything into build/out/
make demo     a virtual laptop from its pre-boot prompt to its remote kill; SCRIPTED=1 types for itself
make test     all tests
make unit     unit tests, plain and under ASan and UBSan
make fuzz     each fuzzer for FUZZ_SECONDS (8)
make soak     200 starts with random faults (SOAK=N for another number)
make bench    the measurements, into build/out/bench.json
make install  into DESTDIR (default /) under PREFIX (default /usr)
make clean    remove outputs, but for the cache

V=1 shows the commands. SECURE_BOOT_KEY=FILE SECURE_BOOT_CERT=FILE sign holdfast.efi (docs/secure-boot.md).
endef
export HELP

SOAK ?= 200
.PHONY: help install all unit fuzz test demo soak bench clean programs tests
all: programs build/out/efi/holdfast.efi

# The REST client needs libcurl, so it stays out of libholdfast.
REST := $(wildcard common/rest*_host.c)
COMMON := $(filter-out $(REST),$(wildcard common/*.c))

XKB_DATA := /usr/share/X11/xkb/rules/evdev.lst /usr/share/X11/locale/en_US.UTF-8/Compose
# Sources that are made: name, sources of the program that makes it, packages, what it reads.
$(call generated,layouts,build/layouts.c common/layout_format.c common/cursor.c common/text.c,-lxkbcommon,$(XKB_DATA))
GENERATED := build/out/gen/layouts.c
COMMON += $(GENERATED)
DEJAVU := /usr/share/fonts/truetype/dejavu
$(call generated,font,build/font.c,-lfreetype,$(DEJAVU)/DejaVuSans.ttf $(DEJAVU)/DejaVuSans-Bold.ttf)
build/out/host/obj/build/font.o: FLAGS_host += $(shell pkg-config --cflags freetype2)
PREBOOT_HOSTED += build/out/gen/font.c

# Libraries: name, sources. Each flavour (host, asan, fuzz) gets its own archive.
$(call library,common,$(COMMON))
$(call library,rest,$(REST))
$(call library,volume,$(wildcard driver/*.c))
$(call library,open,$(call modules,driver/open))
$(call library,agent,$(wildcard agent/*.c))
$(call library,volumed,$(call modules,agent/volumed))
$(call library,holdfastd,$(call modules,agent/holdfastd))
$(call library,cli,$(call modules,agent/cli))
$(call library,activate,$(call modules,agent/activate))
$(call library,server,$(wildcard server/*.c))
$(call library,frontend,$(call modules,server/frontend))
$(call library,vault,$(call modules,server/vault))
$(call library,ctl,$(call modules,server/ctl))
# Before preboot: what the fake has as well stands for it.
$(call library,fake,$(wildcard tests/fake/*.c))
$(call library,preboot,$(PREBOOT_HOSTED))

# Programs: name, folder of main.c, libraries in the order of linking, packages.
$(call program,holdfast-open,driver/open,open volume common,$(VOLUME_LIBS) -lkeyutils)
$(call program,holdfast-volumed,agent/volumed,volumed agent volume common,$(VOLUME_LIBS) -lkeyutils -lblkid -lsystemd)
$(call program,holdfast-activate,agent/activate,activate volumed agent volume common,$(VOLUME_LIBS) -lkeyutils -lblkid)
$(call program,holdfastd,agent/holdfastd,holdfastd agent rest common,$(HOST_LIBS) -lcurl -lsqlite3)
$(call program,holdfast,agent/cli,cli agent common,$(HOST_LIBS))
$(call program,holdfast-server,server/main,frontend vault server common,$(HOST_LIBS) -lmicrohttpd -lsqlite3 -lmbedtls -lmbedx509 -lmbedcrypto -lseccomp)
$(call program,holdfast-ctl,server/ctl,ctl server rest common,$(HOST_LIBS) -lcurl -lsqlite3 -lpng)

# libholdfast: escrow/backup messages for other programs.
$(call shared,libholdfast.so.0,$(COMMON),,common/holdfast.map,$(HOST_LIBS))
$(call shared,libcryptsetup-token-holdfast.so,$(wildcard driver/token/*.c),volume common,driver/token/plugin.map,$(VOLUME_LIBS) -lkeyutils)

programs: $(PROGRAMS) $(SHARED) build/out/host/lib/libholdfast.so build/out/host/lib/pkgconfig/holdfast.pc

build/out/host/lib/libholdfast.so: build/out/host/lib/libholdfast.so.0
	@ln -sf $(<F) $@

build/out/host/lib/pkgconfig/holdfast.pc: common/holdfast.pc.in
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@MULTIARCH@|$(shell gcc -print-multiarch)|' $< >$@

# Pre-boot: our code, the freestanding core and libsodium's sources that preboot/libsodium.mk lists.
EFI_SRC := $(wildcard preboot/*.c) $(filter-out %_host.c,$(wildcard common/*.c)) $(GENERATED) \
	build/out/gen/font.c
$(call efi_program,holdfast.efi,$(EFI_SRC),$(SODIUM_EFI_SRC))

# Tests: each file its own program; tests/NAME/*_tool.c help the integration tests.
TEST_LIBS := -Wl,--start-group $(foreach l,$(LIBRARIES),-l:lib$(l).a) -Wl,--end-group
TEST_PACKAGES := $(VOLUME_LIBS) -lkeyutils -lblkid -lcurl -lsqlite3 -lmicrohttpd -lmbedtls -lmbedx509 \
	-lmbedcrypto -lsystemd -lseccomp -lpng -largon2 -lcmocka
UNIT := $(patsubst tests/unit/%_test.c,%,$(wildcard tests/unit/*_test.c))
FUZZ := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
TOOLS := $(wildcard tests/*/*_tool.c)
$(call test_programs)
TOOL_PROGRAMS += build/out/efi/tests/fragment.efi
$(call efi_program,tests/fragment.efi,tests/preboot/fragment/fragment_efi.c)

tests: all $(UNIT:%=build/out/host/tests/%_test) $(UNIT:%=build/out/asan/tests/%_test) \
	$(FUZZ:%=build/out/fuzz/tests/%_fuzz) $(TOOL_PROGRAMS)

unit: all $(UNIT:%=build/out/host/tests/%_test) $(UNIT:%=build/out/asan/tests/%_test) $(TOOL_PROGRAMS)
	build/run-tests unit asan

fuzz: $(FUZZ:%=build/out/fuzz/tests/%_fuzz)
	build/run-tests fuzz

test: tests
	build/run-tests

demo: all $(TOOL_PROGRAMS)
	build/demo

soak: all $(TOOL_PROGRAMS)
	/usr/bin/python3 tests/soak/faults_soak.py $(SOAK)

bench: all $(TOOL_PROGRAMS)
	build/bench

help:
	@echo "$$HELP"

install: all
	build/install "$(DESTDIR)" "$(PREFIX)"

clean:
	@mkdir -p build/out
	find build/out -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +
