/* Compact serialisation. */
#include "compact_host.h"

#include <stdlib.h>
#include <string.h>

enum err compact_split(struct compact_part *ret, size_t count, const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);
	const char *end = text + len;

	if (len > max)
		return ERR_FORMAT;
	for (size_t i = 0; i < count; i++) {
		const char *dot = memchr(text, '.', (size_t)(end - text));

		if (!dot != (i == count - 1))
			return ERR_FORMAT;
		ret[i].at = text;
		ret[i].len = (size_t)((dot ? dot : end) - text);
		text = dot ? dot + 1 : end;
	}
	return OK;
}

enum err compact_json(json_t **ret, const struct compact_part *part)
{
	BLOB *bytes = NULL;
	size_t len;
	enum err e;

	e = b64_decode(&bytes, &len, part->at, part->len);
	if (e)
		return e;
	return json_parse(ret, (const char *)bytes, len);
}

enum err compact_bytes(uint8_t *ret, size_t len, const struct compact_part *part)
{
	BLOB *bytes = NULL;
	size_t got;
	enum err e;

	e = b64_decode(&bytes, &got, part->at, part->len);
	if (e)
		return e;
	if (got != len)
		return ERR_FORMAT;
	memcpy(ret, bytes, len);
	return OK;
}

enum err compact_join(char **ret, const char *const *parts, size_t count)
{
	size_t size = 0;
	char *text, *at;

	for (size_t i = 0; i < count; i++)
		size += strlen(parts[i]) + 1;
	at = text = malloc(size);
	if (!text)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++) {
		at = stpcpy(at, parts[i]);
		*at++ = i == count - 1 ? '\0' : '.';
	}
	*ret = text;
	return OK;
}
