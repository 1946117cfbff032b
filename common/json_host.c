/* Strict JSON over jansson, and the text forms of bytes. */
#include "json_host.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void json_drop(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

void text_drop(char **text)
{
	free(*text);
	*text = NULL;
}

void blob_drop(uint8_t **bytes)
{
	free(*bytes);
	*bytes = NULL;
}

void text_wipe(char **text)
{
	if (*text)
		secret_wipe(*text, strlen(*text));
	text_drop(text);
}

/* jansson recurses to 2,048 levels; what we exchange needs five. */
static enum err depth_check(const char *text, size_t len)
{
	size_t depth = 0;
	int quoted = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && depth)
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return ERR_FORMAT;
	}
	return OK;
}

enum err json_parse(json_t **ret, const char *text, size_t len)
{
	json_t *j;

	if (len > JSON_BYTES_MAX || depth_check(text, len))
		return ERR_FORMAT;
	j = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!j)
		return ERR_FORMAT;
	*ret = j;
	return OK;
}

enum err json_print(char **ret, const json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT);

	if (!text)
		return ERR_MEMORY;
	*ret = text;
	return OK;
}

enum err json_get_string(const char **ret, const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v))
		return ERR_FORMAT;
	*ret = json_string_value(v);
	return OK;
}

enum err json_get_u64(uint64_t *ret, const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return ERR_FORMAT;
	*ret = (uint64_t)json_integer_value(v);
	return OK;
}

enum err json_get_object(json_t **ret, const json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	if (!json_is_object(v))
		return ERR_FORMAT;
	*ret = v;
	return OK;
}

enum err json_get_array(json_t **ret, const json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	if (!json_is_array(v))
		return ERR_FORMAT;
	*ret = v;
	return OK;
}

enum err json_get_hex(uint8_t *ret, size_t len, const json_t *o, const char *name)
{
	const char *text;

	if (json_get_string(&text, o, name))
		return ERR_FORMAT;
	return hex_decode(ret, len, text);
}

enum err json_get_b64(uint8_t *ret, size_t len, const json_t *o, const char *name)
{
	const char *text;
	BLOB *bytes = NULL;
	size_t got;
	enum err e;

	if (json_get_string(&text, o, name))
		return ERR_FORMAT;
	e = b64_decode(&bytes, &got, text, strlen(text));
	if (e)
		return e;
	if (got != len)
		return ERR_FORMAT;
	memcpy(ret, bytes, len);
	return OK;
}

enum err json_copy_string(char *ret, size_t size, const json_t *o, const char *name)
{
	const char *text;

	if (json_get_string(&text, o, name) || strlen(text) >= size)
		return ERR_FORMAT;
	memcpy(ret, text, strlen(text) + 1);
	return OK;
}

/* End of the string whose opening quote is at text[at]: the index of its closing quote; len when
 * there is none. */
static size_t string_end(const uint8_t *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at < len ? at : len;
}

static size_t blanks_end(const uint8_t *text, size_t len, size_t at)
{
	while (at < len && memchr(" \t\r\n", text[at], 4))
		at++;
	return at;
}

/* Where the value of the outermost member `name` begins: its opening quote; len when there is none.
 * A name's quote is followed by a colon, a value's is not. */
static size_t member_find(const uint8_t *text, size_t len, const char *name)
{
	size_t depth = 0, end, next;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '{' || text[i] == '[')
			depth++;
		else if (text[i] == '}' || text[i] == ']')
			depth--;
		else if (text[i] == '"') {
			end = string_end(text, len, i);
			next = blanks_end(text, len, end + 1);
			if (depth == 1 && next < len && text[next] == ':' &&
			    end - i - 1 == strlen(name) && !memcmp(text + i + 1, name, strlen(name)))
				return blanks_end(text, len, next + 1);
			i = end;
		}
	}
	return len;
}

enum err json_take_secret(struct secret *ret, struct secret *text, const char *name)
{
	size_t at = member_find(text->bytes, text->len, name), end;
	enum err e;

	if (at >= text->len || text->bytes[at] != '"')
		return ERR_FORMAT;
	end = string_end(text->bytes, text->len, at);
	if (end >= text->len || end == at + 1 || memchr(text->bytes + at, '\\', end - at))
		return ERR_FORMAT;
	e = secret_copy(ret, text->bytes + at + 1, end - at - 1);
	if (e)
		return e;
	memset(text->bytes + at + 1, '0', end - at - 1);
	return OK;
}

enum err b64_encode(char **ret, const void *bytes, size_t len)
{
	size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = malloc(size);

	if (!text)
		return ERR_MEMORY;
	sodium_bin2base64(text, size, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	*ret = text;
	return OK;
}

static int all_ascii(const char *text, size_t len)
{
	unsigned char high = 0;

	for (size_t i = 0; i < len; i++)
		high |= (unsigned char)text[i];
	return high < 0x80;
}

/* libsodium refuses trailing bits that are not zero, but (1.0.18) takes bytes from 0x80 on for letters: both
 * would give a text a second form. */
enum err b64_decode(uint8_t **ret, size_t *ret_len, const char *text, size_t len)
{
	size_t size = len / 4 * 3 + 3, got;
	uint8_t *bytes;

	if (!all_ascii(text, len))
		return ERR_FORMAT;
	bytes = malloc(size + 1);
	if (!bytes)
		return ERR_MEMORY;
	if (sodium_base642bin(bytes, size, text, len, NULL, &got, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING)) {
		secret_wipe(bytes, size);
		free(bytes);
		return ERR_FORMAT;
	}
	bytes[got] = 0;
	*ret = bytes;
	*ret_len = got;
	return OK;
}

void hex_encode(char *ret, const void *bytes, size_t len)
{
	sodium_bin2hex(ret, 2 * len + 1, bytes, len);
}

enum err hex_check(const char *text, size_t bytes)
{
	return strlen(text) == 2 * bytes && strspn(text, "0123456789abcdef") == 2 * bytes ?
		       OK : ERR_FORMAT;
}

enum err hex_decode(uint8_t *ret, size_t len, const char *text)
{
	if (hex_check(text, len) || sodium_hex2bin(ret, len, text, 2 * len, NULL, NULL, NULL))
		return ERR_FORMAT;
	return OK;
}
