/* Layout format: the decoder holds everything against its bounds once, so that what is looked up later
 * needs no further check. */
#include "layout_format.h"

#include <string.h>

#include "text.h"

#define MAGIC "HFKEYS01"
#define VERSION 1

#define FORMAT_TABLE "layouts_v1.inc"
#define FORMAT_NOUN layouts_head
#define FORMAT_PREFIX HEAD
#include "format_codec.h"
#define FORMAT_TABLE "layouts_entry_v1.inc"
#define FORMAT_NOUN layouts_entry
#define FORMAT_PREFIX ENTRY
#include "format_codec.h"
#define FORMAT_TABLE "layouts_row_v1.inc"
#define FORMAT_NOUN layouts_row
#define FORMAT_PREFIX ROW
#include "format_codec.h"
#define FORMAT_TABLE "layouts_caps_v1.inc"
#define FORMAT_NOUN layouts_caps
#define FORMAT_PREFIX CAPS
#include "format_codec.h"
#define FORMAT_TABLE "layouts_sequence_v1.inc"
#define FORMAT_NOUN layouts_sequence
#define FORMAT_PREFIX SEQUENCE
#include "format_codec.h"

_Static_assert(sizeof(((struct layouts_entry *)0)->keys) == 2 * LAYOUT_KEYS &&
		       sizeof(((struct layouts_entry *)0)->name) == LAYOUT_NAME_MAX + 1 &&
		       sizeof(((struct layouts_entry *)0)->title) == LAYOUT_TITLE_MAX + 1,
	       "the headers say other widths than the table");

/* ---- single parts ---- */

#define PART_AT(noun, SIZE, bytes)                                                            \
	void noun##_at(struct noun *ret, const struct layouts *l, unsigned index)             \
	{                                                                                     \
		struct cursor c = cursor_over((bytes) + (size_t)index * (SIZE), SIZE);        \
                                                                                              \
		noun##_read(&c, ret);                                                         \
	}
PART_AT(layouts_entry, ENTRY_BYTES, l->entries)
PART_AT(layouts_row, ROW_BYTES, l->rows)
PART_AT(layouts_caps, CAPS_BYTES, l->caps)
PART_AT(layouts_sequence, SEQUENCE_BYTES, l->sequences)

static unsigned u16_at(const uint8_t *bytes)
{
	return bytes[0] | (unsigned)bytes[1] << 8;
}

const uint8_t *layouts_entry_keys(const struct layouts *l, unsigned index)
{
	return l->entries + (size_t)index * ENTRY_BYTES + ENTRY_AT_keys;
}

unsigned layout_key_row(const struct layout *l, unsigned key)
{
	return u16_at(l->keys + (size_t)2 * key);
}

/* Their own order, as one number. */
static unsigned caps_order(const struct layouts_caps *c)
{
	return (unsigned)c->row << 8 | c->column;
}

static unsigned sequence_order(const struct layouts_sequence *s)
{
	return (unsigned)s->dead << 16 | s->input;
}

uint16_t layouts_value(const struct layouts *l, unsigned row, unsigned column, int caps)
{
	struct layouts_row r;
	struct layouts_caps c;

	layouts_row_at(&r, l, row);
	for (unsigned i = 0; caps && i < l->caps_count; i++) {
		layouts_caps_at(&c, l, i);
		if (c.row == row && c.column == column)
			return c.value;
	}
	if (caps)
		column = (unsigned)r.caps >> (2 * column) & 3u;
	return (const uint16_t[]){ r.plain, r.shift, r.altgr, r.altgr_shift }[column];
}

uint16_t layouts_combine(const struct layouts *l, uint16_t dead, uint16_t input)
{
	unsigned from = 0, to = l->sequence_count, want = (unsigned)dead << 16 | input;
	struct layouts_sequence s;

	while (from < to) {
		unsigned middle = (from + to) / 2;

		layouts_sequence_at(&s, l, middle);
		if (sequence_order(&s) == want)
			return s.output;
		if (sequence_order(&s) < want)
			from = middle + 1;
		else
			to = middle;
	}
	return 0;
}

/* ---- decoder ---- */

static enum err head_check(const struct layouts_head *h)
{
	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->version == 0)
		return ERR_FORMAT;
	if (h->version > VERSION)
		return ERR_VERSION;
	if (!h->layout_count || h->layout_count > LAYOUTS_MAX || !h->row_count ||
	    h->row_count > LAYOUT_ROWS_MAX || h->caps_count > LAYOUT_CAPS_MAX ||
	    h->sequence_count > LAYOUT_SEQUENCES_MAX || h->dead_count > LAYOUT_DEAD_MAX)
		return ERR_RANGE;
	return OK;
}

int layout_is_character(unsigned v)
{
	return v >= 0x20 && !(v >= 0x7f && v < 0xa0) && !(v >= 0xd800 && v < 0xe000) && v < 0xfffe &&
	       !(v >= 0x2028 && v <= 0x202e) && !(v >= 0x2066 && v <= 0x2069);
}

