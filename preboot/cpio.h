/* Cpio: the small newc archive that stands before the initrd and carries the hand-off. */
#ifndef HOLDFAST_CPIO_H
#define HOLDFAST_CPIO_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Room that cpio_handoff needs around len bytes. */
#define CPIO_EXTRA 512

/* Folder /holdfast (0700), file /holdfast/handoff (0400) with the bytes, trailer; the length is a
 * multiple of 4, as the kernel asks for what stands before a compressed archive.
 * Errors: ERR_SPACE (size is below len + CPIO_EXTRA). */
MUST_CHECK enum err cpio_handoff(uint8_t *ret, size_t *ret_len, size_t size, const uint8_t *bytes,
				 size_t len);

#endif
