/* Crypto-erase with the reading in the caller's hand, so that a test can play a disk that lies. */
#ifndef HOLDFAST_VOLUME_ERASE_H
#define HOLDFAST_VOLUME_ERASE_H

#include <sys/types.h>

#include "volume.h"

typedef ssize_t erase_read(int fd, void *ret, size_t len, off_t at);

/* As volume_erase; reads back with `read_at`, which is pread everywhere but in tests. */
MUST_CHECK enum err volume_erase_with(const char *device, uint64_t bytes, erase_read *read_at);

#endif
