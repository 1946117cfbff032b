/* Spinner: dots on a circle, one of them bright and those behind it fading, so that a person sees
 * that the machine works; where it is known how much is done, so many dots from the top clockwise stay
 * lit. All is worked out beforehand: a frame is only blended. */
#ifndef HOLDFAST_SPINNER_H
#define HOLDFAST_SPINNER_H

#include "canvas.h"

#define SPINNER_DOTS 10
#define SPINNER_SIDE_MAX 160

struct spinner {
	int side;
	uint32_t colour, under;
	unsigned step;     /* the bright dot */
	unsigned done;     /* per cent */
	uint8_t *coverage; /* side * side */
	uint8_t *dots;     /* whose dot each pixel is */
	uint32_t *pixels;  /* the present frame */
};

/* Errors: ERR_MEMORY. */
MUST_CHECK enum err spinner_new(struct spinner *ret);
void spinner_drop(struct spinner *s);

/* Draw for a size and colours; at most SPINNER_SIDE_MAX. Nothing happens if they are the present ones. */
void spinner_set(struct spinner *s, struct glyphs *g, int side, uint32_t colour, uint32_t under);

/* Work out the next frame's pixels. done: per cent; 100 when it is over or not known. No heap. */
void spinner_turn(struct spinner *s, unsigned done);

#endif