static int value_valid(const struct layouts *l, unsigned v)
{
	if (v >= LAYOUT_DEAD && v < 0xe000)
		return v > LAYOUT_DEAD && v <= LAYOUT_DEAD + (unsigned)l->dead_count;
	return !v || layout_is_character(v);
}

static int name_valid(const uint8_t *name)
{
	for (size_t i = 0; i < LAYOUT_NAME_MAX && name[i]; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return 0;
	return name[0] && text_valid(name, LAYOUT_NAME_MAX + 1);
}

static int entry_valid(const struct layouts *l, unsigned index)
{
	struct layouts_entry entry;

	layouts_entry_at(&entry, l, index);
	if (entry.flags & ~LAYOUT_LATIN || !name_valid(entry.name) ||
	    !text_valid(entry.title, sizeof(entry.title)))
		return 0;
	for (unsigned key = 0; key < LAYOUT_KEYS; key++)
		if (u16_at(entry.keys + (size_t)2 * key) >= l->row_count)
			return 0;
	return 1;
}

static int row_valid(const struct layouts *l, unsigned index)
{
	struct layouts_row r;

	layouts_row_at(&r, l, index);
	return value_valid(l, r.plain) && value_valid(l, r.shift) && value_valid(l, r.altgr) &&
	       value_valid(l, r.altgr_shift);
}

static int caps_valid(const struct layouts *l, unsigned index)
{
	struct layouts_caps c, before;

	layouts_caps_at(&c, l, index);
	if (c.row >= l->row_count || c.column >= LAYOUT_COLUMNS || !value_valid(l, c.value))
		return 0;
	if (!index)
		return 1;
	layouts_caps_at(&before, l, index - 1);
	return caps_order(&before) < caps_order(&c);
}

/* An output that waits on has a higher number than what it comes from, so that sequences end. */
static int sequence_valid(const struct layouts *l, unsigned index)
{
	struct layouts_sequence s, before;

	layouts_sequence_at(&s, l, index);
	if (!s.dead || s.dead > l->dead_count || !s.input || !s.output || !value_valid(l, s.input) ||
	    !value_valid(l, s.output))
		return 0;
	if (s.output > LAYOUT_DEAD && s.output < 0xe000 && s.output - LAYOUT_DEAD <= s.dead)
		return 0;
	if (!index)
		return 1;
	layouts_sequence_at(&before, l, index - 1);
	return sequence_order(&before) < sequence_order(&s);
}

static int all_valid(const struct layouts *l)
{
	const struct {
		unsigned count;
		int (*valid)(const struct layouts *l, unsigned index);
	} parts[] = {
		{ l->count, entry_valid },
		{ l->row_count, row_valid },
		{ l->caps_count, caps_valid },
		{ l->sequence_count, sequence_valid },
	};

	for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
		for (unsigned i = 0; i < parts[p].count; i++)
			if (!parts[p].valid(l, i))
				return 0;
	return 1;
}

enum err layouts_decode(struct layouts *ret, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	struct layouts_head h;
	struct layouts l;
	enum err e;

	layouts_head_read(&c, &h);
	if (c.e)
		return c.e;
	e = head_check(&h);
	if (e)
		return e;
	l = (struct layouts){ .count = h.layout_count, .row_count = h.row_count, .caps_count = h.caps_count,
			      .sequence_count = h.sequence_count, .dead_count = h.dead_count };
	l.entries = cursor_take(&c, (size_t)l.count * ENTRY_BYTES);
	l.rows = cursor_take(&c, (size_t)l.row_count * ROW_BYTES);
	l.caps = cursor_take(&c, (size_t)l.caps_count * CAPS_BYTES);
	l.sequences = cursor_take(&c, (size_t)l.sequence_count * SEQUENCE_BYTES);
	e = cursor_end(&c);
	if (!e && !all_valid(&l))
		e = ERR_FORMAT;
	if (!e)
		*ret = l;
	return e;
}

/* ---- encoder ---- */

enum err layouts_encode(uint8_t *ret, size_t *ret_len, size_t size, const struct layouts_parts *p)
{
	struct layouts_head h = p->head;
	size_t len = HEAD_BYTES + (size_t)h.layout_count * ENTRY_BYTES + (size_t)h.row_count * ROW_BYTES +
		     (size_t)h.caps_count * CAPS_BYTES + (size_t)h.sequence_count * SEQUENCE_BYTES;
	struct writer w = writer_over(ret, len);
	enum err e;

	if (len > size)
		return ERR_SPACE;
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	h.version = VERSION;
	layouts_head_write(&w, &h);
	for (size_t i = 0; i < h.layout_count; i++)
		layouts_entry_write(&w, &p->entries[i]);
	for (size_t i = 0; i < h.row_count; i++)
		layouts_row_write(&w, &p->rows[i]);
	for (size_t i = 0; i < h.caps_count; i++)
		layouts_caps_write(&w, &p->caps[i]);
	for (size_t i = 0; i < h.sequence_count; i++)
		layouts_sequence_write(&w, &p->sequences[i]);
	e = writer_end(&w);
	if (!e)
		*ret_len = len;
	return e;
}
