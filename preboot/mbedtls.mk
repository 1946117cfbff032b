# What the EFI application takes from mbedTLS's sources: ECDH on P-256 and AES-128-CFB for the sessions with the
# TPM (common/p256.c, common/tpm_session.c), configured by preboot/mbedtls_config.h, made for size.
MBEDTLS := build/out/cache/mbedtls-src
MBEDTLS_EFI_OBJ := $(patsubst %,build/out/efi/mbedtls/%.o,aes bignum constant_time ecp ecp_curves platform_util)
EFI_INC += -I$(MBEDTLS)/include -DMBEDTLS_CONFIG_FILE='"preboot/mbedtls_config.h"'

build/out/efi/mbedtls/%.o: EFI_LEVEL := -Os
build/out/efi/mbedtls/%.o: $(MBEDTLS)/library/%.c preboot/mbedtls.mk
	@mkdir -p $(@D)
	$(Q)$(CC_efi) $(EFI_CFLAGS) $(EFI_INC) -w -c $< -o $@

build/out/efi/holdfast.so: $(MBEDTLS_EFI_OBJ)
