/* Passphrases of officers. */
#ifndef HOLDFAST_CTL_PASSPHRASE_H
#define HOLDFAST_CTL_PASSPHRASE_H

#include "common/secret.h"

#define PASSPHRASE_BYTES_MIN 10
#define PASSPHRASE_BYTES_MAX 1024

/* The first line of file, or, when file is NULL, typed on the terminal without echo.
 * Errors: ERR_NOT_FOUND, ERR_IO (no terminal), ERR_RANGE (empty, too long). */
MUST_CHECK enum err passphrase_read(struct secret *ret, const char *file, const char *prompt);

/* A new one: typed twice; at least PASSPHRASE_BYTES_MIN bytes. Errors: also ERR_AUTH (the two differ). */
MUST_CHECK enum err passphrase_new(struct secret *ret, const char *file, const char *prompt);

#endif
