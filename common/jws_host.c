/* Compact JWS with EdDSA. */
#include "jws_host.h"

#include <sodium.h>
#include <string.h>

#include "compact_host.h"

enum err jws_signature(char **ret, const char *signing_input, const struct sign_sk *sk)
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES], both[crypto_sign_SECRETKEYBYTES];
	uint8_t signature[SIGNATURE_BYTES];

	crypto_sign_seed_keypair(pk, both, sk->seed);
	crypto_sign_detached(signature, NULL, (const uint8_t *)signing_input,
			     strlen(signing_input), both);
	secret_wipe(both, sizeof both);
	return b64_encode(ret, signature, sizeof signature);
}

static enum err json_to_part(char **ret, const json_t *j)
{
	TEXT *text = NULL;
	enum err e;

	e = json_print(&text, j);
	if (e)
		return e;
	return b64_encode(ret, text, strlen(text));
}

static enum err header_of(char **ret, const char *typ, const struct sign_sk *sk)
{
	struct sign_pk pk;
	char kid[KID_BYTES];
	JSON *header = NULL;

	sign_pk_of(&pk, sk);
	kid_of_sign(kid, &pk);
	header = json_pack("{s:s, s:s, s:s}", "alg", "EdDSA", "kid", kid, "typ", typ);
	if (!header)
		return ERR_MEMORY;
	return json_to_part(ret, header);
}

enum err jws_sign(char **ret, const char *typ, const json_t *payload, const struct sign_sk *sk)
{
	TEXT *header = NULL, *body = NULL, *input = NULL, *signature = NULL;
	enum err e;

	e = header_of(&header, typ, sk);
	if (!e)
		e = json_to_part(&body, payload);
	if (!e)
		e = compact_join(&input, (const char *[]){ header, body }, 2);
	if (!e)
		e = jws_signature(&signature, input, sk);
	if (!e)
		e = compact_join(ret, (const char *[]){ input, signature }, 2);
	return e;
}

/* Three members and no other: what a header could still ask for (crit, b64, jwk, x5u …) is never obeyed. */
static enum err header_check(char ret_kid[KID_BYTES], const struct compact_part *part,
			     const char *typ)
{
	JSON *header = NULL;
	const char *text;
	enum err e;

	e = compact_json(&header, part);
	if (e)
		return e;
	if (json_object_size(header) != 3 || json_get_string(&text, header, "alg") ||
	    strcmp(text, "EdDSA") != 0 || json_get_string(&text, header, "typ"))
		return ERR_FORMAT;
	if (json_copy_string(ret_kid, KID_BYTES, header, "kid") ||
	    strlen(ret_kid) != KID_BYTES - 1)
		return ERR_FORMAT;
	return strcmp(text, typ) ? ERR_MISDIRECTED : OK;
}

static enum err payload_of(json_t **ret, const struct compact_part *part)
{
	JSON *payload = NULL;
	enum err e;

	e = compact_json(&payload, part);
	if (e)
		return e;
	if (!json_is_object(payload))
		return ERR_FORMAT;
	*ret = json_incref(payload);
	return OK;
}

static enum err signature_check(const struct compact_part parts[static COMPACT_JWS_PARTS],
				const struct sign_pk *pk)
{
	uint8_t signature[SIGNATURE_BYTES];
	size_t len = parts[0].len + 1 + parts[1].len;
	enum err e;

	e = compact_bytes(signature, sizeof signature, &parts[2]);
	if (e)
		return e;
	if (crypto_sign_verify_detached(signature, (const uint8_t *)parts[0].at, len, pk->bytes))
		return ERR_SIGNATURE;
	return OK;
}

enum err jws_signature_check(const char *jws, const struct sign_pk *pk)
{
	struct compact_part parts[COMPACT_JWS_PARTS];

	if (compact_split(parts, COMPACT_JWS_PARTS, jws, JWS_BYTES_MAX))
		return ERR_FORMAT;
	return signature_check(parts, pk);
}

enum err jws_verify(json_t **ret, const char *typ, const char *jws, const struct sign_pk *pk)
{
	struct compact_part parts[COMPACT_JWS_PARTS];
	char kid[KID_BYTES], want[KID_BYTES];
	enum err e;

	e = compact_split(parts, COMPACT_JWS_PARTS, jws, JWS_BYTES_MAX);
	if (!e)
		e = header_check(kid, &parts[0], typ);
	if (e)
		return e;
	kid_of_sign(want, pk);
	if (strcmp(kid, want) != 0)
		return ERR_SIGNATURE;
	e = signature_check(parts, pk);
	if (e)
		return e;
	return payload_of(ret, &parts[1]);
}

enum err jws_peek(json_t **ret, char ret_kid[KID_BYTES], const char *typ, const char *jws)
{
	struct compact_part parts[COMPACT_JWS_PARTS];
	char kid[KID_BYTES];
	enum err e;

	e = compact_split(parts, COMPACT_JWS_PARTS, jws, JWS_BYTES_MAX);
	if (!e)
		e = header_check(kid, &parts[0], typ);
	if (!e)
		e = payload_of(ret, &parts[1]);
	if (!e && ret_kid)
		memcpy(ret_kid, kid, KID_BYTES);
	return e;
}

void jws_digest(uint8_t ret[static DIGEST_BYTES], const char *jws)
{
	crypto_hash_sha256(ret, (const uint8_t *)jws, strlen(jws));
}
