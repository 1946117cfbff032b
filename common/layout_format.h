/* Layout format: the parts of the keyboard layouts' table, and its encoder. Written by build/layouts.c,
 * read by layout.c. Tables: layouts_*v1.inc. */
#ifndef HOLDFAST_LAYOUT_FORMAT_H
#define HOLDFAST_LAYOUT_FORMAT_H

#include "err.h"
#include "format.h"
#include "layout.h"

#define LAYOUTS_MAX 255
#define LAYOUT_ROWS_MAX 8192
#define LAYOUT_CAPS_MAX 1024
#define LAYOUT_SEQUENCES_MAX 8192
#define LAYOUT_DEAD_MAX 255

#define LAYOUT_KEYS 49
#define LAYOUT_COLUMNS 4 /* plain, Shift, AltGr, AltGr and Shift */

/* Flags of a layout. */
#define LAYOUT_LATIN 0x0001

/* Values from here are dead keys. No character lies here: UTF-16's surrogates do. */
#define LAYOUT_DEAD 0xd800

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct layouts_head {
#include "layouts_v1.inc"
};
struct layouts_entry {
#include "layouts_entry_v1.inc"
};
struct layouts_row {
#include "layouts_row_v1.inc"
};
struct layouts_caps {
#include "layouts_caps_v1.inc"
};
struct layouts_sequence {
#include "layouts_sequence_v1.inc"
};
#undef FIELD

/* A printable UCS-2 character that does not change the direction of writing. */
int layout_is_character(unsigned value);

/* The built-in table's bytes: build/out/gen/layouts.c. */
extern const uint8_t layouts_bytes[];
extern const size_t layouts_bytes_len;

/* Parts of a decoded table, by an index that must be below their number. */
void layouts_entry_at(struct layouts_entry *ret, const struct layouts *l, unsigned index);
void layouts_row_at(struct layouts_row *ret, const struct layouts *l, unsigned index);
void layouts_caps_at(struct layouts_caps *ret, const struct layouts *l, unsigned index);
void layouts_sequence_at(struct layouts_sequence *ret, const struct layouts *l, unsigned index);

/* The keys of a layout, where they lie. */
const uint8_t *layouts_entry_keys(const struct layouts *l, unsigned index);

/* The row of a key, 0 to LAYOUT_KEYS - 1. */
unsigned layout_key_row(const struct layout *l, unsigned key);

/* What a row types in a column, with Caps Lock or without: a value, as layouts_v1.inc says. */
uint16_t layouts_value(const struct layouts *l, unsigned row, unsigned column, int caps);

/* Of a dead key and an input: the output; 0 when they do not combine. */
uint16_t layouts_combine(const struct layouts *l, uint16_t dead, uint16_t input);

/* A table before it is encoded. */
struct layouts_parts {
	struct layouts_head head; /* only the numbers are read */
	struct layouts_entry *entries;
	struct layouts_row *rows;
	struct layouts_caps *caps;
	struct layouts_sequence *sequences;
};

/* Into size bytes at ret. Errors: ERR_SPACE. */
MUST_CHECK enum err layouts_encode(uint8_t *ret, size_t *ret_len, size_t size, const struct layouts_parts *p);

#endif
