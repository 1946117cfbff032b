/* Compact JWE with A256GCM. */
#include "jwe_host.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "compact_host.h"
#include "gcm_host.h"
#include "kdf_host.h"

#define ENC "A256GCM"
#define TYP_SEALED "holdfast-sealed"

enum { PART_HEADER, PART_KEY, PART_IV, PART_SEALED, PART_TAG };

struct content_key {
	uint8_t bytes[KEY_BYTES];
};

static void content_key_wipe(struct content_key *k)
{
	secret_wipe(k, sizeof *k);
}
#define CONTENT_KEY __attribute__((cleanup(content_key_wipe))) struct content_key

enum err jwe_compact(char **ret, const char *header, const uint8_t key[static KEY_BYTES],
		     const uint8_t iv[static 12], const void *plain, size_t len)
{
	const struct gcm g = { key, iv, header, strlen(header) };
	TEXT *iv_text = NULL, *sealed_text = NULL, *tag_text = NULL;
	BLOB *sealed = NULL;
	uint8_t tag[GCM_TAG_BYTES];
	enum err e;

	if (!len || len > SECRET_MAX)
		return ERR_RANGE;
	sealed = malloc(len);
	if (!sealed)
		return ERR_MEMORY;
	e = gcm_encrypt(sealed, tag, &g, plain, len);
	if (!e)
		e = b64_encode(&iv_text, iv, GCM_IV_BYTES);
	if (!e)
		e = b64_encode(&sealed_text, sealed, len);
	if (!e)
		e = b64_encode(&tag_text, tag, sizeof tag);
	if (!e)
		e = compact_join(ret, (const char *[]){ header, "", iv_text, sealed_text, tag_text },
				 COMPACT_JWE_PARTS);
	return e;
}

static enum err open_parts(struct secret *ret, const struct compact_part *parts,
			   const uint8_t key[static KEY_BYTES], const uint8_t *want_iv)
{
	SECRET struct secret plain = { 0 };
	uint8_t iv[GCM_IV_BYTES], tag[GCM_TAG_BYTES];
	const struct gcm g = { key, iv, parts[PART_HEADER].at, parts[PART_HEADER].len };
	BLOB *sealed = NULL;
	size_t len = 0;
	enum err e;

	e = compact_bytes(iv, sizeof iv, &parts[PART_IV]);
	if (!e)
		e = compact_bytes(tag, sizeof tag, &parts[PART_TAG]);
	if (!e)
		e = b64_decode(&sealed, &len, parts[PART_SEALED].at, parts[PART_SEALED].len);
	if (!e && !len)
		e = ERR_FORMAT;
	if (!e && want_iv && sodium_memcmp(iv, want_iv, sizeof iv))
		e = ERR_AUTH;
	if (!e)
		e = secret_new(&plain, len);
	if (!e)
		e = gcm_decrypt(plain.bytes, &g, sealed, len, tag);
	if (e)
		return e;
	*ret = plain;
	plain = (struct secret){ 0 };
	return OK;
}

static enum err parts_of(struct compact_part ret[static COMPACT_JWE_PARTS], const char *jwe)
{
	enum err e = compact_split(ret, COMPACT_JWE_PARTS, jwe, JWE_BYTES_MAX);

	return !e && ret[PART_KEY].len ? ERR_FORMAT : e;
}

static enum err header_print(char **ret, const json_t *header)
{
	TEXT *text = NULL;
	enum err e;

	e = json_print(&text, header);
	if (e)
		return e;
	return b64_encode(ret, text, strlen(text));
}

static int member_is(const json_t *o, const char *name, const char *want)
{
	const char *text;

	return !json_get_string(&text, o, name) && !strcmp(text, want);
}

/* crit and zip change what a header means; an alg dir has no use for them. */
static enum err dir_header(json_t **ret, const struct compact_part *part)
{
	JSON *header = NULL;
	enum err e;

	e = compact_json(&header, part);
	if (e)
		return e;
	if (!member_is(header, "alg", "dir") || !member_is(header, "enc", ENC) ||
	    json_object_get(header, "crit") || json_object_get(header, "zip"))
		return ERR_FORMAT;
	*ret = json_incref(header);
	return OK;
}

