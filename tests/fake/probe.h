/* Probes: modules of pre-boot's that fuzzers call in their own process, without the firmware's
 * types. */
#ifndef HOLDFAST_FAKE_PROBE_H
#define HOLDFAST_FAKE_PROBE_H

#include <stdint.h>

/* How many partitions block_find finds with that GUID. After fake_here. */
unsigned fake_probe_partitions(const uint8_t guid[16]);

#endif
