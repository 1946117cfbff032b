/* Text fields: what a decoder accepts is safe to print and to use as a C string. */
#include "text.h"

#include <string.h>

/* Length of the text, or size when there is no zero or something follows it. */
static size_t text_len(const uint8_t *field, size_t size)
{
	size_t len = 0;

	while (len < size && field[len])
		len++;
	for (size_t i = len; i < size; i++)
		if (field[i])
			return size;
	return len;
}

/* Bytes that continue after this first one, and its smallest code point; -1 for no first byte. */
static int sequence(uint8_t first, uint32_t *ret_point, uint32_t *ret_least)
{
	static const struct {
		uint8_t mask, value;
		int more;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 0, 0 },
		{ 0xe0, 0xc0, 1, 0x80 },
		{ 0xf0, 0xe0, 2, 0x800 },
		{ 0xf8, 0xf0, 3, 0x10000 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((first & forms[i].mask) != forms[i].value)
			continue;
		*ret_point = first & (uint8_t)~forms[i].mask;
		*ret_least = forms[i].least;
		return forms[i].more;
	}
	return -1;
}

static int point_valid(uint32_t p)
{
	if (p < 0x20 || (p >= 0x7f && p < 0xa0))
		return 0;
	if ((p >= 0xd800 && p < 0xe000) || p > 0x10ffff)
		return 0;
	/* line separators and direction overrides: one name must not look like another */
	return !(p >= 0x2028 && p <= 0x202e) && !(p >= 0x2066 && p <= 0x2069);
}

static int text_check(const uint8_t *field, size_t size, int lines)
{
	size_t len = text_len(field, size), at = 0;

	if (len == size)
		return 0;
	while (at < len) {
		uint32_t point, least;
		int more = sequence(field[at++], &point, &least);

		if (more < 0)
			return 0;
		for (; more > 0; more--, at++) {
			if ((field[at] & 0xc0) != 0x80) /* the zero at the end stops it */
				return 0;
			point = point << 6 | (field[at] & 0x3f);
		}
		if (point < least || !(point_valid(point) || (lines && point == '\n')))
			return 0;
	}
	return 1;
}

int text_valid(const uint8_t *field, size_t size)
{
	return text_check(field, size, 0);
}

int text_lines_valid(const uint8_t *field, size_t size)
{
	return text_check(field, size, 1);
}

int text_is_name(const uint8_t *field, size_t size)
{
	size_t len = text_len(field, size);

	for (size_t i = 0; i < len; i++) {
		uint8_t c = field[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return 0;
	}
	return len > 0 && len < size;
}

int text_is_layout(const uint8_t *field, size_t size)
{
	size_t len = text_len(field, size);

	for (size_t i = 0; i < len; i++) {
		uint8_t c = field[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '-' && c != '(' && c != ')')
			return 0;
	}
	return len < size;
}

int text_set(uint8_t *ret, size_t size, const char *string)
{
	size_t len = strlen(string);

	if (len >= size)
		return 0;
	memset(ret, 0, size);
	memcpy(ret, string, len);
	return 1;
}
