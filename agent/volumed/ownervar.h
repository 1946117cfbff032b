/* Owner variable: tells pre-boot that this laptop has been set up anew, so that it forgets tries and
 * rules of the installation before. Read by preboot/guard.c.
 *   HoldfastOwner-6a1f4c3e-6d0b-4f5e-9d61-0f6b1b6f8a21, the store's public key. */
#ifndef HOLDFAST_OWNERVAR_H
#define HOLDFAST_OWNERVAR_H

#include "common/key.h"

/* Errors: as efivar_write and efivar_remove. */
MUST_CHECK enum err ownervar_write(const char *efivars, const uint8_t store_vk[static KEY_BYTES]);
MUST_CHECK enum err ownervar_remove(const char *efivars);

#endif
