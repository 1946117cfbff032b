/* Probes: modules of pre-boot's that fuzzers call in their own process, without the firmware's
 * types. */
#ifndef HOLDFAST_FAKE_PROBE_H
#define HOLDFAST_FAKE_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* How many partitions block_find finds with that GUID. After fake_here. */
unsigned fake_probe_partitions(const uint8_t guid[16]);

/* image_load. OK: *ret is where the image is, until fake_probe_image_drop. After fake_here. */
enum err fake_probe_image(const uint8_t **ret, size_t *ret_len, const uint8_t *bytes, size_t len);
void fake_probe_image_drop(const uint8_t *image, size_t len);

#endif
