/* From a table of FIELD(kind, name, at, len) lines: the struct, the size, the proof at compile time
 * that the offsets join, the encoder and the decoder. Kinds: u8, u16, u32, u64 (little-endian),
 * bytes (an array). The struct is made where the header of its noun includes the table; the rest by
 * format_codec.h, once a table. */
#ifndef HOLDFAST_FORMAT_H
#define HOLDFAST_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "cursor.h"

#define FORMAT_MEMBER(kind, name, len) FORMAT_MEMBER_##kind(name, len)
#define FORMAT_MEMBER_u8(name, len) uint8_t name;
#define FORMAT_MEMBER_u16(name, len) uint16_t name;
#define FORMAT_MEMBER_u32(name, len) uint32_t name;
#define FORMAT_MEMBER_u64(name, len) uint64_t name;
#define FORMAT_MEMBER_bytes(name, len) uint8_t name[len];

#define FORMAT_READ(kind, c, v, name, len) FORMAT_READ_##kind(c, v, name, len)
#define FORMAT_READ_u8(c, v, name, len) (v)->name = cursor_u8(c);
#define FORMAT_READ_u16(c, v, name, len) (v)->name = cursor_u16(c);
#define FORMAT_READ_u32(c, v, name, len) (v)->name = cursor_u32(c);
#define FORMAT_READ_u64(c, v, name, len) (v)->name = cursor_u64(c);
#define FORMAT_READ_bytes(c, v, name, len) cursor_bytes(c, (v)->name, len);

#define FORMAT_WRITE(kind, w, v, name, len) FORMAT_WRITE_##kind(w, v, name, len)
#define FORMAT_WRITE_u8(w, v, name, len) writer_u8(w, (v)->name);
#define FORMAT_WRITE_u16(w, v, name, len) writer_u16(w, (v)->name);
#define FORMAT_WRITE_u32(w, v, name, len) writer_u32(w, (v)->name);
#define FORMAT_WRITE_u64(w, v, name, len) writer_u64(w, (v)->name);
#define FORMAT_WRITE_bytes(w, v, name, len) writer_bytes(w, (v)->name, len);

/* Inside an enum: PREFIX_AT_name is where the lengths before it put the field, PREFIX_LAST_name its
 * last byte, so that the enum counts on by itself from field to field. */
#define FORMAT_PLACE(prefix, name, len) \
	prefix##_AT_##name, prefix##_LAST_##name = prefix##_AT_##name + (len) - 1,

/* The table says the same place, and the member has the same width. */
#define FORMAT_PROVE(prefix, noun, name, at, len)                       \
	_Static_assert(prefix##_AT_##name == (at) &&                    \
			       sizeof(((struct noun *)0)->name) == (len), \
		       #prefix "." #name " is not where the table says");

#endif
