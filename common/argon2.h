/* Argon2id version 1.3 (RFC 9106) with lanes, which libsodium's has not: its block function under a
 * lane driver of our own, over memory in pieces and as many processors as there are (workplace.h).
 * What a password gives depends on the cost and not on how many of them take part. */
#ifndef HOLDFAST_ARGON2_H
#define HOLDFAST_ARGON2_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "workplace.h"

#define ARGON2_KEY_BYTES 32
#define ARGON2_SALT_BYTES 16
#define ARGON2_BLOCK_BYTES 1024u
#define ARGON2_SLICES 4u
#define ARGON2_LANES_MAX 8u

/* memory_kib: at least 8 a lane; what a multiple of 4 * lanes leaves over is not used (RFC 9106 section
 * 3.2). lanes: 1 to ARGON2_LANES_MAX. passes: at least 1. */
struct argon2_cost {
	uint32_t memory_kib, passes, lanes;
};

/* What a record asks for. Errors: ERR_RANGE (cost), ERR_MEMORY. */
MUST_CHECK enum err argon2id(uint8_t ret[static ARGON2_KEY_BYTES], const void *password,
			     size_t password_len, const uint8_t salt[static ARGON2_SALT_BYTES],
			     const struct argon2_cost *cost);

/* One part of what is hashed. */
struct argon2_part {
	const void *bytes;
	size_t len;
};

struct argon2_input {
	struct argon2_part password, salt, secret, data;
};

/* Argon2id in full: any lengths, secret and associated data, len (4 to 1024) bytes of result, in a
 * workplace of at least memory_kib. Errors: ERR_RANGE. */
MUST_CHECK enum err argon2_compute(uint8_t *ret, size_t len, const struct argon2_input *input,
				   const struct argon2_cost *cost, const struct workplace *place);

#endif
