/* From a table of FIELD(kind, name, at, len) lines: the struct, the size, the proof at compile time
 * that the offsets join, the encoder and the decoder. Kinds: u8, u16, u32, u64 (little-endian),
 * bytes (an array). A table is included once for each of them; see store.c for the pattern. */
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

#define FORMAT_LEN_u8 1
#define FORMAT_LEN_u16 2
#define FORMAT_LEN_u32 4
#define FORMAT_LEN_u64 8

#endif
