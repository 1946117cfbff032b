/* Names and ids. */
#include "name.h"

#include <sodium.h>
#include <string.h>

static int consists_of(const char *text, const char *allowed)
{
	size_t len = strnlen(text, NAME_MAX_BYTES + 1);

	return len >= 1 && len <= NAME_MAX_BYTES && strspn(text, allowed) == len;
}

int name_is_officer(const char *text)
{
	return consists_of(text, "abcdefghijklmnopqrstuvwxyz0123456789._-@");
}

int name_is_device(const char *text)
{
	return consists_of(text,
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
}

int name_is_hex(const char *text, size_t digits)
{
	return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

void name_new_id(char ret[ID_TEXT])
{
	unsigned char bytes[(ID_TEXT - 1) / 2];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(ret, ID_TEXT, bytes, sizeof(bytes));
}
