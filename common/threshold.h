/* Threshold: Shamir's secret sharing (Communications of the ACM 22, 1979) of a 32-byte secret over GF(2^8)
 * with AES's polynomial x^8 + x^4 + x^3 + x + 1: one random polynomial of degree need - 1 a byte, share i is
 * its value at i + 1. `need` shares give the secret; fewer say nothing about it, and one alone is uniformly
 * random. No table is looked up and no branch taken by a secret byte. */
#ifndef HOLDFAST_THRESHOLD_H
#define HOLDFAST_THRESHOLD_H

#include <stdint.h>

#include "err.h"

#define THRESHOLD_BYTES 32
#define THRESHOLD_SHARES_MAX 8
#define THRESHOLD_NEED_MIN 2

/* Into ret[count]. Errors: ERR_RANGE (need: THRESHOLD_NEED_MIN to count; count: at most
 * THRESHOLD_SHARES_MAX). */
MUST_CHECK enum err threshold_split(uint8_t (*ret)[THRESHOLD_BYTES], unsigned count, unsigned need,
				    const uint8_t secret[static THRESHOLD_BYTES]);

/* From `need` shares; shares[j] is number numbers[j], counted from 0. With fewer shares than it was split
 * for, or a wrong one, something else comes out. Errors: ERR_RANGE (need, a number, a number twice). */
MUST_CHECK enum err threshold_join(uint8_t ret[static THRESHOLD_BYTES], const unsigned *numbers,
				   const uint8_t (*shares)[THRESHOLD_BYTES], unsigned need);

#endif
