/* Manifest: encoder, decoder, signature, and the values that it accepts for a volume. */
#include "manifest.h"

#include <sodium.h>
#include <string.h>

#include "text.h"

#define MAGIC "HFMANIF1"
#define VERSION 1

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct manifest_head {
#include "manifest_head_v1.inc"
};
#undef FIELD

#define FORMAT_TABLE "manifest_head_v1.inc"
#define FORMAT_NOUN manifest_head
#define FORMAT_PREFIX MANIFEST_HEAD
#include "format_codec.h"

#define FORMAT_TABLE "manifest_target_v1.inc"
#define FORMAT_NOUN manifest_target
#define FORMAT_PREFIX MANIFEST_TARGET
#include "format_codec.h"

#define FORMAT_TABLE "manifest_volume_v1.inc"
#define FORMAT_NOUN manifest_volume
#define FORMAT_PREFIX MANIFEST_VOLUME
#include "format_codec.h"

_Static_assert(MANIFEST_HEAD_BYTES + MANIFEST_TARGETS_MAX * MANIFEST_TARGET_BYTES +
			       MANIFEST_VOLUMES_MAX * MANIFEST_VOLUME_BYTES + SIGNATURE_BYTES ==
		       MANIFEST_BYTES_MAX,
	       "MANIFEST_BYTES_MAX is not what the tables add up to");
_Static_assert(sizeof(((struct manifest_volume *)0)->headers) == MANIFEST_HEADERS * DIGEST_BYTES &&
		       sizeof(((struct manifest_volume *)0)->keyslots) ==
			       MANIFEST_KEYSLOTS * DIGEST_BYTES,
	       "the table has room for another number of digests");

static const char signed_as[] = "holdfast manifest v1";

static enum err volume_bounds(const struct manifest_volume *v)
{
	if (!text_is_name(v->name, sizeof(v->name)) || !text_is_name(v->cipher, sizeof(v->cipher)))
		return ERR_RANGE;
	if (v->header_bytes == 0 || v->header_bytes % 4096 ||
	    v->header_bytes > MANIFEST_HEADER_BYTES_MAX)
		return ERR_RANGE;
	if (v->sector_size != 512 && v->sector_size != 4096)
		return ERR_RANGE;
	return v->key_bits == 256 || v->key_bits == 512 ? OK : ERR_RANGE;
}

static enum err manifest_bounds(const struct manifest *m)
{
	if (m->target_count > MANIFEST_TARGETS_MAX || m->volume_count > MANIFEST_VOLUMES_MAX)
		return ERR_RANGE;
	for (size_t i = 0; i < m->target_count; i++)
		if (!text_is_name(m->targets[i].name, sizeof(m->targets[i].name)))
			return ERR_RANGE;
	for (size_t i = 0; i < m->volume_count; i++)
		if (volume_bounds(&m->volumes[i]))
			return ERR_RANGE;
	return OK;
}

static enum err head_check(const struct manifest_head *h)
{
	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) || h->version == 0)
		return ERR_FORMAT;
	if (h->version > VERSION)
		return ERR_VERSION;
	if (h->target_count > MANIFEST_TARGETS_MAX || h->volume_count > MANIFEST_VOLUMES_MAX)
		return ERR_RANGE;
	return h->reserved ? ERR_FORMAT : OK;
}

enum err manifest_decode(struct manifest *ret, const uint8_t *bytes, size_t len)
{
	struct cursor c = cursor_over(bytes, len);
	struct manifest m = { 0 };
	struct manifest_head h;
	enum err e;

	manifest_head_read(&c, &h);
	e = c.e ? ERR_FORMAT : head_check(&h);
	if (e)
		return e;
	m.target_count = h.target_count;
	m.volume_count = h.volume_count;
	for (size_t i = 0; i < m.target_count; i++)
		manifest_target_read(&c, &m.targets[i]);
	for (size_t i = 0; i < m.volume_count; i++)
		manifest_volume_read(&c, &m.volumes[i]);
	cursor_bytes(&c, m.signature, sizeof(m.signature));
	e = cursor_end(&c);
	if (!e)
		e = manifest_bounds(&m);
	if (!e)
		*ret = m;
	return e;
}

