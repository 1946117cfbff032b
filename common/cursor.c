/* Byte-wise, so that nothing depends on the machine's word size or byte order. */
#include "cursor.h"

#include <string.h>

struct cursor cursor_over(const uint8_t *bytes, size_t len)
{
	return (struct cursor){ bytes, len, OK };
}

const uint8_t *cursor_take(struct cursor *c, size_t len)
{
	const uint8_t *at = c->at;

	if (c->e || len > c->left) {
		c->e = ERR_FORMAT;
		return NULL;
	}
	c->at += len;
	c->left -= len;
	return at;
}

static uint64_t cursor_number(struct cursor *c, size_t width)
{
	const uint8_t *at = cursor_take(c, width);
	uint64_t v = 0;

	for (size_t i = width; at && i > 0; i--)
		v = v << 8 | at[i - 1];
	return v;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)cursor_number(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)cursor_number(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)cursor_number(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return cursor_number(c, 8);
}

void cursor_bytes(struct cursor *c, void *ret, size_t len)
{
	const uint8_t *at = cursor_take(c, len);

	if (at)
		memcpy(ret, at, len);
	else
		memset(ret, 0, len);
}

enum err cursor_end(const struct cursor *c)
{
	return c->e || c->left ? ERR_FORMAT : OK;
}

struct writer writer_over(uint8_t *bytes, size_t len)
{
	return (struct writer){ bytes, len, OK };
}

void writer_bytes(struct writer *w, const void *bytes, size_t len)
{
	if (w->e || len > w->left) {
		w->e = ERR_SPACE;
		return;
	}
	if (len > 0)
		memcpy(w->at, bytes, len);
	w->at += len;
	w->left -= len;
}

static void writer_number(struct writer *w, uint64_t v, size_t width)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < width; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	writer_bytes(w, bytes, width);
}

void writer_u8(struct writer *w, uint8_t v)
{
	writer_number(w, v, 1);
}

void writer_u16(struct writer *w, uint16_t v)
{
	writer_number(w, v, 2);
}

void writer_u32(struct writer *w, uint32_t v)
{
	writer_number(w, v, 4);
}

void writer_u64(struct writer *w, uint64_t v)
{
	writer_number(w, v, 8);
}

enum err writer_end(const struct writer *w)
{
	return w->e || w->left ? ERR_SPACE : OK;
}
