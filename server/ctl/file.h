/* Small files of the officer's folder: read whole, written whole, 0600, never half. */
#ifndef HOLDFAST_CTL_FILE_H
#define HOLDFAST_CTL_FILE_H

#include "common/secret.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)

/* DIR/NAME, or NAME alone when dir is NULL; also a pipe, of up to 64 KiB. Content in guarded memory, with a NUL after it.
 * Errors: ERR_NOT_FOUND, ERR_IO, ERR_RANGE (empty or over FILE_BYTES_MAX), ERR_MEMORY. */
MUST_CHECK enum err file_read(struct secret *ret, const char *dir, const char *name);

/* Written to a new temporary file, synced, renamed, and its folder synced: once this returns OK, no power cut
 * takes the file away. The folder is made (0700) when it is missing.
 * Errors: ERR_EXISTS (without replace), ERR_IO. */
MUST_CHECK enum err file_write(const char *dir, const char *name, const void *bytes, size_t len,
			       int replace);

int file_exists(const char *dir, const char *name);
void file_remove(const char *dir, const char *name);

#endif
