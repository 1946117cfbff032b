/* Argon2's block function G, as libsodium has it for each kind of processor. Internal to argon2*.c. */
#ifndef HOLDFAST_ARGON2_BLOCK_H
#define HOLDFAST_ARGON2_BLOCK_H

#include <stdint.h>

#include "argon2.h"

#define ARGON2_BLOCK_ALIGN 64

/* before: the block before next in its lane; it becomes next. Aligned to ARGON2_BLOCK_ALIGN; the others
 * to 8. */
typedef void argon2_block_fn(void *before, const uint8_t *reference, uint8_t *next);

struct argon2_blocks {
	const char *name;
	argon2_block_fn *fill; /* next = G(before, reference) */
	argon2_block_fn *mix;  /* next ^= G(before, reference) */
};

extern const struct argon2_blocks argon2_ref, argon2_ssse3, argon2_avx2, argon2_avx512f;

/* The widest that this processor has, and the platform allows (argon2_choice_host.c,
 * preboot/argon2_choice_efi.c). */
const struct argon2_blocks *argon2_blocks_choose(void);

#endif
