/* Cursor: reads or writes little-endian fields in a byte range, with a sticky error that is
 * checked once at the end. A read past the end yields zeros and sets the error. */
#ifndef HOLDFAST_CURSOR_H
#define HOLDFAST_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct cursor {
	const uint8_t *at;
	size_t left;
	enum err e;
};

struct writer {
	uint8_t *at;
	size_t left;
	enum err e;
};

struct cursor cursor_over(const uint8_t *bytes, size_t len);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
void cursor_bytes(struct cursor *c, void *ret, size_t len);
/* Borrow len bytes in place; NULL once the error is set. */
const uint8_t *cursor_take(struct cursor *c, size_t len);
/* ERR_FORMAT after an over-long read or when bytes are left over; else OK. */
MUST_CHECK enum err cursor_end(const struct cursor *c);

struct writer writer_over(uint8_t *bytes, size_t len);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *bytes, size_t len);
/* ERR_SPACE after an over-long write or when the range is not filled; else OK. */
MUST_CHECK enum err writer_end(const struct writer *w);

#endif
