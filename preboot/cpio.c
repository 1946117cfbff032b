/* newc: a header of 13 fields of 8 hex digits behind "070701", the name, the data, each padded to 4
 * (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst). */
#include "cpio.h"

#include <string.h>

struct entry {
	const char *name;
	uint32_t inode, mode, links;
	const uint8_t *bytes;
	size_t len;
};

static size_t pad4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static uint8_t *put_hex(uint8_t *at, uint32_t v)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		*at++ = (uint8_t)"0123456789abcdef"[v >> shift & 15];
	return at;
}

static size_t put_entry(uint8_t *to, const struct entry *e)
{
	size_t name_len = strlen(e->name) + 1, head = pad4(110 + name_len);
	const uint32_t fields[13] = {
		e->inode, e->mode, 0, 0, e->links, 0, (uint32_t)e->len, 0, 0, 0, 0,
		(uint32_t)name_len, 0,
	};
	uint8_t *at = to;

	memset(to, 0, head + pad4(e->len));
	memcpy(at, "070701", 6);
	at += 6;
	for (int i = 0; i < 13; i++)
		at = put_hex(at, fields[i]);
	memcpy(at, e->name, name_len);
	if (e->len)
		memcpy(to + head, e->bytes, e->len);
	return head + pad4(e->len);
}

enum err cpio_handoff(uint8_t *ret, size_t *ret_len, size_t size, const uint8_t *bytes, size_t len)
{
	/* The folder comes first: the kernel drops a file without one, silently. */
	const struct entry entries[] = {
		{ "holdfast", 1, 0040700, 2, NULL, 0 },
		{ "holdfast/handoff", 2, 0100400, 1, bytes, len },
		{ "TRAILER!!!", 0, 0, 1, NULL, 0 },
	};
	size_t at = 0;

	if (len > UINT32_MAX || size < CPIO_EXTRA || size - CPIO_EXTRA < len)
		return ERR_SPACE;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		at += put_entry(ret + at, &entries[i]);
	*ret_len = at;
	return OK;
}
