/* Entropy: random bytes from the processor (RDSEED, RDRAND) and the firmware (EFI_RNG_PROTOCOL), as
 * many of them as there are, mixed with the time stamp counter. */
#ifndef HOLDFAST_ENTROPY_H
#define HOLDFAST_ENTROPY_H

#include <stdint.h>

#include "common/err.h"

/* A fresh 32-byte seed. Errors: ERR_UNSUPPORTED: no source that is worth the name has answered so far. Once
 * one has, this does not fail any more. */
MUST_CHECK enum err entropy_seed(uint8_t ret[static 32]);

#endif
