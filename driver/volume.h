/* Volume: a LUKS2 volume under management, through libcryptsetup. Used by volumed, the initramfs
 * opener and the installer; also on plain image files, which need no device-mapper.
 *
 * Keyslots are found by our tokens, never by number:
 *   type "holdfast"           one unlock keyslot
 *                             {"type","keyslots":["N"],"holdfast":{"uk_id":HEX16}}
 *   type "holdfast-recovery"  one recovery keyslot: {...,"holdfast":{"escrow_id":HEX32}}
 * While a rotation is under way there are two of a kind. A token with "keyslots":[] and a member
 * "planned":"N" beside the id announces keyslot N: a power cut between keyslot and token leaves no
 * door that nobody answers for (docs/volumes.md). */
#ifndef HOLDFAST_VOLUME_H
#define HOLDFAST_VOLUME_H

#include "../common/key.h"
#include "../common/manifest.h"
#include "../common/secret.h"

#define ESCROW_ID_BYTES 16

struct volume; /* an opened LUKS2 header */

/* Load and check the header of a block device or image. Errors: ERR_NOT_FOUND, ERR_FORMAT (no
 * LUKS2), ERR_IO, ERR_DENIED. */
MUST_CHECK enum err volume_load(struct volume **ret, const char *device);
void volume_drop(struct volume **v);
#define VOLUME __attribute__((cleanup(volume_drop))) struct volume

/* libcryptsetup's last word on this volume, for a message beside the error; "" when it said
 * nothing. */
const char *volume_problem(const struct volume *v);

/* Is there a mapping /dev/mapper/NAME already? */
int volume_is_mapped(const char *name);

/* Where is the device with this LUKS2 UUID? The one that is open under it, /dev/disk/by-uuid, then
 * a scan of /sys/class/block. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err volume_find(char *ret_device, size_t size, const uint8_t uuid[static 16]);

/* Format an empty device: aes-xts-plain64, 512-bit volume key, sector size 4096 where the device
 * allows it, with unlock and recovery keyslot and their tokens. Errors: ERR_EXISTS (there is a file
 * system or LUKS header), ERR_IO, ERR_SPACE. */
MUST_CHECK enum err volume_format(const char *device, const struct unlock_key *uk,
				  const struct secret *recovery,
				  const uint8_t escrow_id[static ESCROW_ID_BYTES]);

/* Take a LUKS2 volume under management: `existing` opens any keyslot of it. Adds ours. With
 * remove_others set, every keyslot that is not ours is then destroyed. Errors: ERR_AUTH, ERR_SPACE,
 * ERR_IO. */
MUST_CHECK enum err volume_adopt(struct volume *v, const struct secret *existing,
				 const struct unlock_key *uk, const struct secret *recovery,
				 const uint8_t escrow_id[static ESCROW_ID_BYTES],
				 int remove_others);

/* Add a keyslot for a new unlock key, opened by the present one; the present one stays. Doing it
 * twice is no error. Errors: ERR_AUTH, ERR_SPACE, ERR_BUSY (re-encryption runs). */
MUST_CHECK enum err volume_unlock_add(struct volume *v, const struct unlock_key *present,
				      const struct unlock_key *fresh);
/* Destroy every unlock keyslot but that of keep, which is tested first. Errors: ERR_AUTH (keep
 * opens nothing: nothing is destroyed), ERR_BUSY. */
MUST_CHECK enum err volume_unlock_keep(struct volume *v, const struct unlock_key *keep);

/* The same for recovery keys; the unlock key opens. keep is named by its escrow id and must exist.
 */
MUST_CHECK enum err volume_recovery_add(struct volume *v, const struct unlock_key *uk,
					const struct secret *recovery,
					const uint8_t escrow_id[static ESCROW_ID_BYTES]);
MUST_CHECK enum err volume_recovery_keep(struct volume *v,
					 const uint8_t escrow_id[static ESCROW_ID_BYTES]);
/* Escrow ids of the recovery keyslots; *ret_count in: room, out: number. */
MUST_CHECK enum err volume_recovery_list(const struct volume *v, uint8_t (*ret)[ESCROW_ID_BYTES],
					 size_t *ret_count);

/* Does it open? Nothing is activated. Errors: ERR_AUTH. */
MUST_CHECK enum err volume_test_unlock(struct volume *v, const struct unlock_key *uk);
MUST_CHECK enum err volume_test_recovery(struct volume *v, const struct secret *recovery);

/* Activate as /dev/mapper/NAME. Errors: ERR_AUTH, ERR_EXISTS, ERR_IO. */
MUST_CHECK enum err volume_open(struct volume *v, const char *name, const struct unlock_key *uk);
/* The same with the recovery key, and with no manifest to hold the header against: one that is not
 * all in aes-xts-plain64 is refused (encryption.h). name NULL: only test. Errors: as volume_open,
 * ERR_CHANGED. */
MUST_CHECK enum err volume_open_recovery(struct volume *v, const char *name,
					 const struct secret *recovery);

/* What the manifest vouches for.
 *   header digest        BLAKE2b-256 over UUID and the canonical JSON (sorted keys, compact) of
 * "segments" and "digests", the latter without their "keyslots" members keyslot fingerprint
 * BLAKE2b-256 over the canonical JSON of the keyslot and the bytes of its area */
MUST_CHECK enum err volume_header_digest(struct digest *ret, struct volume *v);
MUST_CHECK enum err volume_unlock_fingerprint(struct digest *ret, struct volume *v,
					      const struct unlock_key *uk);
MUST_CHECK enum err volume_recovery_fingerprint(struct digest *ret, struct volume *v,
						const uint8_t escrow_id[static ESCROW_ID_BYTES]);

/* Fill a manifest entry from the header as it is now (all but partition and name). Errors: ERR_BUSY
 * (re-encryption), ERR_UNSUPPORTED (the initramfs would refuse it: another cipher than
 * aes-xts-plain64), ERR_NOT_FOUND (no keyslot for uk), ERR_RANGE. */
MUST_CHECK enum err volume_describe(struct manifest_volume *ret, struct volume *v,
				    const struct unlock_key *uk);

/* Hold the header against the manifest entry before anything is opened: UUID, cipher, sizes, header
 * digest, no null cipher, and the unlock keyslot's fingerprint. Errors: ERR_CHANGED with *ret_what
 * a static word ("UUID", "cipher", "header", "keyslot"). */
MUST_CHECK enum err volume_check(struct volume *v, const struct manifest_volume *m,
				 const struct unlock_key *uk, const char **ret_what);

/* Count of keyslots that no token of ours names: doors that somebody else made. */
MUST_CHECK enum err volume_foreign_keyslots(unsigned *ret, const struct volume *v);

/* Crypto-erase: overwrite the first `bytes` of the device (both headers and all keyslots) with
 * random data, one pass, flush, read back past the cache and compare,
 * then try to discard. Works without a valid header. Errors: ERR_IO, ERR_CHANGED (read back
 * differs). */
MUST_CHECK enum err volume_erase(const char *device, uint64_t bytes);

#endif
