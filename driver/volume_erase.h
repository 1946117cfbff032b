/* Crypto-erase with the disk in the caller's hand, so that a test can play one that lies or is worn
 * out. */
#ifndef HOLDFAST_VOLUME_ERASE_H
#define HOLDFAST_VOLUME_ERASE_H

#include <sys/types.h>

#include "volume.h"

/* pread and pwrite everywhere but in tests. */
struct erase_io {
	ssize_t (*read_at)(int fd, void *ret, size_t len, off_t at);
	ssize_t (*write_at)(int fd, const void *bytes, size_t len, off_t at);
};

/* As volume_erase. */
MUST_CHECK enum err volume_erase_with(const char *device, uint64_t bytes,
				      const struct erase_io *io);

#endif