enum err manifest_encode(uint8_t *ret, size_t *ret_len, const struct manifest *m)
{
	struct writer w = writer_over(ret, MANIFEST_BYTES_MAX);
	struct manifest_head h = {
		.version = VERSION,
		.target_count = m->target_count,
		.volume_count = m->volume_count,
	};
	enum err e = manifest_bounds(m);

	if (e)
		return e;
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	manifest_head_write(&w, &h);
	for (size_t i = 0; i < m->target_count; i++)
		manifest_target_write(&w, &m->targets[i]);
	for (size_t i = 0; i < m->volume_count; i++)
		manifest_volume_write(&w, &m->volumes[i]);
	writer_bytes(&w, m->signature, sizeof(m->signature));
	*ret_len = MANIFEST_BYTES_MAX - w.left;
	return OK;
}

#define MESSAGE_PREFIX (sizeof(signed_as) - 1 + DEVICE_ID_BYTES)

/* What is signed. */
static enum err manifest_message(uint8_t *ret, size_t *ret_len, const struct manifest *m,
				 const uint8_t device[static DEVICE_ID_BYTES])
{
	size_t len;
	enum err e = manifest_encode(ret + MESSAGE_PREFIX, &len, m);

	if (e)
		return e;
	memcpy(ret, signed_as, sizeof(signed_as) - 1);
	memcpy(ret + sizeof(signed_as) - 1, device, DEVICE_ID_BYTES);
	*ret_len = MESSAGE_PREFIX + len - SIGNATURE_BYTES;
	return OK;
}

enum err manifest_sign(struct manifest *m, const uint8_t device[static DEVICE_ID_BYTES],
		       const struct store_sk *sk)
{
	uint8_t message[MESSAGE_PREFIX + MANIFEST_BYTES_MAX];
	size_t len;
	enum err e = manifest_message(message, &len, m, device);

	if (!e)
		store_sk_sign(m->signature, sk, message, len);
	return e;
}

enum err manifest_verify(const struct manifest *m, const uint8_t device[static DEVICE_ID_BYTES],
			 const struct store_vk *vk)
{
	uint8_t message[MESSAGE_PREFIX + MANIFEST_BYTES_MAX];
	size_t len;

	/* what can't be encoded was never signed */
	if (manifest_message(message, &len, m, device))
		return ERR_SIGNATURE;
	return store_vk_check(vk, m->signature, message, len);
}

/* Place of a digest in a list of them, count when it is not there. */
static size_t digest_place(const uint8_t *list, size_t count, const uint8_t *digest)
{
	size_t i = 0;

	while (i < count && memcmp(list + i * DIGEST_BYTES, digest, DIGEST_BYTES))
		i++;
	return i;
}

static int digest_accepted(const uint8_t *list, size_t count, const struct digest *d)
{
	return !sodium_is_zero(d->bytes, sizeof(d->bytes)) &&
	       digest_place(list, count, d->bytes) < count;
}

int manifest_header_accepted(const struct manifest_volume *v, const struct digest *header)
{
	return digest_accepted(v->headers, MANIFEST_HEADERS, header);
}

int manifest_keyslot_accepted(const struct manifest_volume *v, const struct digest *keyslot)
{
	return digest_accepted(v->keyslots, MANIFEST_KEYSLOTS, keyslot);
}

enum err manifest_keyslot_accept(struct manifest_volume *v, const struct digest *keyslot)
{
	static const uint8_t unused[DIGEST_BYTES];
	size_t at;

	if (sodium_is_zero(keyslot->bytes, sizeof(keyslot->bytes)))
		return ERR_RANGE;
	if (manifest_keyslot_accepted(v, keyslot))
		return OK;
	at = digest_place(v->keyslots, MANIFEST_KEYSLOTS, unused);
	if (at == MANIFEST_KEYSLOTS)
		return ERR_SPACE;
	memcpy(v->keyslots + at * DIGEST_BYTES, keyslot->bytes, DIGEST_BYTES);
	return OK;
}

void manifest_keyslot_refuse(struct manifest_volume *v, const struct digest *keyslot)
{
	size_t at = digest_place(v->keyslots, MANIFEST_KEYSLOTS, keyslot->bytes);

	if (at < MANIFEST_KEYSLOTS)
		memset(v->keyslots + at * DIGEST_BYTES, 0, DIGEST_BYTES);
}
