/* Device: where a volume is, waiting for it to appear. */
#ifndef HOLDFAST_OPEN_DEVICE_H
#define HOLDFAST_OPEN_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "../../common/err.h"

/* Wait for the device with this LUKS2 UUID, with a line on standard error once that takes long.
 * Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err device_wait_uuid(char *ret, size_t size, const uint8_t uuid[static 16],
				     const char *name, unsigned wait_s);

/* The same for crypttab's ways to name a device: UUID=, PARTUUID=, LABEL=, PARTLABEL=, or a path.
 * Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err device_wait_source(char *ret, size_t size, const char *source, const char *name,
				       unsigned wait_s);

#endif
