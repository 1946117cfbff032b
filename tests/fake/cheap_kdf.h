/* Cheap KDF: a test double of argon2id, for tests of one file that unlock thousands of times. Whoever
 * includes it has this function instead of the core's. A keyed hash; it still depends on everything
 * that the real one depends on, takes its time of the simulated clock, and fails where its memory
 * would not be there. */
#ifndef HOLDFAST_CHEAP_KDF_H
#define HOLDFAST_CHEAP_KDF_H

#include <sodium.h>
#include <string.h>

#include "common/argon2.h"
#include "fake.h"

enum err argon2id(uint8_t ret[static ARGON2_KEY_BYTES], const void *password, size_t password_len,
		  const uint8_t salt[static ARGON2_SALT_BYTES], const struct argon2_cost *cost)
{
	struct {
		uint8_t salt[ARGON2_SALT_BYTES];
		uint32_t memory_kib, passes, lanes, zero;
	} key = { .memory_kib = cost->memory_kib, .passes = cost->passes, .lanes = cost->lanes };

	if (!fake_kdf_fits((size_t)cost->memory_kib * 1024))
		return ERR_MEMORY;
	memcpy(key.salt, salt, sizeof(key.salt));
	fake_work(500);
	crypto_generichash(ret, ARGON2_KEY_BYTES, password, password_len, (const uint8_t *)&key, sizeof(key));
	return OK;
}

#endif
