/* libsodium's random bytes under UEFI: a fresh seed each call. Nothing that needs them goes on
 * without a source. */
#include <efi.h>

#include <sodium.h>
#include <stdlib.h>

#include "console.h"
#include "entropy.h"

void randombytes_buf(void *const buf, const size_t size)
{
	uint8_t seed[32];
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

	if (entropy_seed(seed)) {
		console_say("\nThis computer has no source of randomness: neither its processor nor its "
			    "firmware gives any.\n");
		abort();
	}
	crypto_stream_chacha20(buf, size, nonce, seed);
	sodium_memzero(seed, sizeof(seed));
}

uint32_t randombytes_random(void)
{
	uint32_t v;

	randombytes_buf(&v, sizeof(v));
	return v;
}
