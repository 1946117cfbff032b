/* JWK: OKP keys, Ed25519 (signs) and X25519 (agrees). RFC 7517, RFC 8037, thumbprint RFC 7638. */
#ifndef HOLDFAST_JWK_HOST_H
#define HOLDFAST_JWK_HOST_H

#include "json_host.h"
#include "key.h"

#define KID_BYTES 44 /* 43 base64url characters and NUL */

struct sign_pk { uint8_t bytes[KEY_BYTES]; };  /* Ed25519 public */
struct sign_sk { uint8_t seed[KEY_BYTES]; };   /* Ed25519 seed */
struct agree_pk { uint8_t bytes[KEY_BYTES]; }; /* X25519 public */
struct agree_sk { uint8_t bytes[KEY_BYTES]; }; /* X25519 private */

void sign_sk_wipe(struct sign_sk *k);
void agree_sk_wipe(struct agree_sk *k);
#define SIGN_SK __attribute__((cleanup(sign_sk_wipe))) struct sign_sk
#define AGREE_SK __attribute__((cleanup(agree_sk_wipe))) struct agree_sk

void sign_sk_new(struct sign_sk *ret);
void sign_pk_of(struct sign_pk *ret, const struct sign_sk *sk);
void agree_sk_new(struct agree_sk *ret);
void agree_pk_of(struct agree_pk *ret, const struct agree_sk *sk);

/* Public JWKs. New references. NULL when out of memory. */
json_t *jwk_of_sign(const struct sign_pk *pk);
json_t *jwk_of_agree(const struct agree_pk *pk);
/* Errors: ERR_FORMAT (another kty or crv, a private member, wrong length). */
MUST_CHECK enum err jwk_to_sign(struct sign_pk *ret, const json_t *jwk);
MUST_CHECK enum err jwk_to_agree(struct agree_pk *ret, const json_t *jwk);
/* Thumbprints. */
void kid_of_sign(char ret[KID_BYTES], const struct sign_pk *pk);
void kid_of_agree(char ret[KID_BYTES], const struct agree_pk *pk);

#endif
