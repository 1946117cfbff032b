#include "noise.h"

#include <sodium.h>

#include "clock.h"
#include "entropy.h"

void noise_fill(void *ret, size_t len)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	uint8_t seed[32] = { 0 };
	uint64_t now = clock_ms();

	if (entropy_seed(seed))
		crypto_generichash(seed, sizeof(seed), (const uint8_t *)&now, sizeof(now), NULL, 0);
	crypto_stream_chacha20(ret, len, nonce, seed);
	sodium_memzero(seed, sizeof(seed));
}
