/* Image: a kernel put into memory and entered without the firmware's LoadImage, for where that is shim's
 * (16 and newer), which asks no protocol that could be overruled and knows only signatures. Source: PE/COFF;
 * UEFI, "EFI_LOADED_IMAGE_PROTOCOL". */
#ifndef HOLDFAST_IMAGE_H
#define HOLDFAST_IMAGE_H

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* One at a time. The caller has compared the digest of bytes with the verified manifest's.
 *   ret    set only on OK: has the loaded image protocol, for its options; only image_start starts it
 *   path   of the file, must outlive the image
 * Errors: ERR_FORMAT (no program for x86-64), ERR_UNSUPPORTED (it has to be relocated, which no kernel
 * has), ERR_MEMORY, ERR_IO. */
MUST_CHECK enum err image_load(EFI_HANDLE *ret, EFI_DEVICE_PATH *path, const uint8_t *bytes, size_t len);

/* Is it the image of image_load? */
int image_is_ours(EFI_HANDLE image);

/* Returns only if it gives up, by returning or by Exit, with its status. */
EFI_STATUS image_start(void);

#endif
