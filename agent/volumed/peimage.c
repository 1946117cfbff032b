#include "agent/volumed/peimage.h"

#include <string.h>

#include "common/cursor.h"

#define MACHINE_X86_64 0x8664
#define MAGIC_PE32_PLUS 0x20b
#define SUBSYSTEM_EFI_APPLICATION 10
#define SECTIONS_MAX 96
#define OPTIONAL_BYTES_MIN 112 /* up to the directories */
#define DIRECTORY_SECURITY 4
#define CERTIFICATE_PKCS7 0x0002
#define CERTIFICATE_HEAD 8
#define LINE "holdfast,"

struct header {
	uint16_t sections, optional_bytes;
	uint32_t certificate_at, certificate_bytes;
	size_t table_at;
};

static struct cursor at(const uint8_t *bytes, size_t len, size_t offset)
{
	return offset <= len ? cursor_over(bytes + offset, len - offset) : cursor_over(bytes, 0);
}

static uint16_t u16_at(const uint8_t *bytes, size_t len, size_t offset)
{
	struct cursor c = at(bytes, len, offset);

	return cursor_u16(&c);
}

static uint32_t u32_at(const uint8_t *bytes, size_t len, size_t offset)
{
	struct cursor c = at(bytes, len, offset);

	return cursor_u32(&c);
}

static enum err coff_read(struct header *ret, const uint8_t *bytes, size_t len)
{
	size_t pe;

	if (len < 64 || bytes[0] != 'M' || bytes[1] != 'Z')
		return ERR_FORMAT;
	pe = u32_at(bytes, len, 60);
	if (pe > len || len - pe < 24 || memcmp(bytes + pe, "PE\0\0", 4))
		return ERR_FORMAT;
	if (u16_at(bytes, len, pe + 4) != MACHINE_X86_64)
		return ERR_UNSUPPORTED;
	ret->sections = u16_at(bytes, len, pe + 6);
	ret->optional_bytes = u16_at(bytes, len, pe + 20);
	ret->table_at = pe + 24 + ret->optional_bytes;
	return ret->sections && ret->sections <= SECTIONS_MAX && ret->table_at <= len &&
			       ret->optional_bytes >= OPTIONAL_BYTES_MIN
		       ? OK
		       : ERR_FORMAT;
}

static enum err optional_read(struct header *h, const uint8_t *bytes, size_t len)
{
	size_t begin = h->table_at - h->optional_bytes, entry = begin + OPTIONAL_BYTES_MIN + 8 * DIRECTORY_SECURITY;

	if (u16_at(bytes, len, begin) != MAGIC_PE32_PLUS)
		return ERR_UNSUPPORTED;
	if (u16_at(bytes, len, begin + 68) != SUBSYSTEM_EFI_APPLICATION)
		return ERR_UNSUPPORTED;
	if (u32_at(bytes, len, begin + 108) > DIRECTORY_SECURITY && entry + 8 <= h->table_at) {
		h->certificate_at = u32_at(bytes, len, entry);
		h->certificate_bytes = u32_at(bytes, len, entry + 4);
	}
	return OK;
}

/* WIN_CERTIFICATE, at least one. */
static enum err signature_read(int *ret, const struct header *h, const uint8_t *bytes, size_t len)
{
	uint32_t size;

	*ret = 0;
	if (!h->certificate_bytes)
		return OK;
	if (h->certificate_at > len || len - h->certificate_at < h->certificate_bytes ||
	    h->certificate_bytes <= CERTIFICATE_HEAD)
		return ERR_FORMAT;
	size = u32_at(bytes, len, h->certificate_at);
	if (size <= CERTIFICATE_HEAD || size > h->certificate_bytes)
		return ERR_FORMAT;
	*ret = u16_at(bytes, len, (size_t)h->certificate_at + 6) == CERTIFICATE_PKCS7;
	return OK;
}

/* The next comma-separated field of a line; may be empty. */
static size_t field_next(const char **ret, const char **text, const char *end)
{
	const char *begin = *text;

	while (*text < end && **text != ',')
		(*text)++;
	*ret = begin;
	begin = *text;
	if (*text < end)
		(*text)++;
	return (size_t)(begin - *ret);
}

/* holdfast,GENERATION,vendor,package,VERSION,address */
static enum err line_read(struct peimage *ret, const char *line, const char *end)
{
	const char *field;
	size_t len = 0;

	for (int i = 0; i < 5; i++) {
		len = field_next(&field, &line, end);
		if (i != 1)
			continue;
		ret->generation = 0;
		for (size_t d = 0; d < len; d++) {
			if (field[d] < '0' || field[d] > '9' || ret->generation > 1000000)
				return ERR_FORMAT;
			ret->generation = ret->generation * 10 + (unsigned)(field[d] - '0');
		}
	}
	if (!len || len >= sizeof(ret->version) || !ret->generation)
		return ERR_FORMAT;
	for (size_t i = 0; i < len; i++)
		if (field[i] < '!' || field[i] > '~')
			return ERR_FORMAT;
	memcpy(ret->version, field, len);
	ret->version[len] = '\0';
	return OK;
}

static enum err sbat_read(struct peimage *ret, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end && *text) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));

		if (!line_end)
			line_end = end;
		if ((size_t)(line_end - text) > strlen(LINE) && !memcmp(text, LINE, strlen(LINE)))
			return line_read(ret, text, line_end);
		text = line_end < end ? line_end + 1 : end;
	}
	return ERR_NOT_FOUND;
}

/* Every section is within the file; the one of that name. */
static enum err sections_read(struct peimage *ret, const struct header *h, const uint8_t *bytes, size_t len)
{
	enum err found = ERR_NOT_FOUND;

	for (unsigned i = 0; i < h->sections; i++) {
		struct cursor c = at(bytes, len, h->table_at + (size_t)i * 40);
		uint8_t name[8];
		uint32_t size, begin, used;

		cursor_bytes(&c, name, sizeof(name));
		used = cursor_u32(&c);
		(void)cursor_u32(&c); /* address in memory */
		size = cursor_u32(&c);
		begin = cursor_u32(&c);
		if (c.e || (size && (begin > len || len - begin < size)))
			return ERR_FORMAT;
		if (!memcmp(name, ".sbat\0\0", 8) && size)
			found = sbat_read(ret, (const char *)bytes + begin, used && used < size ? used : size);
	}
	return found;
}

enum err peimage_read(struct peimage *ret, const uint8_t *bytes, size_t len)
{
	struct peimage image = { 0 };
	struct header h = { 0 };
	enum err e = len > PEIMAGE_BYTES_MAX ? ERR_FORMAT : coff_read(&h, bytes, len);

	if (!e)
		e = optional_read(&h, bytes, len);
	if (!e)
		e = signature_read(&image.is_signed, &h, bytes, len);
	if (!e)
		e = sections_read(&image, &h, bytes, len);
	if (!e)
		*ret = image;
	return e;
}
