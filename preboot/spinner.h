/* Spinner: dots on a circle, one of them bright and those behind it fading, so that a person sees
 * that the machine works. All is worked out beforehand: a frame is only blended. */
#ifndef HOLDFAST_SPINNER_H
#define HOLDFAST_SPINNER_H

#include "canvas.h"

#define SPINNER_DOTS 10
#define SPINNER_SIDE_MAX 160

struct spinner {
	int side;
	uint32_t colour, under;
	unsigned step;     /* the bright dot */
	uint8_t *coverage; /* side * side */
	uint8_t *dots;     /* whose dot each pixel is */
	uint32_t *pixels;  /* the present frame */
};

/* Errors: ERR_MEMORY. */
MUST_CHECK enum err spinner_new(struct spinner *ret);
void spinner_drop(struct spinner *s);

/* Draw for a size and colours; at most SPINNER_SIDE_MAX. Nothing happens if they are the present ones. */
void spinner_set(struct spinner *s, struct glyphs *g, int side, uint32_t colour, uint32_t under);

/* Work out the present frame's pixels; the next step's with spinner_turn. No heap. */
void spinner_turn(struct spinner *s);

#endif
