/* Secret buffers: guarded memory on Linux (secret_host.c), wiped pool memory under UEFI
 * (preboot/secret_efi.c). Owned by one variable; dropped, and with it wiped, at scope end:
 *
 *     SECRET struct secret key = { 0 };
 *     e = secret_new(&key, UNLOCK_KEY_BYTES);
 */
#ifndef HOLDFAST_SECRET_H
#define HOLDFAST_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct secret {
	uint8_t *bytes;
	size_t len;
};

#define SECRET __attribute__((cleanup(secret_drop)))

/* Allocate len bytes (1 to SECRET_MAX), zeroed. ret must be zeroed or dropped.
 * Errors: ERR_RANGE, ERR_MEMORY. */
#define SECRET_MAX ((size_t)1 << 20)
MUST_CHECK enum err secret_new(struct secret *ret, size_t len);

/* Allocate and fill from bytes. Errors as secret_new. */
MUST_CHECK enum err secret_copy(struct secret *ret, const void *bytes, size_t len);

/* Wipe and free; accepts zeroed and already dropped objects. */
void secret_drop(struct secret *s);

/* Wipe len bytes in a way that the compiler keeps. */
void secret_wipe(void *bytes, size_t len);

#endif
