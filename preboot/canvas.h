/* Canvas: a part of the panel in memory, painted before it is put there (display.h). All places are
 * the panel's; what lies outside the canvas is not painted. Pixels are 0x00RRGGBB. */
#ifndef HOLDFAST_CANVAS_H
#define HOLDFAST_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include "glyph.h"
#include "lettering.h"

struct rect {
	int x, y, width, height;
};

/* What two have in common; width and height 0 when that is nothing. */
struct rect rect_common(const struct rect *a, const struct rect *b);
int rect_empty(const struct rect *r);

struct canvas {
	uint32_t *pixels; /* the caller's: at.width * at.height */
	struct rect at;
};

void canvas_fill(struct canvas *c, const struct rect *r, uint32_t colour);

/* A rectangle with rounded corners. */
void canvas_round(struct canvas *c, struct glyphs *g, const struct rect *r, int radius, uint32_t colour);

/* Text inside clip, its first character's pen place at x, baseline. cell: width of each character's
 * cell, in whose middle it stands; 0: as the font spaces it. Returns the pen's place after it. */
int canvas_text(struct canvas *c, struct glyphs *g, const struct rect *clip, const struct lettering *l,
		int x, int baseline, int cell, uint32_t colour, const char *text, size_t len);

/* A glyph inside clip, the pen at x on the baseline. */
void canvas_glyph(struct canvas *c, const struct rect *clip, const struct glyph *g, int x, int baseline,
		  uint32_t colour);

/* Characters stand on every so many quarters of a pixel: on whole pixels when they are large. */
int canvas_text_step(const struct lettering *l);

/* Pixels as they are: r.width * r.height of them. */
void canvas_copy(struct canvas *c, const struct rect *r, const uint32_t *pixels);

/* Pixels with an opacity, 0xAARRGGBB, not premultiplied: r.width * r.height of them. */
void canvas_picture(struct canvas *c, const struct rect *r, const uint32_t *pixels);

/* One colour over another; opacity 0 to 255. */
uint32_t canvas_blend(uint32_t under, uint32_t over, unsigned opacity);

#endif
