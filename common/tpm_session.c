#include "tpm_session.h"

#include <mbedtls/aes.h>
#include <sodium.h>
#include <string.h>

#define AES_BYTES 16

void tpm_session_wipe(struct tpm_session *s)
{
	sodium_memzero(s, sizeof(*s));
}

size_t tpm_auth_len(const uint8_t *auth)
{
	size_t len = auth ? TPM_AUTH_BYTES : 0;

	while (len > 0 && !auth[len - 1])
		len--;
	return len;
}

void tpm_kdfa(uint8_t ret[static TPM_DIGEST_BYTES], const uint8_t *key, size_t key_len, const char *label,
	      const uint8_t context_u[static 32], const uint8_t context_v[static 32])
{
	static const uint8_t counter[] = { 0, 0, 0, 1 }, bits[] = { 0, 0, 1, 0 };
	crypto_auth_hmacsha256_state s;

	crypto_auth_hmacsha256_init(&s, key, key_len);
	crypto_auth_hmacsha256_update(&s, counter, sizeof(counter));
	crypto_auth_hmacsha256_update(&s, (const uint8_t *)label, strlen(label) + 1);
	crypto_auth_hmacsha256_update(&s, context_u, 32);
	crypto_auth_hmacsha256_update(&s, context_v, 32);
	crypto_auth_hmacsha256_update(&s, bits, sizeof(bits));
	crypto_auth_hmacsha256_final(&s, ret);
	sodium_memzero(&s, sizeof(s));
}

void tpm_kdfe(uint8_t ret[static TPM_DIGEST_BYTES], const uint8_t z[static P256_BYTES], const char *label,
	      const uint8_t party_u[static P256_BYTES], const uint8_t party_v[static P256_BYTES])
{
	static const uint8_t counter[] = { 0, 0, 0, 1 };
	crypto_hash_sha256_state s;

	crypto_hash_sha256_init(&s);
	crypto_hash_sha256_update(&s, counter, sizeof(counter));
	crypto_hash_sha256_update(&s, z, P256_BYTES);
	crypto_hash_sha256_update(&s, (const uint8_t *)label, strlen(label) + 1);
	crypto_hash_sha256_update(&s, party_u, P256_BYTES);
	crypto_hash_sha256_update(&s, party_v, P256_BYTES);
	crypto_hash_sha256_final(&s, ret);
	sodium_memzero(&s, sizeof(s));
}

enum err tpm_salt_new(uint8_t ret_salt[static TPM_DIGEST_BYTES], struct p256_point *ret_ephemeral,
		      const struct tpm_parent *parent)
{
	struct p256_point theirs, ours;
	uint8_t z[P256_BYTES];
	P256_SCALAR ephemeral;
	enum err e;

	memcpy(theirs.x, parent->x, P256_BYTES);
	memcpy(theirs.y, parent->y, P256_BYTES);
	e = p256_generate(&ephemeral, &ours);
	if (!e)
		e = p256_shared(z, &ephemeral, &theirs);
	if (e)
		return e;
	tpm_kdfe(ret_salt, z, "SECRET", ours.x, theirs.x);
	sodium_memzero(z, sizeof(z));
	*ret_ephemeral = ours;
	return OK;
}

void tpm_session_key(struct tpm_session *s, const uint8_t salt[static TPM_DIGEST_BYTES])
{
	tpm_kdfa(s->key, salt, TPM_DIGEST_BYTES, "ATH", s->nonce_tpm, s->nonce_caller);
}

/* sessionKey || authValue: what keys both HMAC and encryption. */
struct session_value {
	uint8_t bytes[TPM_DIGEST_BYTES + TPM_AUTH_BYTES];
	size_t len;
};

static void session_value_wipe(struct session_value *v)
{
	sodium_memzero(v, sizeof(*v));
}
#define SESSION_VALUE __attribute__((cleanup(session_value_wipe))) struct session_value

static void session_value_make(struct session_value *ret, const struct tpm_session *s, const uint8_t *auth)
{
	size_t len = tpm_auth_len(auth);

	memcpy(ret->bytes, s->key, TPM_DIGEST_BYTES);
	if (len)
		memcpy(ret->bytes + TPM_DIGEST_BYTES, auth, len);
	ret->len = TPM_DIGEST_BYTES + len;
}

void tpm_session_hmac(uint8_t ret[static TPM_DIGEST_BYTES], const struct tpm_session *s, const uint8_t *auth,
		      const uint8_t hash[static TPM_DIGEST_BYTES], uint8_t attributes, int is_answer)
{
	const uint8_t *newer = is_answer ? s->nonce_tpm : s->nonce_caller;
	const uint8_t *older = is_answer ? s->nonce_caller : s->nonce_tpm;
	crypto_auth_hmacsha256_state state;
	SESSION_VALUE key;

	session_value_make(&key, s, auth);
	crypto_auth_hmacsha256_init(&state, key.bytes, key.len);
	crypto_auth_hmacsha256_update(&state, hash, TPM_DIGEST_BYTES);
	crypto_auth_hmacsha256_update(&state, newer, TPM_NONCE_BYTES);
	crypto_auth_hmacsha256_update(&state, older, TPM_NONCE_BYTES);
	crypto_auth_hmacsha256_update(&state, &attributes, 1);
	crypto_auth_hmacsha256_final(&state, ret);
	sodium_memzero(&state, sizeof(state));
}

static void crypt(const struct tpm_session *s, const uint8_t *auth, uint8_t *bytes, size_t len, int is_answer)
{
	const uint8_t *newer = is_answer ? s->nonce_tpm : s->nonce_caller;
	const uint8_t *older = is_answer ? s->nonce_caller : s->nonce_tpm;
	uint8_t key_iv[TPM_DIGEST_BYTES];
	mbedtls_aes_context aes;
	SESSION_VALUE value;
	size_t offset = 0;

	session_value_make(&value, s, auth);
	tpm_kdfa(key_iv, value.bytes, value.len, "CFB", newer, older);
	mbedtls_aes_init(&aes);
	mbedtls_aes_setkey_enc(&aes, key_iv, 8 * AES_BYTES); /* fails for other lengths only */
	mbedtls_aes_crypt_cfb128(&aes, is_answer ? MBEDTLS_AES_DECRYPT : MBEDTLS_AES_ENCRYPT, len, &offset,
				 key_iv + AES_BYTES, bytes, bytes);
	mbedtls_aes_free(&aes);
	sodium_memzero(key_iv, sizeof(key_iv));
}

void tpm_session_encrypt(const struct tpm_session *s, const uint8_t *auth, uint8_t *bytes, size_t len)
{
	crypt(s, auth, bytes, len, 0);
}

void tpm_session_decrypt(const struct tpm_session *s, const uint8_t *auth, uint8_t *bytes, size_t len)
{
	crypt(s, auth, bytes, len, 1);
}
