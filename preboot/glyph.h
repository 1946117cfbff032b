/* Glyphs: characters of the font (font.h) as pictures of coverage at any size, drawn once (raster.h)
 * and kept. Which ones are kept tells what was shown, so the memory is wiped when they are dropped. */
#ifndef HOLDFAST_GLYPH_H
#define HOLDFAST_GLYPH_H

#include <stdint.h>

#include "common/err.h"
#include "font.h"

#define GLYPH_SIZE_MAX 160 /* pixels of an em */
#define GLYPH_PHASES 4     /* horizontal places inside a pixel: text is spaced to a quarter of a pixel */

struct glyphs;

struct glyph {
	int16_t left, top; /* from the pen's place on the baseline to the picture's first pixel; y goes down */
	uint16_t width, height;
	const uint8_t *coverage; /* width * height, 0 to 255 */
};

/* Errors: ERR_MEMORY. */
MUST_CHECK enum err glyphs_new(struct glyphs **ret);
void glyphs_drop(struct glyphs **g);

/* Valid until the next call. What is too large is an empty picture. */
struct glyph glyphs_get(struct glyphs *g, enum font_face face, unsigned size, unsigned phase,
			uint32_t character);

/* The upper left quarter of a disc: radius * radius pixels. */
struct glyph glyphs_corner(struct glyphs *g, unsigned radius);

#endif
