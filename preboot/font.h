/* Font: DejaVu Sans, regular and bold, as outlines: one table serves every panel and every size.
 * build/font.c takes them from the distribution's font package and tells how the bytes are laid out. */
#ifndef HOLDFAST_FONT_H
#define HOLDFAST_FONT_H

#include <stddef.h>
#include <stdint.h>

#define FONT_EM 1024 /* units of all measures; y goes up from the baseline */

enum font_face { FONT_REGULAR, FONT_BOLD };

struct font_range {
	uint16_t first, count, glyph; /* characters first ... have the glyphs glyph ... */
};

struct font_pair {
	uint8_t left, right; /* ASCII */
	int16_t by;          /* how much closer they stand: kerning */
};

struct font_table {
	const uint8_t *bytes;
	uint32_t len;
	const uint16_t *offsets; /* of the glyphs' bytes */
	uint32_t glyphs;         /* number 0 is a hollow box */
	const struct font_range *ranges;
	uint32_t range_count;
	const struct font_pair *pairs;
	uint32_t pair_count;
	int16_t x_height, cap_height, ascender;
};
extern const struct font_table font_regular, font_bold;

struct font_glyph {
	const struct font_table *table;
	uint16_t number;
};

/* A character's glyph: of the face, else of the regular face, else the box. */
struct font_glyph font_find(enum font_face face, uint32_t character);
int font_advance(const struct font_glyph *g);
int font_kerning(enum font_face face, uint32_t left, uint32_t right);

/* What follows an outline: closed contours, one after the other, in no sense of direction. Filled by
 * the non-zero rule. */
struct font_pen {
	void *context;
	void (*line)(void *context, const int from[static 2], const int to[static 2]);
	void (*curve)(void *context, const int from[static 2], const int control[static 2],
		      const int to[static 2]);
};
/* Bytes that are not an outline end it early. */
void font_trace(const struct font_glyph *g, const struct font_pen *pen);

#endif
