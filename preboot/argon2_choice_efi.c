#include <sodium.h>

#include "common/argon2_block.h"

/* SSSE3 at most: firmware leaves AVX off. */
const struct argon2_blocks *argon2_blocks_choose(void)
{
	return sodium_runtime_has_ssse3() ? &argon2_ssse3 : &argon2_ref;
}
