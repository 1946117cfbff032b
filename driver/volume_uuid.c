/* UUID: text and bytes. */
#include "volume_uuid.h"

#include <stddef.h>
#include <string.h>

static int hyphen_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void uuid_format(char ret[static UUID_TEXT_BYTES + 1], const uint8_t uuid[static 16])
{
	static const char digits[] = "0123456789abcdef";
	size_t i, n = 0;

	for (i = 0; i < UUID_TEXT_BYTES; i++) {
		if (hyphen_at(i)) {
			ret[i] = '-';
			continue;
		}
		ret[i] = digits[n % 2 ? uuid[n / 2] & 15 : uuid[n / 2] >> 4];
		n++;
	}
	ret[UUID_TEXT_BYTES] = '\0';
}

enum err uuid_parse(uint8_t ret[static 16], const char *text)
{
	uint8_t bytes[16] = { 0 };
	size_t i, n = 0;
	int value;

	if (!text || strlen(text) != UUID_TEXT_BYTES)
		return ERR_FORMAT;
	for (i = 0; i < UUID_TEXT_BYTES; i++) {
		if (hyphen_at(i)) {
			if (text[i] != '-')
				return ERR_FORMAT;
			continue;
		}
		value = digit_value(text[i]);
		if (value < 0)
			return ERR_FORMAT;
		bytes[n / 2] = (uint8_t)(bytes[n / 2] << 4 | value);
		n++;
	}
	memcpy(ret, bytes, sizeof(bytes));
	return OK;
}
