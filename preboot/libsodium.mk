# What the EFI application takes from libsodium's sources, relative to src/libsodium/, and how it is
# compiled: portable code and SSSE3, for firmware enables no AVX. sodium/core.c and randombytes/ stay out:
# preboot/sodium_efi.c chooses the implementations, preboot/randombytes_efi.c has the randomness. Argon2id is the
# core's (common/argon2.h).
SODIUM_EFI_SRC := \
	crypto_aead/chacha20poly1305/sodium/aead_chacha20poly1305.c \
	crypto_aead/xchacha20poly1305/sodium/aead_xchacha20poly1305.c \
	crypto_auth/hmacsha256/auth_hmacsha256.c \
	crypto_box/crypto_box.c \
	crypto_box/crypto_box_easy.c \
	crypto_box/crypto_box_seal.c \
	crypto_box/curve25519xsalsa20poly1305/box_curve25519xsalsa20poly1305.c \
	crypto_core/ed25519/ref10/ed25519_ref10.c \
	crypto_core/hchacha20/core_hchacha20.c \
	crypto_core/hsalsa20/core_hsalsa20.c \
	crypto_core/hsalsa20/ref2/core_hsalsa20_ref2.c \
	crypto_core/salsa/ref/core_salsa_ref.c \
	crypto_generichash/blake2b/generichash_blake2.c \
	crypto_generichash/blake2b/ref/blake2b-compress-ref.c \
	crypto_generichash/blake2b/ref/blake2b-compress-ssse3.c \
	crypto_generichash/blake2b/ref/blake2b-ref.c \
	crypto_generichash/blake2b/ref/generichash_blake2b.c \
	crypto_generichash/crypto_generichash.c \
	crypto_hash/sha256/cp/hash_sha256_cp.c \
	crypto_hash/sha512/cp/hash_sha512_cp.c \
	crypto_onetimeauth/crypto_onetimeauth.c \
	crypto_onetimeauth/poly1305/donna/poly1305_donna.c \
	crypto_onetimeauth/poly1305/onetimeauth_poly1305.c \
	crypto_scalarmult/crypto_scalarmult.c \
	crypto_scalarmult/curve25519/ref10/x25519_ref10.c \
	crypto_scalarmult/curve25519/scalarmult_curve25519.c \
	crypto_secretbox/crypto_secretbox.c \
	crypto_secretbox/crypto_secretbox_easy.c \
	crypto_secretbox/xsalsa20poly1305/secretbox_xsalsa20poly1305.c \
	crypto_sign/crypto_sign.c \
	crypto_sign/ed25519/ref10/keypair.c \
	crypto_sign/ed25519/ref10/open.c \
	crypto_sign/ed25519/ref10/sign.c \
	crypto_sign/ed25519/sign_ed25519.c \
	crypto_stream/chacha20/ref/chacha20_ref.c \
	crypto_stream/chacha20/stream_chacha20.c \
	crypto_stream/salsa20/ref/salsa20_ref.c \
	crypto_stream/salsa20/stream_salsa20.c \
	crypto_stream/xsalsa20/stream_xsalsa20.c \
	crypto_verify/sodium/verify.c \
	sodium/runtime.c \
	crypto_stream/salsa20/xmm6int/salsa20_xmm6int-sse2.c \
	crypto_stream/chacha20/dolbeau/chacha20_dolbeau-ssse3.c \
	crypto_onetimeauth/poly1305/sse2/poly1305_sse2.c \
	sodium/codecs.c \
	sodium/utils.c

# -fbuiltin after -ffreestanding: lets the compiler turn the 8-byte memcpy of a load into a move.
SODIUM_EFI_CFLAGS := -DCONFIGURED=1 -DSODIUM_STATIC -DNATIVE_LITTLE_ENDIAN -DHAVE_CPUID \
	-DHAVE_EMMINTRIN_H -DHAVE_TMMINTRIN_H -DHAVE_TI_MODE -DHAVE_C_VARARRAYS -DHAVE_WEAK_SYMBOLS=1 \
	-DHAVE_INLINE_ASM -fbuiltin
$(SODIUM_EFI_SRC:%.c=build/out/efi/sodium/%.o): preboot/libsodium.mk

# Pre-boot's modules but for those that stand for a C library or touch the processor: hosted, for tests.
PREBOOT_HOSTED := $(filter-out %_efi.c $(addprefix preboot/,residue.c sound.c clock.c),\
	$(wildcard preboot/*.c))
