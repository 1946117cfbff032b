/* Volume: make one out of an empty device, or take one under management. */
#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "volume_impl.h"

/* Headers, keyslot area (libcryptsetup's default is 16 MiB together), and something to encrypt. */
#define FORMAT_BYTES_MIN ((uint64_t)17 << 20)

static enum err device_bytes(uint64_t *ret, const char *device)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	enum err e = OK;
	struct stat st;

	if (fd < 0)
		return ERR_IO;
	if (fstat(fd, &st))
		e = ERR_IO;
	else if (S_ISREG(st.st_mode))
		*ret = (uint64_t)st.st_size;
	else if (!S_ISBLK(st.st_mode) || ioctl(fd, BLKGETSIZE64, ret))
		e = ERR_IO;
	close(fd);
	return e;
}

/* Whatever blkid recognises belongs to somebody. */
static enum err device_empty(const char *device)
{
	blkid_probe p = blkid_new_probe_from_filename(device);
	int r;

	if (!p)
		return ERR_IO;
	blkid_probe_enable_superblocks(p, 1);
	blkid_probe_enable_partitions(p, 1);
	r = blkid_do_safeprobe(p);
	blkid_free_probe(p);
	return r == 1 ? OK : r == -1 ? ERR_IO : ERR_EXISTS;
}

static enum err format_header(struct volume *v, uint64_t bytes)
{
	struct crypt_params_luks2 params = {
		.sector_size = bytes % 4096 == 0 ? 4096 : 512,
	};
	enum err e = volume_cheap_kdf(v);

	if (e)
		return e;
	return volume_err(crypt_format(v->cd, CRYPT_LUKS2, VOLUME_CIPHER, VOLUME_MODE, NULL, NULL,
				       VOLUME_KEY_BYTES, &params));
}

/* The handle knows the new volume key until it is dropped, so a first keyslot needs no passphrase.
 */
static enum err first_volume_key(struct secret *ret, struct volume *v)
{
	SECRET struct secret key = { 0 };
	size_t len = VOLUME_KEY_BYTES;
	enum err e = secret_new(&key, len);

	if (e)
		return e;
	if (crypt_volume_key_get(v->cd, CRYPT_ANY_SLOT, (char *)key.bytes, &len, NULL, 0) < 0)
		return ERR_INTERNAL;
	*ret = key;
	key = (struct secret){ 0 };
	return OK;
}

static enum err add_both(struct volume *v, const struct secret *key, const struct unlock_key *uk,
			 const struct secret *recovery, const uint8_t *escrow_id)
{
	struct uk_id id;
	enum err e;

	unlock_key_id(&id, uk);
	e = keyslot_add(v, key, TOKEN_UNLOCK, id.bytes, passphrase_unlock(uk));
	return e ? e : keyslot_add(v, key, TOKEN_RECOVERY, escrow_id, passphrase_secret(recovery));
}

enum err volume_format(const char *device, const struct unlock_key *uk,
		       const struct secret *recovery,
		       const uint8_t escrow_id[static ESCROW_ID_BYTES])
{
	SECRET struct secret key = { 0 };
	VOLUME *v = NULL;
	uint64_t bytes;
	enum err e = volume_begin(&v, device);

	e = e ? e : device_bytes(&bytes, device);
	if (e)
		return e;
	if (bytes < FORMAT_BYTES_MIN)
		return ERR_SPACE;
	e = device_empty(device);
	e = e ? e : format_header(v, bytes);
	e = e ? e : first_volume_key(&key, v);
	return e ? e : add_both(v, &key, uk, recovery, escrow_id);
}

/* Only once ours have been tested; those that opened the volume before go last of all. */
static enum err remove_foreign(struct volume *v)
{
	int n, max = crypt_keyslot_max(CRYPT_LUKS2);
	struct token_list l;
	enum err e = OK;

	token_list_read(&l, v);
	for (n = 0; !e && n < max; n++)
		if (crypt_keyslot_status(v->cd, n) != CRYPT_SLOT_INACTIVE &&
		    !token_names(&l, n, -1))
			e = keyslot_destroy(v, n);
	return e;
}

enum err volume_adopt(struct volume *v, const struct secret *existing, const struct unlock_key *uk,
		      const struct secret *recovery,
		      const uint8_t escrow_id[static ESCROW_ID_BYTES], int remove_others)
{
	SECRET struct secret key = { 0 };
	enum err e = keyslot_volume_key(&key, v, CRYPT_ANY_SLOT, passphrase_secret(existing));

	e = e ? e : add_both(v, &key, uk, recovery, escrow_id);
	e = e ? e : volume_test_unlock(v, uk);
	e = e ? e : volume_test_recovery(v, recovery);
	return e || !remove_others ? e : remove_foreign(v);
}
