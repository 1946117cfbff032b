/* JWS: compact, EdDSA over Ed25519 and nothing else. RFC 7515, RFC 8037 section 3.1. */
#ifndef HOLDFAST_JWS_HOST_H
#define HOLDFAST_JWS_HOST_H

#include "jwk_host.h"

#define JWS_BYTES_MAX ((size_t)256 << 10)

/* Sign a JSON payload under a typ ("holdfast-command"). *ret is malloc'ed. Errors: ERR_MEMORY. */
MUST_CHECK enum err jws_sign(char **ret, const char *typ, const json_t *payload,
			     const struct sign_sk *sk);

/* Verify with a key that the caller trusts; typ must be equal. *ret is a new reference.
 * Errors: ERR_FORMAT, ERR_SIGNATURE, ERR_MISDIRECTED (another typ). */
MUST_CHECK enum err jws_verify(json_t **ret, const char *typ, const char *jws,
			       const struct sign_pk *pk);

/* Payload and kid without any check of the signature: to find out which key to verify with.
 * ret_kid may be NULL. Errors: ERR_FORMAT, ERR_MISDIRECTED. */
MUST_CHECK enum err jws_peek(json_t **ret, char ret_kid[KID_BYTES], const char *typ, const char *jws);

/* The two halves alone, whatever the header says: base64url of the signature over `header.payload`, and
 * its check. For the vectors of the RFCs; everybody else wants jws_sign and jws_verify. */
MUST_CHECK enum err jws_signature(char **ret, const char *signing_input, const struct sign_sk *sk);
MUST_CHECK enum err jws_signature_check(const char *jws, const struct sign_pk *pk);

/* SHA-256 of the compact text: how messages refer to each other. */
void jws_digest(uint8_t ret[static DIGEST_BYTES], const char *jws);

#endif
