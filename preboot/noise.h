/* Noise: what erased areas are overwritten with. Random where there is a source; erasing needs bytes
 * that differ from what was there, not secret ones, so it never stops for want of a source. */
#ifndef HOLDFAST_NOISE_H
#define HOLDFAST_NOISE_H

#include <stddef.h>

void noise_fill(void *ret, size_t len);

#endif
