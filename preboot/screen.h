/* Screen: draws a view on the panel (EFI_GRAPHICS_OUTPUT_PROTOCOL), at the panel's own resolution, in
 * a size that is readable from 800x600 to 4K. */
#ifndef HOLDFAST_SCREEN_H
#define HOLDFAST_SCREEN_H

#include "common/err.h"
#include "view.h"

/* Choose the panel's own mode (EDID). What the firmware shows stays until the first screen_draw, which
 * paints the whole panel. Errors: ERR_UNSUPPORTED (no graphics: the text console is all there is),
 * ERR_MEMORY. */
MUST_CHECK enum err screen_start(void);

/* Show a view: draws what differs from the one before. */
void screen_draw(const struct view *v);

/* The spinner's next frame, while view.busy is shown. May be called from a timer's notification: no
 * heap, no other firmware service than Blt, bounded time. */
void screen_spin(void);

/* Black, and nothing of what was drawn is left in memory. Nothing is drawn after it until screen_start. */
void screen_stop(void);

#endif
