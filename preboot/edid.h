/* EDID: what a monitor says of itself (VESA E-EDID 1.4). Read for one thing only, the size in pixels
 * that it prefers: the panel's own. The bytes come from outside (a plugged-in monitor, too). */
#ifndef HOLDFAST_EDID_H
#define HOLDFAST_EDID_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define EDID_BYTES 128 /* of the base block; what follows it is not read */

/* Errors: ERR_FORMAT (length, header), ERR_CHECKSUM, ERR_NOT_FOUND (no preferred timing, or a size
 * that no panel has). */
MUST_CHECK enum err edid_preferred(unsigned *ret_width, unsigned *ret_height, const uint8_t *bytes,
				   size_t len);

#endif
