/* PE image: what holdfast.efi says of itself, before it is put where firmware starts it. Headers and section
 * table only (Microsoft PE format; UEFI 2.10, 2.1.1); whether a signature is right is the firmware's to say.
 * The bytes come from outside. */
#ifndef HOLDFAST_PEIMAGE_H
#define HOLDFAST_PEIMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define PEIMAGE_VERSION_BYTES 32
#define PEIMAGE_BYTES_MAX ((size_t)16 << 20)

struct peimage {
	int is_signed;                       /* carries a signature of the kind that Secure Boot looks at */
	unsigned generation;                 /* of Holdfast in its .sbat section */
	char version[PEIMAGE_VERSION_BYTES]; /* from there, too; printable ASCII */
};

/* Errors: ERR_FORMAT (no PE image, or a damaged one), ERR_UNSUPPORTED (another processor, or no application for
 * EFI), ERR_NOT_FOUND (no line of Holdfast's in an .sbat section: another program). */
MUST_CHECK enum err peimage_read(struct peimage *ret, const uint8_t *bytes, size_t len);

#endif
