/* Logo: encoder, decoder, bounds. */
#include "logo.h"

#include <string.h>

#define MAGIC "HFLOGO01"
#define COLOUR_BYTES 4

#define FORMAT_TABLE "logo_v1.inc"
#define FORMAT_NOUN logo_head
#define FORMAT_PREFIX TABLE
#include "format_codec.h"

_Static_assert(TABLE_BYTES == LOGO_HEAD_BYTES, "logo.h says another size than the table");

static enum err head_bounds(const struct logo_head *h)
{
	if (h->width < 1 || h->width > LOGO_WIDTH_MAX || h->height < 1 ||
	    h->height > LOGO_HEIGHT_MAX || h->colours < 1 || h->colours > LOGO_COLOURS_MAX)
		return ERR_RANGE;
	return h->reserved ? ERR_FORMAT : OK;
}

static size_t palette_bytes(const struct logo_head *h)
{
	return (size_t)h->colours * COLOUR_BYTES;
}

static size_t pixel_bytes(const struct logo_head *h)
{
	return (size_t)h->width * h->height;
}

static int pixels_valid(const struct logo *l)
{
	for (size_t i = 0; i < pixel_bytes(&l->head); i++)
		if (l->pixels[i] >= l->head.colours)
			return 0;
	return 1;
}

enum err logo_decode(struct logo *ret, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	struct logo l;
	enum err e;

	logo_head_read(&c, &l.head);
	if (c.e || memcmp(l.head.magic, MAGIC, sizeof(l.head.magic)))
		return ERR_FORMAT;
	e = head_bounds(&l.head);
	if (e)
		return e;
	l.palette = cursor_take(&c, palette_bytes(&l.head));
	l.pixels = cursor_take(&c, pixel_bytes(&l.head));
	e = cursor_end(&c);
	if (!e && !pixels_valid(&l))
		e = ERR_RANGE;
	if (!e)
		*ret = l;
	return e;
}

enum err logo_encode(uint8_t *ret, size_t *ret_len, const struct logo *l)
{
	struct writer w = writer_over(ret, LOGO_BYTES_MAX);
	struct logo_head head = l->head;

	if (head_bounds(&head) || !pixels_valid(l))
		return ERR_RANGE;
	memcpy(head.magic, MAGIC, sizeof(head.magic));
	logo_head_write(&w, &head);
	writer_bytes(&w, l->palette, palette_bytes(&head));
	writer_bytes(&w, l->pixels, pixel_bytes(&head));
	*ret_len = LOGO_BYTES_MAX - w.left;
	return OK;
}
