/* Manifest: which kernel, initrd, command line and volumes are vouched for. The agent writes it,
 * pre-boot checks boot files against it, the initramfs and the agent check volumes.
 * Tables: manifest_{head,target,volume}_v1.inc. */
#ifndef HOLDFAST_MANIFEST_H
#define HOLDFAST_MANIFEST_H

#include "format.h"
#include "key.h"

#define MANIFEST_TARGETS_MAX 4
#define MANIFEST_VOLUMES_MAX 16
#define MANIFEST_HEADERS 2
#define MANIFEST_KEYSLOTS 4
#define MANIFEST_BYTES_MAX (16 + MANIFEST_TARGETS_MAX * 112 + MANIFEST_VOLUMES_MAX * 300 + 64)

/* Bounds of a volume's header_bytes, which is a multiple of 4096 as well. */
#define MANIFEST_HEADER_BYTES_MAX ((uint64_t)64 << 20)

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct manifest_target {
#include "manifest_target_v1.inc"
};
struct manifest_volume {
#include "manifest_volume_v1.inc"
};
#undef FIELD

struct manifest {
	uint8_t target_count;
	uint8_t volume_count;
	struct manifest_target targets[MANIFEST_TARGETS_MAX];
	struct manifest_volume volumes[MANIFEST_VOLUMES_MAX];
	uint8_t signature[SIGNATURE_BYTES];
};

/* Errors: ERR_FORMAT, ERR_VERSION, ERR_RANGE (a name with other than [a-z0-9_-], counts, header_bytes,
 * sector_size, key_bits). */
MUST_CHECK enum err manifest_decode(struct manifest *ret, const uint8_t *bytes, size_t len);

/* Encode into ret[MANIFEST_BYTES_MAX]; ret_len in bytes. Errors: ERR_RANGE. */
MUST_CHECK enum err manifest_encode(uint8_t *ret, size_t *ret_len, const struct manifest *m);

MUST_CHECK enum err manifest_sign(struct manifest *m, const uint8_t device[static DEVICE_ID_BYTES],
				  const struct store_sk *sk);
/* Errors: ERR_SIGNATURE. */
MUST_CHECK enum err manifest_verify(const struct manifest *m,
				    const uint8_t device[static DEVICE_ID_BYTES],
				    const struct store_vk *vk);

/* Is this value among the accepted ones? Zeros never are. */
int manifest_header_accepted(const struct manifest_volume *v, const struct digest *header);
int manifest_keyslot_accepted(const struct manifest_volume *v, const struct digest *keyslot);

/* Accept a value beside the present ones / take it out again. Errors: ERR_SPACE when full,
 * ERR_RANGE for zeros. */
MUST_CHECK enum err manifest_keyslot_accept(struct manifest_volume *v, const struct digest *keyslot);
void manifest_keyslot_refuse(struct manifest_volume *v, const struct digest *keyslot);

#endif
