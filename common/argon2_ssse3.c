/* Argon2's block function for SSSE3: libsodium's, whose functions are static. */
#include "crypto_pwhash/argon2/argon2-fill-block-ssse3.c"

#include "common/argon2_block.h"

static void fill(void *before, const uint8_t *reference, uint8_t *next)
{
	fill_block((__m128i *)before, reference, next);
}

static void mix(void *before, const uint8_t *reference, uint8_t *next)
{
	fill_block_with_xor((__m128i *)before, reference, next);
}

const struct argon2_blocks argon2_ssse3 = { "ssse3", fill, mix };
