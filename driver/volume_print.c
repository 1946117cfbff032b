/* Volume prints: what of a header the manifest vouches for, and whether it still holds. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/json_host.h"
#include "encryption.h"
#include "volume_impl.h"
#include "volume_uuid.h"

enum err volume_json(json_t **ret, struct volume *v)
{
	return header_json(ret, v->cd);
}

static int json_busy(const json_t *header)
{
	const json_t *config = json_object_get(header, "config");
	const json_t *needed = json_object_get(config, "requirements");
	const json_t *keyslot;
	const char *name;

	if (json_array_size(json_object_get(needed, "mandatory")))
		return 1;
	json_object_foreach (json_object_get((json_t *)header, "keyslots"), name, keyslot) {
		const char *type = json_string_value(json_object_get(keyslot, "type"));

		if (!type || strcmp(type, "luks2"))
			return 1;
	}
	return 0;
}

enum err volume_idle(struct volume *v)
{
	JSON *header = NULL;
	enum err e = volume_json(&header, v);

	return e ? e : json_busy(header) ? ERR_BUSY : OK;
}

/* Sorted keys and no white space: the same text whoever wrote the header. */
static enum err hash_json(crypto_generichash_state *state, const json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		return ERR_MEMORY;
	crypto_generichash_update(state, (const uint8_t *)text, strlen(text));
	free(text);
	return OK;
}

/* {"digests":…,"segments":…}: which keyslots a digest serves changes with every rotation, so they
 * are left out. */
static enum err header_part(json_t **ret, const json_t *header)
{
	JSON *digests = json_deep_copy(json_object_get(header, "digests"));
	json_t *segments = json_object_get(header, "segments");
	const char *name;
	json_t *digest, *part;

	if (!json_is_object(digests) || !json_is_object(segments))
		return ERR_FORMAT;
	json_object_foreach (digests, name, digest)
		json_object_del(digest, "keyslots");
	part = json_pack("{s:O, s:O}", "digests", digests, "segments", segments);
	if (!part)
		return ERR_MEMORY;
	*ret = part;
	return OK;
}

enum err volume_header_digest(struct digest *ret, struct volume *v)
{
	crypto_generichash_state state;
	JSON *header = NULL, *part = NULL;
	uint8_t uuid[16];
	enum err e = uuid_parse(uuid, crypt_get_uuid(v->cd));

	e = e ? e : volume_json(&header, v);
	e = e ? e : header_part(&part, header);
	if (e)
		return e;
	crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
	crypto_generichash_update(&state, uuid, sizeof(uuid));
	e = hash_json(&state, part);
	if (!e)
		crypto_generichash_final(&state, ret->bytes, DIGEST_BYTES);
	return e;
}

static enum err hash_area(crypto_generichash_state *state, int fd, uint64_t at, uint64_t left)
{
	uint8_t chunk[16384];
	size_t want;

	for (; left; at += want, left -= want) {
		want = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
		if (pread(fd, chunk, want, (off_t)at) != (ssize_t)want)
			return ERR_IO;
		crypto_generichash_update(state, chunk, want);
	}
	return OK;
}

static enum err keyslot_fingerprint(struct digest *ret, struct volume *v, int keyslot)
{
	crypto_generichash_state state;
	JSON *header = NULL;
	uint64_t at, bytes;
	json_t *slot;
	char name[12];
	enum err e = volume_json(&header, v);

	if (e)
		return e;
	snprintf(name, sizeof(name), "%d", keyslot);
	slot = json_object_get(json_object_get(header, "keyslots"), name);
	if (!slot || crypt_keyslot_area(v->cd, keyslot, &at, &bytes) < 0)
		return ERR_NOT_FOUND;
	crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
	e = hash_json(&state, slot);
	e = e ? e : hash_area(&state, v->fd, at, bytes);
	if (!e)
		crypto_generichash_final(&state, ret->bytes, DIGEST_BYTES);
	return e;
}

enum err volume_unlock_fingerprint(struct digest *ret, struct volume *v,
				   const struct unlock_key *uk)
{
	struct uk_id id;
	int keyslot;
	enum err e;

	unlock_key_id(&id, uk);
	e = keyslot_named(&keyslot, v, TOKEN_UNLOCK, id.bytes);
	return e ? e : keyslot_fingerprint(ret, v, keyslot);
}

