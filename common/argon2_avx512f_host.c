/* Argon2's block function for AVX512F: libsodium's, whose functions are static. */
#include "crypto_pwhash/argon2/argon2-fill-block-avx512f.c"

#include "common/argon2_block.h"

static void fill(void *before, const uint8_t *reference, uint8_t *next)
{
	fill_block((__m512i *)before, reference, next);
}

static void mix(void *before, const uint8_t *reference, uint8_t *next)
{
	fill_block_with_xor((__m512i *)before, reference, next);
}

const struct argon2_blocks argon2_avx512f = { "avx512f", fill, mix };
