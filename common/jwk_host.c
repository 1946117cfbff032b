/* OKP keys as JWKs, and their thumbprints. */
#include "jwk_host.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define CRV_SIGN "Ed25519"
#define CRV_AGREE "X25519"

void sign_sk_wipe(struct sign_sk *k)
{
	secret_wipe(k, sizeof *k);
}

void agree_sk_wipe(struct agree_sk *k)
{
	secret_wipe(k, sizeof *k);
}

void sign_sk_new(struct sign_sk *ret)
{
	randombytes_buf(ret->seed, sizeof ret->seed);
}

void sign_pk_of(struct sign_pk *ret, const struct sign_sk *sk)
{
	uint8_t both[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(ret->bytes, both, sk->seed);
	secret_wipe(both, sizeof both);
}

void agree_sk_new(struct agree_sk *ret)
{
	randombytes_buf(ret->bytes, sizeof ret->bytes);
}

void agree_pk_of(struct agree_pk *ret, const struct agree_sk *sk)
{
	crypto_scalarmult_base(ret->bytes, sk->bytes);
}

/* 32 bytes are 43 characters. */
static void key_text(char ret[KID_BYTES], const uint8_t bytes[static KEY_BYTES])
{
	sodium_bin2base64(ret, KID_BYTES, bytes, KEY_BYTES,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static json_t *okp_to_jwk(const char *crv, const uint8_t bytes[static KEY_BYTES])
{
	char x[KID_BYTES];

	key_text(x, bytes);
	return json_pack("{s:s, s:s, s:s}", "kty", "OKP", "crv", crv, "x", x);
}

static enum err okp_from_jwk(uint8_t ret[static KEY_BYTES], const char *crv, const json_t *jwk)
{
	const char *text;

	if (json_get_string(&text, jwk, "kty") || strcmp(text, "OKP") != 0 ||
	    json_get_string(&text, jwk, "crv") || strcmp(text, crv) != 0 ||
	    json_object_get(jwk, "d"))
		return ERR_FORMAT;
	return json_get_b64(ret, KEY_BYTES, jwk, "x");
}

json_t *jwk_of_sign(const struct sign_pk *pk)
{
	return okp_to_jwk(CRV_SIGN, pk->bytes);
}

json_t *jwk_of_agree(const struct agree_pk *pk)
{
	return okp_to_jwk(CRV_AGREE, pk->bytes);
}

enum err jwk_to_sign(struct sign_pk *ret, const json_t *jwk)
{
	return okp_from_jwk(ret->bytes, CRV_SIGN, jwk);
}

enum err jwk_to_agree(struct agree_pk *ret, const json_t *jwk)
{
	return okp_from_jwk(ret->bytes, CRV_AGREE, jwk);
}

/* RFC 7638: the required members in alphabetical order, without white space. */
static void thumbprint(char ret[KID_BYTES], const char *crv, const uint8_t bytes[static KEY_BYTES])
{
	char x[KID_BYTES], text[128];
	uint8_t digest[crypto_hash_sha256_BYTES];

	key_text(x, bytes);
	snprintf(text, sizeof text, "{\"crv\":\"%s\",\"kty\":\"OKP\",\"x\":\"%s\"}", crv, x);
	crypto_hash_sha256(digest, (const uint8_t *)text, strlen(text));
	key_text(ret, digest);
}

void kid_of_sign(char ret[KID_BYTES], const struct sign_pk *pk)
{
	thumbprint(ret, CRV_SIGN, pk->bytes);
}

void kid_of_agree(char ret[KID_BYTES], const struct agree_pk *pk)
{
	thumbprint(ret, CRV_AGREE, pk->bytes);
}
