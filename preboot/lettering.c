#include "lettering.h"

#define UNIT FONT_EM /* of x, a pixel */

/* Bytes of a well-formed character that begin here (RFC 3629), 0 if there is none. */
static unsigned well_formed(const uint8_t *s, size_t len)
{
	static const struct {
		uint8_t first, last, low, high; /* of the first byte; of the second */
		unsigned bytes;
	} rows[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (s[0] < rows[i].first || s[0] > rows[i].last)
			continue;
		if (len < rows[i].bytes || s[1] < rows[i].low || s[1] > rows[i].high)
			return 0;
		for (unsigned n = 2; n < rows[i].bytes; n++)
			if ((s[n] & 0xc0) != 0x80)
				return 0;
		return rows[i].bytes;
	}
	return 0;
}

uint32_t lettering_character(const char **at, const char *end)
{
	const uint8_t *s = (const uint8_t *)*at;
	unsigned bytes = well_formed(s, (size_t)(end - *at));
	uint32_t c = bytes > 1 ? s[0] & (0x7fu >> bytes) : s[0];

	*at += bytes ? bytes : 1;
	if (!bytes)
		return LETTERING_UNKNOWN;
	for (unsigned i = 1; i < bytes; i++)
		c = c << 6 | (s[i] & 0x3fu);
	return c;
}

struct lettering_walk lettering_walk(const struct lettering *l, const char *text, size_t len)
{
	return (struct lettering_walk){ .lettering = l, .at = text, .end = text + len };
}

int lettering_step(struct lettering_walk *w)
{
	const struct lettering *l = w->lettering;
	uint32_t before = w->character;
	struct font_glyph g;

	if (w->at == w->end)
		return 0;
	w->character = lettering_character(&w->at, w->end);
	g = font_find(l->face, w->character);
	w->x = w->next;
	if (before)
		w->x += font_kerning(l->face, before, w->character) * (int)l->size;
	w->next = w->x + font_advance(&g) * (int)l->size;
	return 1;
}

static int pixels(int x)
{
	return (x + UNIT - 1) / UNIT;
}

int lettering_width(const struct lettering *l, const char *text, size_t len)
{
	struct lettering_walk w = lettering_walk(l, text, len);

	while (lettering_step(&w))
		;
	return pixels(w.next);
}

size_t lettering_fit(const struct lettering *l, const char *text, size_t len, int width)
{
	struct lettering_walk w = lettering_walk(l, text, len);
	const char *fits = text;

	while (lettering_step(&w) && pixels(w.next) <= width)
		fits = w.at;
	return (size_t)(fits - text);
}

/* From the whole text on, one character less at the beginning each time. */
size_t lettering_fit_end(const struct lettering *l, const char *text, size_t len, int width)
{
	const char *at = text, *end = text + len;
	int left = lettering_width(l, text, len) * UNIT;

	while (at < end && pixels(left) > width) {
		struct lettering_walk w = lettering_walk(l, at, (size_t)(end - at));

		lettering_step(&w);
		left -= w.next;
		at = w.at;
	}
	while (at < end && lettering_width(l, at, (size_t)(end - at)) > width)
		lettering_character(&at, end);
	return (size_t)(end - at);
}

static size_t without_blanks(const char *text, size_t len)
{
	while (len && text[len - 1] == ' ')
		len--;
	return len;
}

size_t lettering_line(size_t *ret_used, const struct lettering *l, const char *text, size_t len, int width)
{
	struct lettering_walk w = lettering_walk(l, text, len);
	size_t fits = 0, word = 0; /* what fits by characters, and by whole words */

	while (w.at < w.end) {
		size_t at = (size_t)(w.at - text);

		if (text[at] == '\n') {
			*ret_used = at + 1;
			return without_blanks(text, at);
		}
		lettering_step(&w);
		if (w.character == ' ')
			word = at + 1;
		else if (pixels(w.next) <= width)
			fits = (size_t)(w.at - text);
		else
			break;
	}
	if (w.at == w.end && (!len || pixels(w.next) <= width || word == len))
		fits = word = len;
	if (!word)
		word = fits;
	if (!word) { /* not even one character fits */
		const char *next = text;

		lettering_character(&next, text + len);
		word = (size_t)(next - text);
	}
	*ret_used = word;
	return without_blanks(text, word);
}

