#include "picture.h"

#include <stdlib.h>

#define UNIT 256 /* of a pixel of the logo */
#define GROWTH_MAX 3

void picture_drop(struct picture *p)
{
	free(p->pixels);
	*p = (struct picture){ 0 };
}

void picture_fit(int *ret_width, int *ret_height, const struct logo *l, int width, int height)
{
	int own_width = l->head.width, own_height = l->head.height;

	if (width > own_width * GROWTH_MAX)
		width = own_width * GROWTH_MAX;
	if (height > own_height * GROWTH_MAX)
		height = own_height * GROWTH_MAX;
	if (own_width * height > own_height * width)
		height = (own_height * width + own_width / 2) / own_width;
	else
		width = (own_width * height + own_height / 2) / own_height;
	*ret_width = width > 0 ? width : 1;
	*ret_height = height > 0 ? height : 1;
}

/* The logo's pixels around a place on one axis: a triangle that is two pixels of the result wide, or
 * two of the logo where that is more. */
struct span {
	int first, last, centre, radius;
};

static struct span span_make(int at, int size, int own_size)
{
	struct span s = { .centre = (2 * at + 1) * own_size * UNIT / (2 * size) - UNIT / 2 };

	s.radius = own_size > size ? own_size * UNIT / size : UNIT;
	s.first = (s.centre - s.radius) / UNIT;
	s.last = (s.centre + s.radius) / UNIT;
	s.first = s.first < 0 ? 0 : s.first;
	s.last = s.last >= own_size ? own_size - 1 : s.last;
	return s;
}

static uint32_t weight(const struct span *s, int at)
{
	int distance = at * UNIT - s->centre;

	distance = distance < 0 ? -distance : distance;
	return distance < s->radius ? (uint32_t)(s->radius - distance) : 0;
}

/* Colours count as much as they are opaque. */
static uint32_t mix(const struct logo *l, const struct span *across, const struct span *down)
{
	uint64_t weights = 0, opacity = 0, sums[3] = { 0 };
	uint32_t ret;

	for (int y = down->first; y <= down->last; y++) {
		const uint8_t *row = l->pixels + (size_t)y * l->head.width;
		uint64_t of_row = weight(down, y);

		for (int x = across->first; x <= across->last; x++) {
			const uint8_t *colour = l->palette + 4 * row[x];
			uint64_t w = of_row * weight(across, x);

			weights += w;
			w *= colour[3];
			opacity += w;
			for (int i = 0; i < 3; i++)
				sums[i] += w * colour[i];
		}
	}
	if (!opacity || !weights)
		return 0;
	ret = (uint32_t)((opacity + weights / 2) / weights) << 24;
	for (int i = 0; i < 3; i++)
		ret |= (uint32_t)((sums[i] + opacity / 2) / opacity) << (16 - 8 * i);
	return ret;
}

enum err picture_scale(struct picture *ret, const struct logo *l, int width, int height)
{
	uint32_t *pixels;

	if (width <= 0 || height <= 0 || width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX)
		return ERR_RANGE;
	pixels = malloc((size_t)width * (size_t)height * sizeof(*pixels));
	if (!pixels)
		return ERR_MEMORY;
	for (int y = 0; y < height; y++) {
		struct span down = span_make(y, height, l->head.height);

		for (int x = 0; x < width; x++) {
			struct span across = span_make(x, width, l->head.width);

			pixels[y * width + x] = mix(l, &across, &down);
		}
	}
	*ret = (struct picture){ width, height, pixels };
	return OK;
}
