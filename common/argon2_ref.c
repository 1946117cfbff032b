/* Argon2's block function in plain C: libsodium's, whose functions are static. */
#include "crypto_pwhash/argon2/argon2-fill-block-ref.c"

#include "common/argon2_block.h"

static void fill(void *before, const uint8_t *reference, uint8_t *next)
{
	fill_block(before, (const block *)reference, (block *)next);
	memcpy(before, next, ARGON2_BLOCK_SIZE);
}

static void mix(void *before, const uint8_t *reference, uint8_t *next)
{
	fill_block_with_xor(before, (const block *)reference, (block *)next);
	memcpy(before, next, ARGON2_BLOCK_SIZE);
}

const struct argon2_blocks argon2_ref = { "ref", fill, mix };
