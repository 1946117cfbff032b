/* Load option: the content of a firmware variable Boot#### (UEFI 2.10, 3.1.3). The firmware and every system
 * on the laptop write them, so they are bounded and refused where they make no sense. */
#ifndef HOLDFAST_LOADOPTION_H
#define HOLDFAST_LOADOPTION_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define LOADOPTION_BYTES_MAX 2048
#define LOADOPTION_TEXT_MAX 128
#define LOADOPTION_ACTIVE 0x00000001u
#define LOADOPTION_HIDDEN 0x00000008u

/* Points into the bytes that it was decoded from. */
struct loadoption {
	uint32_t attributes;
	const uint8_t *text;    /* description: UCS-2 little-endian, without its end */
	size_t text_len;        /* bytes */
	const uint8_t *path;    /* device paths, well-formed, each with its end */
	size_t path_len;
	const uint8_t *data;    /* what the program is given */
	size_t data_len;
};

/* Errors: ERR_FORMAT, ERR_RANGE (longer than LOADOPTION_BYTES_MAX). */
MUST_CHECK enum err loadoption_decode(struct loadoption *ret, const uint8_t *bytes, size_t len);
/* Into ret[LOADOPTION_BYTES_MAX]. Errors: ERR_FORMAT, ERR_RANGE. */
MUST_CHECK enum err loadoption_encode(uint8_t *ret, size_t *ret_len, const struct loadoption *o);

/* A file on a partition of a GPT disk: device path nodes HD() and File(), 10.3.5.1 and 10.3.5.4. */
struct loadoption_file {
	uint32_t partition;     /* number, from 1 */
	uint64_t start, blocks; /* in the disk's logical blocks */
	uint8_t guid[16];       /* of the partition, in the order of bytes that it has on the disk */
	char path[LOADOPTION_TEXT_MAX]; /* ASCII, "\EFI\holdfast\holdfast.efi" */
};

/* What the first device path leads to. Nodes before HD() are passed over: firmware may have written the
 * whole way. Errors: ERR_NOT_FOUND (something else than a file on a GPT partition). */
MUST_CHECK enum err loadoption_file(struct loadoption_file *ret, const struct loadoption *o);

/* The same partition, and the same path as FAT compares it. */
int loadoption_same(const struct loadoption_file *a, const struct loadoption_file *b);

/* The whole variable: active; description and data ASCII, data NULL: none.
 * Into ret[LOADOPTION_BYTES_MAX]. Errors: ERR_RANGE. */
MUST_CHECK enum err loadoption_make(uint8_t *ret, size_t *ret_len, const char *text,
				    const struct loadoption_file *file, const char *data);

/* Description for people, "?" for what is not ASCII; cut to fit. */
void loadoption_text(char ret[static LOADOPTION_TEXT_MAX], const struct loadoption *o);

#endif
