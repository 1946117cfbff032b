/* P-256: the little of elliptic curves that sessions with a TPM need. A wrapper of mbedTLS.
 * Coordinates and scalars are 32 bytes, big-endian. Source: FIPS 186-4, D.1.2.3; SEC 1, 3.3.1. */
#ifndef HOLDFAST_P256_H
#define HOLDFAST_P256_H

#include <stdint.h>

#include "err.h"

#define P256_BYTES 32

struct p256_point { uint8_t x[P256_BYTES], y[P256_BYTES]; };
struct p256_scalar { uint8_t bytes[P256_BYTES]; };

void p256_scalar_wipe(struct p256_scalar *s);
#define P256_SCALAR __attribute__((cleanup(p256_scalar_wipe))) struct p256_scalar

/* Is it on the curve? (The point at infinity has no such form; the curve's cofactor is 1.)
 * Errors: ERR_FORMAT, ERR_MEMORY. */
MUST_CHECK enum err p256_check(const struct p256_point *p);

/* A fresh pair. Errors: ERR_MEMORY, ERR_INTERNAL. */
MUST_CHECK enum err p256_generate(struct p256_scalar *ret, struct p256_point *ret_public);

/* The point of a scalar. Errors: ERR_RANGE (0, or not below the order), ERR_MEMORY. */
MUST_CHECK enum err p256_public(struct p256_point *ret, const struct p256_scalar *s);

/* ECDH: the x coordinate of s * p. Errors: ERR_FORMAT (p is not on the curve), ERR_RANGE, ERR_MEMORY. */
MUST_CHECK enum err p256_shared(uint8_t ret[static P256_BYTES], const struct p256_scalar *s,
				const struct p256_point *p);

#endif