enum err volume_recovery_fingerprint(struct digest *ret, struct volume *v,
				     const uint8_t escrow_id[static ESCROW_ID_BYTES])
{
	int keyslot;
	enum err e = keyslot_named(&keyslot, v, TOKEN_RECOVERY, escrow_id);

	return e ? e : keyslot_fingerprint(ret, v, keyslot);
}

static enum err cipher_text(char *ret, size_t size, struct volume *v)
{
	const char *cipher = crypt_get_cipher(v->cd), *mode = crypt_get_cipher_mode(v->cd);
	int n = cipher && mode ? snprintf(ret, size, "%s-%s", cipher, mode) : -1;

	return n > 0 && (size_t)n < size ? OK : ERR_RANGE;
}

static enum err header_bytes(uint64_t *ret, struct volume *v)
{
	uint64_t metadata, keyslots;
	int r = crypt_get_metadata_size(v->cd, &metadata, &keyslots);

	if (r >= 0)
		*ret = 2 * metadata + keyslots;
	return volume_err(r);
}

static int uuid_matches(struct volume *v, const struct manifest_volume *m)
{
	uint8_t uuid[16];

	return !uuid_parse(uuid, crypt_get_uuid(v->cd)) && !memcmp(uuid, m->uuid, sizeof(uuid));
}

/* A manifest that vouched for another cipher would be wrong itself. */
static int ciphers_match(struct volume *v, const struct manifest_volume *m, const json_t *header)
{
	static const uint8_t cipher[sizeof(m->cipher)] = VOLUME_ENCRYPTION;

	return !memcmp(m->cipher, cipher, sizeof(cipher)) &&
	       crypt_get_volume_key_size(v->cd) * 8 == m->key_bits &&
	       crypt_get_sector_size(v->cd) == m->sector_size && header_encrypts(header);
}

static int header_matches(struct volume *v, const struct manifest_volume *m)
{
	struct digest d;
	uint64_t bytes = 0;

	return !header_bytes(&bytes, v) && bytes == m->header_bytes &&
	       !volume_header_digest(&d, v) && manifest_header_accepted(m, &d);
}

static int keyslot_matches(struct volume *v, const struct manifest_volume *m,
			   const struct unlock_key *uk)
{
	struct digest d;

	return !volume_unlock_fingerprint(&d, v, uk) && manifest_keyslot_accepted(m, &d);
}

enum err volume_check(struct volume *v, const struct manifest_volume *m,
		      const struct unlock_key *uk, const char **ret_what)
{
	JSON *header = NULL;
	enum err e = volume_json(&header, v);

	if (e)
		return e;
	if (!uuid_matches(v, m))
		*ret_what = "UUID";
	else if (json_busy(header))
		*ret_what = "header"; /* forged re-encryption: its segments are not worth naming */
	else if (!ciphers_match(v, m, header))
		*ret_what = "cipher";
	else if (!header_matches(v, m))
		*ret_what = "header";
	else if (!keyslot_matches(v, m, uk))
		*ret_what = "keyslot";
	else
		return OK;
	return ERR_CHANGED;
}

enum err volume_describe(struct manifest_volume *ret, struct volume *v, const struct unlock_key *uk)
{
	struct manifest_volume m = *ret;
	char cipher[sizeof(m.cipher)] = { 0 };
	struct digest header, keyslot;
	const char *what;
	enum err e = volume_idle(v);

	e = e ? e : uuid_parse(m.uuid, crypt_get_uuid(v->cd));
	e = e ? e : header_bytes(&m.header_bytes, v);
	e = e ? e : cipher_text(cipher, sizeof(cipher), v);
	e = e ? e : volume_header_digest(&header, v);
	e = e ? e : volume_unlock_fingerprint(&keyslot, v, uk);
	if (e)
		return e;
	m.sector_size = (uint16_t)crypt_get_sector_size(v->cd);
	m.key_bits = (uint16_t)(crypt_get_volume_key_size(v->cd) * 8);
	memcpy(m.cipher, cipher, sizeof(m.cipher));
	memset(m.headers, 0, sizeof(m.headers));
	memset(m.keyslots, 0, sizeof(m.keyslots));
	memcpy(m.headers, header.bytes, DIGEST_BYTES);
	memcpy(m.keyslots, keyslot.bytes, DIGEST_BYTES);
	/* What the initramfs would refuse, with this manifest or without any, must not be vouched for. */
	e = encryption_check(&what, v->cd);
	e = e ? e : volume_check(v, &m, uk, &what);
	if (!e)
		*ret = m;
	return e == ERR_CHANGED ? ERR_UNSUPPORTED : e;
}
