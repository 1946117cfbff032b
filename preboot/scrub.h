/* Scrub: typed secrets in the firmware's own memory. Drivers of serial ports and keyboards keep what was
 * typed in ring buffers that no protocol empties, and that the kernel leaves readable for a while. So
 * the memory of boot services is searched for it, and what is found is overwritten. */
#ifndef HOLDFAST_SCRUB_H
#define HOLDFAST_SCRUB_H

#include <stddef.h>
#include <stdint.h>

/* Fewer characters than that, with Enter, are left alone. */
#define SCRUB_SHORTEST 5

/* Overwrite what was typed in a range of memory, whatever the case of its letters: as it is, and with its
 * characters apart as arrays of wide characters and key structs have them. The text ends with the Enter
 * ('\r') that was typed: the firmware's own words, file names and tables have none behind them, and a
 * password may be such a word. Of a text with other characters than ASCII its end is looked for.
 * The text must not lie in the range. */
void scrub_range(uint8_t *range, size_t size, const uint8_t *text, size_t len);

#endif
