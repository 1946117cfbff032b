/* Generation: the highest store generation that this laptop has unlocked, in a firmware variable, so
 * that an older store that was copied back is noticed. */
#ifndef HOLDFAST_GENERATION_H
#define HOLDFAST_GENERATION_H

#include <stdint.h>

#include "common/err.h"

/* Errors: ERR_NOT_FOUND (no variable, or not one of ours, as above STORE_GENERATION_MAX: a first start,
 * or cleared firmware). */
MUST_CHECK enum err generation_read(uint64_t *ret);

/* Raise the variable to generation (storefile_generation; 0: nothing to do); never lowers it. Call
 * after store_verify. Errors: as variable_write. */
MUST_CHECK enum err generation_raise(uint64_t generation);

#endif
