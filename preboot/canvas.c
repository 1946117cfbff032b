#include "canvas.h"

#include <string.h>

#define UNIT FONT_EM    /* of lettering's x, a pixel */
#define PHASE_SIZE 40   /* larger text stands on whole pixels */

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

struct rect rect_common(const struct rect *a, const struct rect *b)
{
	struct rect r = { .x = most(a->x, b->x), .y = most(a->y, b->y) };

	r.width = least(a->x + a->width, b->x + b->width) - r.x;
	r.height = least(a->y + a->height, b->y + b->height) - r.y;
	if (r.width <= 0 || r.height <= 0)
		r.width = r.height = 0;
	return r;
}

int rect_empty(const struct rect *r)
{
	return r->width <= 0 || r->height <= 0;
}

static uint32_t *pixel(const struct canvas *c, int x, int y)
{
	return c->pixels + (size_t)(y - c->at.y) * (size_t)c->at.width + (x - c->at.x);
}

void canvas_fill(struct canvas *c, const struct rect *r, uint32_t colour)
{
	struct rect in = rect_common(&c->at, r);

	for (int y = in.y; y < in.y + in.height; y++) {
		uint32_t *to = pixel(c, in.x, y);

		for (int i = 0; i < in.width; i++)
			to[i] = colour;
	}
}

uint32_t canvas_blend(uint32_t under, uint32_t over, unsigned opacity)
{
	uint32_t ret = 0;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		uint32_t sum = (over >> shift & 0xff) * opacity + (under >> shift & 0xff) * (255 - opacity);

		ret |= (sum + 127) / 255 << shift;
	}
	return ret;
}

/* Paint through a glyph whose first pixel is at x, y; mirrored where asked. */
static void stencil(struct canvas *c, const struct rect *clip, const struct glyph *g, int x, int y,
		    int flip_x, int flip_y, uint32_t colour)
{
	const struct rect all = { x, y, g->width, g->height };
	struct rect in = rect_common(&c->at, &all);

	in = rect_common(&in, clip);
	for (int row = in.y; row < in.y + in.height; row++) {
		int from = flip_y ? g->height - 1 - (row - y) : row - y;
		const uint8_t *coverage = g->coverage + from * g->width;
		uint32_t *to = pixel(c, in.x, row);

		for (int i = in.x - x; i < in.x - x + in.width; i++, to++) {
			uint8_t opacity = coverage[flip_x ? g->width - 1 - i : i];

			if (opacity == 255)
				*to = colour;
			else if (opacity)
				*to = canvas_blend(*to, colour, opacity);
		}
	}
}

void canvas_round(struct canvas *c, struct glyphs *g, const struct rect *r, int radius, uint32_t colour)
{
	struct glyph corner;
	int right, bottom;

	radius = most(least(radius, least(r->width, r->height) / 2), 0);
	right = r->x + r->width - radius;
	bottom = r->y + r->height - radius;
	canvas_fill(c, &(struct rect){ r->x + radius, r->y, r->width - 2 * radius, radius }, colour);
	canvas_fill(c, &(struct rect){ r->x, r->y + radius, r->width, r->height - 2 * radius }, colour);
	canvas_fill(c, &(struct rect){ r->x + radius, bottom, r->width - 2 * radius, radius }, colour);
	if (!radius)
		return;
	corner = glyphs_corner(g, (unsigned)radius);
	stencil(c, r, &corner, r->x, r->y, 0, 0, colour);
	stencil(c, r, &corner, right, r->y, 1, 0, colour);
	stencil(c, r, &corner, r->x, bottom, 0, 1, colour);
	stencil(c, r, &corner, right, bottom, 1, 1, colour);
}

void canvas_glyph(struct canvas *c, const struct rect *clip, const struct glyph *g, int x, int baseline,
		  uint32_t colour)
{
	stencil(c, clip, g, x + g->left, baseline + g->top, 0, 0, colour);
}

int canvas_text_step(const struct lettering *l)
{
	return l->size >= PHASE_SIZE ? GLYPH_PHASES : 1;
}

/* Pen place in quarters of a pixel: the nearest one where a character may stand. */
static int quarters(const struct lettering *l, int x)
{
	int step = canvas_text_step(l), unit = UNIT / GLYPH_PHASES * step;

	return (x + unit / 2) / unit * step;
}

int canvas_text(struct canvas *c, struct glyphs *g, const struct rect *clip, const struct lettering *l,
		int x, int baseline, int cell, uint32_t colour, const char *text, size_t len)
{
	struct lettering_walk w = lettering_walk(l, text, len);
	int place = 0, start = 0;

	while (lettering_step(&w)) {
		struct glyph glyph;
		int at = w.x;

		if (cell) {
			at = start + (cell * UNIT - (w.next - w.x)) / 2;
			start += cell * UNIT;
		}
		place = quarters(l, at > 0 ? at : 0);
		glyph = glyphs_get(g, l->face, l->size, (unsigned)place % GLYPH_PHASES, w.character);
		canvas_glyph(c, clip, &glyph, x + place / GLYPH_PHASES, baseline, colour);
	}
	return x + (cell ? start / UNIT : (w.next + UNIT - 1) / UNIT);
}

static const uint32_t *source(const uint32_t *pixels, const struct rect *r, int x, int y)
{
	return pixels + (size_t)(y - r->y) * (size_t)r->width + (x - r->x);
}

void canvas_copy(struct canvas *c, const struct rect *r, const uint32_t *pixels)
{
	struct rect in = rect_common(&c->at, r);

	for (int y = in.y; y < in.y + in.height; y++)
		memcpy(pixel(c, in.x, y), source(pixels, r, in.x, y), (size_t)in.width * sizeof(*pixels));
}

void canvas_picture(struct canvas *c, const struct rect *r, const uint32_t *pixels)
{
	struct rect in = rect_common(&c->at, r);

	for (int y = in.y; y < in.y + in.height; y++) {
		const uint32_t *from = source(pixels, r, in.x, y);
		uint32_t *to = pixel(c, in.x, y);

		for (int i = 0; i < in.width; i++)
			to[i] = canvas_blend(to[i], from[i] & 0xffffff, from[i] >> 24);
	}
}
