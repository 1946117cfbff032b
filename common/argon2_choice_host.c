#include <sodium.h>

#include "argon2_block.h"

const struct argon2_blocks *argon2_blocks_choose(void)
{
	if (sodium_init() < 0)
		return &argon2_ref;
	if (sodium_runtime_has_avx512f())
		return &argon2_avx512f;
	if (sodium_runtime_has_avx2())
		return &argon2_avx2;
	return sodium_runtime_has_ssse3() ? &argon2_ssse3 : &argon2_ref;
}
