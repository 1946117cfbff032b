/* Vouch: a kernel that the verified manifest vouches for is loaded although firmware, which knows only the
 * organisation's key, refuses it. For one LoadImage firmware's own check is asked first, and its refusal
 * is overruled for exactly these bytes; afterwards it is as it was. Source: UEFI Platform Initialization,
 * volume 2, "Security Architectural Protocols". */
#ifndef HOLDFAST_VOUCH_H
#define HOLDFAST_VOUCH_H

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* LoadImage. The caller has compared the digest of bytes with the verified manifest's.
 *   ret           set only on OK: the image, not started
 *   ret_overruled set only on OK: did firmware refuse it?
 *   path          what firmware logs it under; NULL: nothing
 * Errors: ERR_DENIED (refused, and there is nothing to overrule), ERR_UNSUPPORTED, ERR_MEMORY, ERR_IO. */
MUST_CHECK enum err vouch_load(EFI_HANDLE *ret, int *ret_overruled, EFI_DEVICE_PATH *path,
			       const uint8_t *bytes, size_t len);

#endif
