/* Cheap KDF: a test double of libsodium's Argon2id, for tests of one file that unlock thousands of
 * times. Whoever includes it has this function instead of the library's. A keyed hash; it still
 * depends on everything that the real one depends on, takes its time of the simulated clock, and
 * fails where its memory would not be there. */
#ifndef HOLDFAST_CHEAP_KDF_H
#define HOLDFAST_CHEAP_KDF_H

#include <sodium.h>
#include <string.h>

#include "fake.h"

int crypto_pwhash_argon2id(unsigned char *const out, unsigned long long out_len,
			   const char *const password, unsigned long long password_len,
			   const unsigned char *const salt, unsigned long long passes,
			   size_t memory, int algorithm)
{
	struct {
		uint8_t salt[crypto_pwhash_argon2id_SALTBYTES];
		uint64_t passes, memory;
	} key = { .passes = passes, .memory = memory };

	if (!fake_kdf_fits(memory))
		return -1;
	memcpy(key.salt, salt, sizeof(key.salt));
	fake_work(500);
	(void)algorithm;
	return crypto_generichash(out, (size_t)out_len, (const uint8_t *)password, password_len,
				  (const uint8_t *)&key, sizeof(key));
}

#endif
