/* Durable files: written whole or not at all, whatever the power does. Links are never followed. */
#ifndef HOLDFAST_DURABLE_H
#define HOLDFAST_DURABLE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

/* Whole file, malloc'ed, with a NUL behind it that len does not count. Errors: ERR_NOT_FOUND,
 * ERR_SPACE (longer than max), ERR_IO, ERR_MEMORY. */
MUST_CHECK enum err durable_read(uint8_t **ret, size_t *ret_len, const char *folder,
				 const char *name, size_t max);

/* Temporary file, fsync, rename, fsync of the folder. Errors: ERR_IO, ERR_SPACE (disk full). */
MUST_CHECK enum err durable_write(const char *folder, const char *name, const void *bytes,
				  size_t len, mode_t mode);

/* Unlink and fsync of the folder; that there is none is no error. Errors: ERR_IO. */
MUST_CHECK enum err durable_remove(const char *folder, const char *name);

/* Overwrite with random bytes, flush, and unlink: for files that held secrets. */
MUST_CHECK enum err durable_shred(const char *folder, const char *name);

/* "folder/name" into ret. Errors: ERR_RANGE (too long). */
#define DURABLE_PATH_MAX 512
MUST_CHECK enum err durable_path(char ret[static DURABLE_PATH_MAX], const char *folder,
				 const char *name);

#endif
