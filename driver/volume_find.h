/* Finding a volume with the folders in the caller's hand, so that a test can play a laptop with two
 * disks. */
#ifndef HOLDFAST_VOLUME_FIND_H
#define HOLDFAST_VOLUME_FIND_H

#include "volume.h"

struct find_roots {
	const char *dev, *sys_block; /* "/dev", "/sys/class/block" everywhere but in tests */
};

/* As volume_find. */
MUST_CHECK enum err volume_find_under(char *ret_device, size_t size, const uint8_t uuid[static 16],
				      const struct find_roots *roots);

#endif
