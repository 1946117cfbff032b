#include "edid.h"

#include <string.h>

#define TIMING_AT 54 /* the first detailed timing descriptor; it is the preferred one */
#define WIDTH_MIN 320
#define WIDTH_MAX 16384

enum err edid_preferred(unsigned *ret_width, unsigned *ret_height, const uint8_t *bytes, size_t len)
{
	static const uint8_t header[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	const uint8_t *timing = bytes + TIMING_AT;
	unsigned width, height;
	uint8_t sum = 0;

	if (len < EDID_BYTES || memcmp(bytes, header, sizeof(header)))
		return ERR_FORMAT;
	for (size_t i = 0; i < EDID_BYTES; i++)
		sum = (uint8_t)(sum + bytes[i]);
	if (sum)
		return ERR_CHECKSUM;
	/* Without a pixel clock it is another kind of descriptor. */
	if (!timing[0] && !timing[1])
		return ERR_NOT_FOUND;
	width = timing[2] | (timing[4] & 0xf0u) << 4;
	height = timing[5] | (timing[7] & 0xf0u) << 4;
	if (width < WIDTH_MIN || width > WIDTH_MAX || height < WIDTH_MIN || height > WIDTH_MAX)
		return ERR_NOT_FOUND;
	*ret_width = width;
	*ret_height = height;
	return OK;
}
