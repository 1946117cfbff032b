/* JWE: compact, A256GCM, with alg dir (sessions) or ECDH-ES over X25519 (escrow, wrapped keys).
 * RFC 7516, RFC 7518 sections 4.5, 4.6, 5.3, RFC 8037 section 3.2. */
#ifndef HOLDFAST_JWE_HOST_H
#define HOLDFAST_JWE_HOST_H

#include "jwk_host.h"
#include "secret.h"

#define JWE_BYTES_MAX ((size_t)1 << 20)

/* Plaintexts have 1 to SECRET_MAX bytes: an empty one is ERR_RANGE to seal and ERR_FORMAT to open. */

/* Seal to a public key; typ "holdfast-sealed". *ret is malloc'ed. Errors: ERR_MEMORY, ERR_FORMAT (a
 * public key of small order). */
MUST_CHECK enum err jwe_seal(char **ret, const struct agree_pk *pk, const uint8_t *plain, size_t len);
/* Errors: ERR_FORMAT, ERR_AUTH (another key, or changed), ERR_MEMORY. */
MUST_CHECK enum err jwe_unseal(struct secret *ret, const char *jwe, const struct agree_sk *sk);

/* alg dir. header: an object with the members beside alg and enc (typ, sid, dir, ctr, …);
 * iv: 12 bytes that this key has never seen. Errors: ERR_MEMORY. */
MUST_CHECK enum err jwe_dir_encrypt(char **ret, const json_t *header, const uint8_t key[static KEY_BYTES],
				    const uint8_t iv[static 12], const void *plain, size_t len);
/* The protected header, not yet authenticated: to find the session. Errors: ERR_FORMAT. */
MUST_CHECK enum err jwe_peek(json_t **ret_header, const char *jwe);
/* Errors: ERR_FORMAT, ERR_AUTH. iv must be equal to the one in the message. */
MUST_CHECK enum err jwe_dir_decrypt(struct secret *ret, json_t **ret_header, const char *jwe,
				    const uint8_t key[static KEY_BYTES], const uint8_t iv[static 12]);

/* Content encryption alone, with the given key whatever the header says: header is the encoded protected
 * header. For the vectors of the RFCs; everybody else wants the functions above. */
MUST_CHECK enum err jwe_compact(char **ret, const char *header, const uint8_t key[static KEY_BYTES],
				const uint8_t iv[static 12], const void *plain, size_t len);

#endif
