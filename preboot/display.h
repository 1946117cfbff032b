/* Display: the panel, through EFI_GRAPHICS_OUTPUT_PROTOCOL. Only Blt draws: it knows every pixel
 * format, and works where there is no frame buffer. */
#ifndef HOLDFAST_DISPLAY_H
#define HOLDFAST_DISPLAY_H

#include "canvas.h"
#include "common/err.h"

#define DISPLAY_WIDTH_MIN 640
#define DISPLAY_HEIGHT_MIN 480
#define DISPLAY_SIDE_MAX 16384

struct display {
	int width, height; /* pixels; never more than DISPLAY_SIDE_MAX */
};

/* Find the panel and bring it to its own size: the preferred one of its EDID if there is such a mode,
 * else the present one, else the largest. Nothing is drawn; where the mode changes, firmware blanks.
 * Of several panels the firmware's console is taken, which shows the same on all.
 * Errors: ERR_UNSUPPORTED (no panel, or a smaller one than DISPLAY_WIDTH_MIN x DISPLAY_HEIGHT_MIN). */
MUST_CHECK enum err display_start(struct display *ret);

/* Pixels of a canvas; what lies outside the panel is not shown. No heap. */
void display_show(const struct canvas *c);

void display_fill(const struct rect *r, uint32_t colour);

/* Nothing is shown until the next display_start. */
void display_stop(void);

#endif
