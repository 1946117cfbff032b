#include "spinner.h"

#include <stdlib.h>
#include <string.h>

#define LIT 190 /* less than the bright dot, which is seen to go around */
#define AREA ((size_t)SPINNER_SIDE_MAX * SPINNER_SIDE_MAX)

enum err spinner_new(struct spinner *ret)
{
	uint32_t *pixels = calloc(AREA, sizeof(*pixels) + 2);

	if (!pixels)
		return ERR_MEMORY;
	*ret = (struct spinner){ .pixels = pixels, .done = 100 };
	ret->coverage = (uint8_t *)(pixels + AREA);
	ret->dots = ret->coverage + AREA;
	return OK;
}

void spinner_drop(struct spinner *s)
{
	free(s->pixels);
	*s = (struct spinner){ 0 };
}

/* A disc of four corners, around a place. */
static void put_dot(struct spinner *s, struct glyphs *g, int x, int y, unsigned radius, unsigned dot)
{
	struct glyph corner = glyphs_corner(g, radius);
	int r = corner.width;

	for (int row = 0; row < 2 * r; row++) {
		for (int column = 0; column < 2 * r; column++) {
			int from_y = row < r ? row : 2 * r - 1 - row, from_x = column < r ? column : 2 * r - 1 - column;
			size_t at = (size_t)(y - r + row) * (size_t)s->side + (size_t)(x - r + column);

			if (!corner.coverage[from_y * r + from_x])
				continue;
			s->coverage[at] = corner.coverage[from_y * r + from_x];
			s->dots[at] = (uint8_t)dot;
		}
	}
}

/* How strong a dot's colour is for the part of it that is done. */
static unsigned lit(unsigned dot, unsigned done)
{
	unsigned from = dot * 100 / SPINNER_DOTS, part = 100 / SPINNER_DOTS;

	if (done >= 100 || done <= from)
		return 0;
	return done - from < part ? LIT * (done - from) / part : LIT;
}

static void frame(struct spinner *s)
{
	uint32_t colours[SPINNER_DOTS];

	for (unsigned i = 0; i < SPINNER_DOTS; i++) {
		unsigned behind = (s->step + SPINNER_DOTS - i) % SPINNER_DOTS, least = lit(i, s->done);
		unsigned strength = 255 - behind * 200 / (SPINNER_DOTS - 1);

		colours[i] = canvas_blend(s->under, s->colour, strength > least ? strength : least);
	}
	for (size_t i = 0; i < (size_t)s->side * (size_t)s->side; i++)
		s->pixels[i] = canvas_blend(s->under, colours[s->dots[i]], s->coverage[i]);
}

void spinner_set(struct spinner *s, struct glyphs *g, int side, uint32_t colour, uint32_t under)
{
	/* cosine and sine of the dots' angles, of 1000, from the top clockwise */
	static const int16_t places[SPINNER_DOTS][2] = {
		{ 0, -1000 }, { 588, -809 }, { 951, -309 }, { 951, 309 },   { 588, 809 },
		{ 0, 1000 },  { -588, 809 }, { -951, 309 }, { -951, -309 }, { -588, -809 },
	};
	int radius, ring;

	if (side > SPINNER_SIDE_MAX)
		side = SPINNER_SIDE_MAX;
	if (side == s->side && colour == s->colour && under == s->under)
		return;
	s->side = side;
	s->colour = colour;
	s->under = under;
	memset(s->coverage, 0, AREA);
	memset(s->dots, 0, AREA);
	radius = (side + 5) / 10;
	ring = side / 2 - radius - 1;
	for (unsigned i = 0; i < SPINNER_DOTS && ring > 0; i++)
		put_dot(s, g, side / 2 + ring * places[i][0] / 1000, side / 2 + ring * places[i][1] / 1000,
			(unsigned)radius, i);
	frame(s);
}

void spinner_turn(struct spinner *s, unsigned done)
{
	s->step = (s->step + 1) % SPINNER_DOTS;
	s->done = done;
	frame(s);
}
