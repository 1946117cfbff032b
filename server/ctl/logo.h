/* Logo: the organisation's picture for the pre-boot screen, from a PNG file, in the format that policy
 * carries (common/logo.h). */
#ifndef HOLDFAST_CTL_LOGO_H
#define HOLDFAST_CTL_LOGO_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define LOGO_PNG_BYTES_MAX ((size_t)16 << 20)
#define LOGO_PNG_SIDE_MAX 8192
#define LOGO_PNG_PIXELS_MAX ((size_t)16 << 20)

/* *ret is malloc'ed. A picture larger than LOGO_WIDTH_MAX x LOGO_HEIGHT_MAX is scaled down, in its
 * proportions; one with more than LOGO_COLOURS_MAX colours gets coarser ones. Any kind of PNG:
 * transparency is kept, 16 bits a colour become 8.
 * Errors: ERR_NOT_FOUND, ERR_IO (not a file that can be read), ERR_FORMAT (not a PNG, or damaged),
 * ERR_RANGE (larger than the bounds above), ERR_MEMORY. */
MUST_CHECK enum err logo_from_png(uint8_t **ret, size_t *ret_len, const char *path);

#endif
