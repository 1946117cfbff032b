/* Generation variable: the highest generation of the store that was ever written, kept in the firmware
 * beside the disk, so that an older store that is copied back is noticed. Read by pre-boot.
 *   HoldfastGeneration-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21, u64 little-endian,
 *   non-volatile, boot and run time. */
#ifndef HOLDFAST_GENVAR_H
#define HOLDFAST_GENVAR_H

#include <stdint.h>

#include "common/err.h"

/* efivars: the folder of efivarfs; "" means none. Errors: ERR_NOT_FOUND, ERR_FORMAT, ERR_RANGE
 * (above STORE_GENERATION_MAX: nothing that a store has set), ERR_IO. */
MUST_CHECK enum err genvar_read(uint64_t *ret, const char *efivars);
/* Errors: ERR_NOT_FOUND (no efivarfs here), ERR_IO. */
MUST_CHECK enum err genvar_write(const char *efivars, uint64_t generation);
/* That there is none is no error. */
MUST_CHECK enum err genvar_remove(const char *efivars);

#endif
