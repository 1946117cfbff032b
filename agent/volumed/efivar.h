/* EFI variables of Holdfast's that Linux writes: non-volatile, boot and run time, through efivarfs. */
#ifndef HOLDFAST_EFIVAR_H
#define HOLDFAST_EFIVAR_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define EFIVAR_BYTES_MAX 64

/* efivars: the folder of efivarfs; "" means none. file: NAME-VENDOR. len: at most EFIVAR_BYTES_MAX.
 * Errors: ERR_NOT_FOUND (no efivarfs here, or it cannot be written), ERR_RANGE, ERR_IO. */
MUST_CHECK enum err efivar_write(const char *efivars, const char *file, const uint8_t *bytes,
				 size_t len);
/* That there is none is no error. Errors: ERR_IO. */
MUST_CHECK enum err efivar_remove(const char *efivars, const char *file);

#endif
