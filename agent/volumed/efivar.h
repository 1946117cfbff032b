/* EFI variables through efivarfs: Holdfast's own that Linux writes, and the firmware's boot entries. What is
 * written is non-volatile, for boot and run time. */
#ifndef HOLDFAST_EFIVAR_H
#define HOLDFAST_EFIVAR_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define EFIVAR_BYTES_MAX 4096
/* Vendor of the firmware's own variables (UEFI 2.10, 3.3). */
#define EFIVAR_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* efivars: the folder of efivarfs; "" means none. file: NAME-VENDOR. len: at most EFIVAR_BYTES_MAX.
 * Errors: ERR_NOT_FOUND (no efivarfs here, or it cannot be written), ERR_RANGE, ERR_IO. */
MUST_CHECK enum err efivar_write(const char *efivars, const char *file, const uint8_t *bytes,
				 size_t len);
/* Content of at most max bytes (max up to EFIVAR_BYTES_MAX) without its attributes. Errors: ERR_NOT_FOUND (no
 * such variable, or no efivarfs here), ERR_FORMAT (longer, or no variable), ERR_IO. */
MUST_CHECK enum err efivar_read(uint8_t *ret, size_t *ret_len, size_t max, const char *efivars,
				const char *file);
/* Is Secure Boot on? Not in set-up mode, where the firmware refuses nothing. */
int efivar_secure_boot(const char *efivars);
/* That there is none is no error. Errors: ERR_IO. */
MUST_CHECK enum err efivar_remove(const char *efivars, const char *file);

#endif
