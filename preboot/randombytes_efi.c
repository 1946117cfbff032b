/* libsodium's random bytes under UEFI: a fresh seed each call. Nothing that needs them goes on
 * without a source. */
#include <efi.h>

#include <sodium.h>
#include <stdlib.h>

#include "entropy.h"

void randombytes_buf(void *const buf, const size_t size)
{
	uint8_t seed[32];
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

	/* whoever needs random bytes has asked entropy_seed before it began, and it does not fail after that */
	if (entropy_seed(seed))
		abort();
	crypto_stream_chacha20(buf, size, nonce, seed);
	sodium_memzero(seed, sizeof(seed));
}

uint32_t randombytes_random(void)
{
	uint32_t v;

	randombytes_buf(&v, sizeof(v));
	return v;
}
