/* AES-256-GCM over mbedTLS 2.28. */
#include "gcm_host.h"

#include <mbedtls/gcm.h>

/* mbedtls_gcm_free wipes the key schedule. */
static enum err context_new(mbedtls_gcm_context *ret, const struct gcm *g)
{
	mbedtls_gcm_init(ret);
	return mbedtls_gcm_setkey(ret, MBEDTLS_CIPHER_ID_AES, g->key, KEY_BYTES * 8) ?
		       ERR_MEMORY : OK;
}

enum err gcm_encrypt(uint8_t *ret, uint8_t ret_tag[static GCM_TAG_BYTES], const struct gcm *g,
		     const void *plain, size_t len)
{
	mbedtls_gcm_context c;
	enum err e;

	e = context_new(&c, g);
	if (!e && mbedtls_gcm_crypt_and_tag(&c, MBEDTLS_GCM_ENCRYPT, len, g->iv, GCM_IV_BYTES,
					    g->aad, g->aad_len, plain, ret, GCM_TAG_BYTES, ret_tag))
		e = ERR_INTERNAL;
	mbedtls_gcm_free(&c);
	return e;
}

enum err gcm_decrypt(uint8_t *ret, const struct gcm *g, const void *sealed, size_t len,
		     const uint8_t tag[static GCM_TAG_BYTES])
{
	mbedtls_gcm_context c;
	enum err e;

	e = context_new(&c, g);
	if (!e && mbedtls_gcm_auth_decrypt(&c, len, g->iv, GCM_IV_BYTES, g->aad, g->aad_len, tag,
					   GCM_TAG_BYTES, sealed, ret))
		e = ERR_AUTH;
	mbedtls_gcm_free(&c);
	return e;
}
