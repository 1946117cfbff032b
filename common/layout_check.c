/* Layout: can a text be typed? */
#include <string.h>

#include "layout.h"
#include "layout_format.h"

#define ISO_KEY 37
#define SPACE_KEY 48

/* What every key of one layout types, and how dependably: the columns, then the same with Caps Lock. */
struct values {
	uint16_t value[LAYOUT_KEYS][2 * LAYOUT_COLUMNS];
	uint8_t dead[LAYOUT_DEAD_MAX + 1]; /* enum layout_verdict of each dead key */
};

static unsigned better(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned worse(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* By one stroke. */
static unsigned stroke_verdict(const struct values *v, uint16_t value)
{
	unsigned verdict = LAYOUT_NEVER;

	for (unsigned key = 0; key < LAYOUT_KEYS; key++)
		for (unsigned column = 0; column < 2 * LAYOUT_COLUMNS; column++)
			if (v->value[key][column] == value)
				verdict = better(verdict, key == ISO_KEY || (key == SPACE_KEY && column % 2) ?
								  LAYOUT_RARE : LAYOUT_TYPES);
	return verdict;
}

/* The sequences are in the order of their dead keys, and what waits on has a higher number: each
 * verdict is complete before it is used. */
static void values_of(struct values *ret, const struct layouts *all, const struct layout *l)
{
	struct layouts_sequence s;

	for (unsigned key = 0; key < LAYOUT_KEYS; key++)
		for (unsigned column = 0; column < 2 * LAYOUT_COLUMNS; column++)
			ret->value[key][column] =
				layouts_value(all, layout_key_row(l, key), column % LAYOUT_COLUMNS,
					      column >= LAYOUT_COLUMNS);
	for (unsigned dead = 1; dead <= all->dead_count; dead++)
		ret->dead[dead] = (uint8_t)stroke_verdict(ret, (uint16_t)(LAYOUT_DEAD + dead));
	for (unsigned i = 0; i < all->sequence_count; i++) {
		layouts_sequence_at(&s, all, i);
		if (s.output <= LAYOUT_DEAD || s.output >= 0xe000)
			continue;
		ret->dead[s.output - LAYOUT_DEAD] = (uint8_t)better(
			ret->dead[s.output - LAYOUT_DEAD],
			worse(ret->dead[s.dead], stroke_verdict(ret, s.input)));
	}
}

static unsigned character_verdict(const struct values *v, const struct layouts *all, uint16_t c)
{
	unsigned verdict = stroke_verdict(v, c);
	struct layouts_sequence s;

	for (unsigned i = 0; verdict != LAYOUT_TYPES && i < all->sequence_count; i++) {
		layouts_sequence_at(&s, all, i);
		if (s.output == c && v->dead[s.dead] != LAYOUT_NEVER)
			verdict = better(verdict, worse(v->dead[s.dead], stroke_verdict(v, s.input)));
	}
	return verdict;
}

/* The next character of UTF-8, *ret_bytes long; 0 for what is no character of the tables. */
static uint16_t next_character(size_t *ret_bytes, const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t more = at[0] < 0x80 ? 0 : at[0] >= 0xc2 && at[0] < 0xe0 ? 1 : (at[0] & 0xf0) == 0xe0 ? 2 : 3;
	uint32_t c = more ? at[0] & (0x3fu >> more) : at[0];

	*ret_bytes = more + 1;
	if (more == 3 || more >= len)
		return 0;
	for (size_t i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (at[i] & 0x3fu);
	}
	if ((more == 1 && c < 0x80) || (more == 2 && c < 0x800) || !layout_is_character(c))
		return 0;
	return (uint16_t)c;
}

enum layout_verdict layout_check(unsigned *ret_place, const struct layouts *all, const struct layout *l,
				 const char *text, size_t len)
{
	unsigned verdict = LAYOUT_TYPES, place = 1;
	size_t at = 0, bytes;
	struct values v;

	values_of(&v, all, l);
	for (; at < len && verdict != LAYOUT_NEVER; at += bytes, place++) {
		uint16_t c = next_character(&bytes, text + at, len - at);
		unsigned this = c ? character_verdict(&v, all, c) : LAYOUT_NEVER;

		if (this > verdict) {
			verdict = this;
			*ret_place = place;
		}
	}
	return (enum layout_verdict)verdict;
}

int layout_keypad_differs(const struct layouts *all, const struct layout *l, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct layout_stroke stroke = { .us = (uint8_t)text[i] };
		struct layout_dead d = { 0 };
		uint16_t typed[2];

		if (text[i] >= '0' && text[i] <= '9' &&
		    (layout_type(typed, &d, all, l, &stroke) != 1 || typed[0] != stroke.us))
			return 1;
	}
	return 0;
}
