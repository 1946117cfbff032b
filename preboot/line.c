#include "line.h"

#include <string.h>

#include "common/secret.h"
#include "key.h"

static size_t utf8(uint8_t ret[3], uint16_t c)
{
	if (c < 0x80) {
		ret[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (uint8_t)(0xc0 | c >> 6);
		ret[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	ret[0] = (uint8_t)(0xe0 | c >> 12);
	ret[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	ret[2] = (uint8_t)(0x80 | (c & 0x3f));
	return 3;
}

static int is_character(uint16_t c)
{
	return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !(c >= 0xd800 && c < 0xe000) && c < 0xfffe;
}

static enum line_change remove_last(struct line *l)
{
	if (!l->chars)
		return LINE_SAME;
	line_cut(l, l->chars - 1);
	return LINE_REMOVED;
}

enum line_change line_key(struct line *l, uint16_t c)
{
	uint8_t sequence[3];
	size_t n;

	if (c == KEY_BACKSPACE || c == KEY_DELETE)
		return remove_last(l);
	if (c == KEY_CTRL_U) {
		if (!l->chars)
			return LINE_SAME;
		line_cut(l, 0);
		return LINE_CLEARED;
	}
	if (!is_character(c))
		return LINE_SAME;
	n = utf8(sequence, c);
	if (l->len + n > l->max || l->len + n > LINE_BYTES_MAX)
		return LINE_SAME;
	memcpy(l->bytes + l->len, sequence, n);
	secret_wipe(sequence, sizeof(sequence));
	l->len += n;
	l->bytes[l->len] = 0;
	l->chars++;
	return LINE_ADDED;
}

void line_note(struct line *l, uint16_t reported)
{
	if (l->raw_len < LINE_RAW_MAX)
		l->raw[l->raw_len++] = reported;
}

static int continues(char c)
{
	return ((uint8_t)c & 0xc0) == 0x80;
}

void line_cut(struct line *l, size_t chars)
{
	size_t from = l->len;

	while (l->chars > chars) {
		do
			from--;
		while (continues(l->bytes[from]));
		l->chars--;
	}
	secret_wipe(l->bytes + from, l->len - from);
	l->len = from;
}

void line_drop(struct line *l)
{
	secret_wipe(l, sizeof(*l));
}
