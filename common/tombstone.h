/* Tombstone: a kill that has begun. volumed writes it first; volumed or, after a power cut, pre-boot
 * finishes what it says. Tables: tombstone_{head,area}_v1.inc. */
#ifndef HOLDFAST_TOMBSTONE_H
#define HOLDFAST_TOMBSTONE_H

#include "format.h"
#include "key.h"
#include "manifest.h"

#define TOMBSTONE_COMMAND_MAX 8192
#define TOMBSTONE_AREA_MAX MANIFEST_HEADER_BYTES_MAX
#define TOMBSTONE_BYTES_MAX (40 + MANIFEST_VOLUMES_MAX * 24 + TOMBSTONE_COMMAND_MAX + DIGEST_BYTES)

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct tombstone_area {
#include "tombstone_area_v1.inc"
};
#undef FIELD

struct tombstone {
	uint8_t device[DEVICE_ID_BYTES];
	int erased;
	uint16_t area_count;
	struct tombstone_area areas[MANIFEST_VOLUMES_MAX];
	uint32_t command_bytes;
	uint8_t command[TOMBSTONE_COMMAND_MAX];
};

/* Errors: ERR_FORMAT, ERR_VERSION, ERR_CHECKSUM, ERR_RANGE. */
MUST_CHECK enum err tombstone_decode(struct tombstone *ret, const uint8_t *bytes, size_t len);
/* Into ret[TOMBSTONE_BYTES_MAX]. Errors: ERR_RANGE. */
MUST_CHECK enum err tombstone_encode(uint8_t *ret, size_t *ret_len, const struct tombstone *t);

/* One area for each volume of the manifest. */
void tombstone_areas(struct tombstone *t, const struct manifest *m);

#endif
