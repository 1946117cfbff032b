/* Owner variable: tells pre-boot that this laptop has been set up anew, so that it forgets tries and rules of the
 * installation before. Read by preboot/guard.c.
 *   HoldfastOwner-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21, the store's public key, non-volatile, boot and run time. */
#ifndef HOLDFAST_OWNER_H
#define HOLDFAST_OWNER_H

#include "common/key.h"

/* efivars: the folder of efivarfs; "" means none. Errors: ERR_NOT_FOUND (no efivarfs here), ERR_RANGE, ERR_IO. */
MUST_CHECK enum err owner_write(const char *efivars, const uint8_t store_vk[static KEY_BYTES]);

#endif