enum err jwe_dir_encrypt(char **ret, const json_t *header, const uint8_t key[static KEY_BYTES],
			 const uint8_t iv[static 12], const void *plain, size_t len)
{
	JSON *full = json_pack("{s:s, s:s}", "alg", "dir", "enc", ENC);
	TEXT *text = NULL;
	enum err e;

	if (!full || json_object_update_missing(full, (json_t *)(uintptr_t)header))
		return ERR_MEMORY;
	e = header_print(&text, full);
	if (e)
		return e;
	return jwe_compact(ret, text, key, iv, plain, len);
}

enum err jwe_peek(json_t **ret_header, const char *jwe)
{
	struct compact_part parts[COMPACT_JWE_PARTS];
	enum err e = parts_of(parts, jwe);

	return e ? e : dir_header(ret_header, &parts[PART_HEADER]);
}

enum err jwe_dir_decrypt(struct secret *ret, json_t **ret_header, const char *jwe,
			 const uint8_t key[static KEY_BYTES], const uint8_t iv[static 12])
{
	struct compact_part parts[COMPACT_JWE_PARTS];
	JSON *header = NULL;
	enum err e;

	e = parts_of(parts, jwe);
	if (!e)
		e = dir_header(&header, &parts[PART_HEADER]);
	if (!e)
		e = open_parts(ret, parts, key, iv);
	if (!e)
		*ret_header = json_incref(header);
	return e;
}

/* RFC 7518 section 4.6, direct key agreement. An all-zero result (a public key of small order) is refused. */
static enum err agree(struct content_key *ret, const struct agree_sk *sk, const struct agree_pk *pk)
{
	const struct concat_info info = { .algorithm = ENC };
	AGREE_SK z;

	if (crypto_scalarmult(z.bytes, sk->bytes, pk->bytes))
		return ERR_FORMAT;
	return concat_kdf(ret->bytes, sizeof ret->bytes, z.bytes, sizeof z.bytes, &info);
}

static enum err sealed_header_new(char **ret, const struct agree_pk *epk, const struct agree_pk *to)
{
	char kid[KID_BYTES];
	JSON *header = NULL;

	kid_of_agree(kid, to);
	header = json_pack("{s:s, s:s, s:o, s:s, s:s}", "alg", "ECDH-ES", "enc", ENC, "epk",
			   jwk_of_agree(epk), "kid", kid, "typ", TYP_SEALED);
	return header ? header_print(ret, header) : ERR_MEMORY;
}

enum err jwe_seal(char **ret, const struct agree_pk *pk, const uint8_t *plain, size_t len)
{
	CONTENT_KEY key;
	AGREE_SK esk;
	struct agree_pk epk;
	uint8_t iv[GCM_IV_BYTES];
	TEXT *header = NULL;
	enum err e;

	agree_sk_new(&esk);
	agree_pk_of(&epk, &esk);
	randombytes_buf(iv, sizeof iv);
	e = agree(&key, &esk, pk);
	if (!e)
		e = sealed_header_new(&header, &epk, pk);
	if (!e)
		e = jwe_compact(ret, header, key.bytes, iv, plain, len);
	return e;
}

/* Five members and no other: apu and apv would change the key, crit and zip the meaning. */
static enum err sealed_header(struct agree_pk *ret_epk, char ret_kid[KID_BYTES],
			      const struct compact_part *part)
{
	JSON *header = NULL;
	enum err e;

	e = compact_json(&header, part);
	if (e)
		return e;
	if (json_object_size(header) != 5 || !member_is(header, "alg", "ECDH-ES") ||
	    !member_is(header, "enc", ENC) || !member_is(header, "typ", TYP_SEALED) ||
	    json_copy_string(ret_kid, KID_BYTES, header, "kid"))
		return ERR_FORMAT;
	return jwk_to_agree(ret_epk, json_object_get(header, "epk"));
}

enum err jwe_unseal(struct secret *ret, const char *jwe, const struct agree_sk *sk)
{
	struct compact_part parts[COMPACT_JWE_PARTS];
	char kid[KID_BYTES], want[KID_BYTES];
	struct agree_pk epk, pk;
	CONTENT_KEY key;
	enum err e;

	e = parts_of(parts, jwe);
	if (!e)
		e = sealed_header(&epk, kid, &parts[PART_HEADER]);
	if (e)
		return e;
	agree_pk_of(&pk, sk);
	kid_of_agree(want, &pk);
	if (strcmp(kid, want) != 0)
		return ERR_AUTH;
	e = agree(&key, sk, &epk);
	if (e)
		return e;
	return open_parts(ret, parts, key.bytes, NULL);
}
