/* Sessions with the TPM: what both sides compute. A session is salted by ECDH to the parent's public
 * point, so only the TPM that has the parent shares its key; it authenticates commands and answers by
 * HMAC-SHA-256 with rolling nonces, and encrypts the first parameter by AES-128-CFB. Nothing is sent
 * from here. TPM 2.0 Library, Part 1, 11.4.10 (KDFs), 19 (sessions), 21 (parameter encryption), C.6. */
#ifndef HOLDFAST_TPM_SESSION_H
#define HOLDFAST_TPM_SESSION_H

#include "p256.h"
#include "tpm.h"

#define TPM_NONCE_BYTES 32
#define TPM_DIGEST_BYTES 32

enum tpm_session_kind { TPM_SESSION_HMAC = 0, TPM_SESSION_POLICY = 1 };

/* TPMA_SESSION. */
#define TPM_CONTINUE 0x01
#define TPM_DECRYPT 0x20 /* the TPM decrypts the command's first parameter */
#define TPM_ENCRYPT 0x40 /* the TPM encrypts the answer's */

struct tpm_session {
	uint32_t handle; /* 0: none */
	uint8_t key[TPM_DIGEST_BYTES];
	uint8_t nonce_caller[TPM_NONCE_BYTES], nonce_tpm[TPM_NONCE_BYTES];
};
void tpm_session_wipe(struct tpm_session *s);

/* An authorization value as the TPM uses it: without zeros at its end. NULL: empty. */
size_t tpm_auth_len(const uint8_t *auth);

/* Part 1, 11.4.10.2 and .3, with SHA-256 and 256 bits of result. label: without its NUL. */
void tpm_kdfa(uint8_t ret[static TPM_DIGEST_BYTES], const uint8_t *key, size_t key_len, const char *label,
	      const uint8_t context_u[static 32], const uint8_t context_v[static 32]);
void tpm_kdfe(uint8_t ret[static TPM_DIGEST_BYTES], const uint8_t z[static P256_BYTES], const char *label,
	      const uint8_t party_u[static P256_BYTES], const uint8_t party_v[static P256_BYTES]);

/* A salt for the parent, and the ephemeral point from which the TPM gets it.
 * Errors: ERR_FORMAT (the parent's point is none), ERR_MEMORY. */
MUST_CHECK enum err tpm_salt_new(uint8_t ret_salt[static TPM_DIGEST_BYTES], struct p256_point *ret_ephemeral,
				 const struct tpm_parent *parent);
/* The key, from the salt and the nonces in *s. */
void tpm_session_key(struct tpm_session *s, const uint8_t salt[static TPM_DIGEST_BYTES]);

/* HMAC over a command's cpHash (is_answer 0) or an answer's rpHash. */
void tpm_session_hmac(uint8_t ret[static TPM_DIGEST_BYTES], const struct tpm_session *s, const uint8_t *auth,
		      const uint8_t hash[static TPM_DIGEST_BYTES], uint8_t attributes, int is_answer);

/* A parameter in place, without its size: command's (encrypts), answer's (decrypts). */
void tpm_session_encrypt(const struct tpm_session *s, const uint8_t *auth, uint8_t *bytes, size_t len);
void tpm_session_decrypt(const struct tpm_session *s, const uint8_t *auth, uint8_t *bytes, size_t len);

#endif
