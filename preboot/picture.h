/* Picture: the organisation's logo (common/logo.h) at the size in which the panel shows it. */
#ifndef HOLDFAST_PICTURE_H
#define HOLDFAST_PICTURE_H

#include "common/logo.h"

struct picture {
	int width, height;
	uint32_t *pixels; /* malloc'ed, 0xAARRGGBB, not premultiplied; NULL: no picture */
};
void picture_drop(struct picture *p);

/* The size of a logo that fits into a box, in its own proportions; at most three times its own. */
void picture_fit(int *ret_width, int *ret_height, const struct logo *l, int width, int height);

/* Scaled to width x height, smoothly. Errors: ERR_RANGE (no size, or larger than PICTURE_SIDE_MAX),
 * ERR_MEMORY. */
#define PICTURE_SIDE_MAX 2048
MUST_CHECK enum err picture_scale(struct picture *ret, const struct logo *l, int width, int height);

#endif
