/* Files on the EFI system partition that holdfast.efi was loaded from. Paths are ASCII with '\\',
 * from the root of the partition. */
#ifndef HOLDFAST_FILES_H
#define HOLDFAST_FILES_H

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define FILES_HOME "\\EFI\\holdfast\\"
#define FILES_PATH_MAX 160

/* Errors: ERR_NOT_FOUND (not started from a file system). */
MUST_CHECK enum err files_start(void);

/* The partition's handle, for device paths. */
EFI_HANDLE files_device(void);

/* Open for reading. Close with file->Close(file). Errors: ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err files_open(EFI_FILE_HANDLE *ret, uint64_t *ret_size, const char *path);

/* Read a whole file of at most max bytes; *ret is malloc'ed. Errors: ERR_NOT_FOUND, ERR_RANGE (larger
 * than max, or empty), ERR_MEMORY, ERR_IO. */
MUST_CHECK enum err files_read(uint8_t **ret, size_t *ret_len, const char *path, size_t max);

/* Write from the start, in place; what the file has beyond len becomes zeros, so a file that is
 * long enough keeps its size and its place on the disk. Flushes, reads back and compares.
 * Errors: ERR_IO, ERR_SPACE, ERR_DENIED, ERR_MEMORY, ERR_CHANGED (read back differs). */
MUST_CHECK enum err files_write(const char *path, const uint8_t *bytes, size_t len);

/* Destroy a file that is larger than max: files_write would keep its size, and who reads no more than max
 * would refuse it ever after. Smaller, or not there: nothing. Errors: as files_open and files_destroy. */
MUST_CHECK enum err files_destroy_larger(const char *path, uint64_t max);

/* Overwrite with random bytes, flush, delete. A file that is not there is no error. */
MUST_CHECK enum err files_destroy(const char *path);
MUST_CHECK enum err files_delete(const char *path);

/* Delete every file in the folders right below path. Errors: ERR_IO when one is left. */
MUST_CHECK enum err files_delete_below(const char *path);

#endif
