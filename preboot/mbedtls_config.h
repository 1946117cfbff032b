/* mbedTLS in the EFI application: one curve, one mode of one cipher, nothing else. The hosted build
 * takes the distribution's library with its own configuration. */
#ifndef HOLDFAST_MBEDTLS_CONFIG_H
#define HOLDFAST_MBEDTLS_CONFIG_H

#define MBEDTLS_HAVE_ASM
/* A division of 128 bits would be a call into the compiler's own library. */
#define MBEDTLS_NO_UDBL_DIVISION

#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
/* Blinding takes its randomness from the caller: preboot/randombytes_efi.c. */
#define MBEDTLS_ECP_NO_INTERNAL_RNG

#define MBEDTLS_AES_C
#define MBEDTLS_CIPHER_MODE_CFB
/* Tables are constants: made at run time they would need code, and room in the file all the same. */
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES

#include "mbedtls/check_config.h"

#endif
