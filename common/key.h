/* Fixed-size keys: one struct type each, so that two cannot be swapped silently.
 * KEY variables are wiped at scope end; they live on the stack or inside other structs. */
#ifndef HOLDFAST_KEY_H
#define HOLDFAST_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define KEY_BYTES 32
#define UNLOCK_KEY_BYTES KEY_BYTES
#define SIGNATURE_BYTES 64
#define DIGEST_BYTES 32
#define DEVICE_ID_BYTES 16

struct unlock_key { uint8_t bytes[KEY_BYTES]; };   /* opens the unlock keyslot on every volume */
struct store_sk { uint8_t seed[KEY_BYTES]; };      /* Ed25519 seed that signs the store */
struct store_vk { uint8_t bytes[KEY_BYTES]; };     /* Ed25519 public key of the store */
struct user_key { uint8_t seed[KEY_BYTES]; };      /* Ed25519 seed: "this user authenticated" */
struct digest { uint8_t bytes[DIGEST_BYTES]; };    /* BLAKE2b-256, RFC 7693 */

void unlock_key_wipe(struct unlock_key *k);
void store_sk_wipe(struct store_sk *k);
void user_key_wipe(struct user_key *k);

#define UNLOCK_KEY __attribute__((cleanup(unlock_key_wipe))) struct unlock_key
#define STORE_SK __attribute__((cleanup(store_sk_wipe))) struct store_sk
#define USER_KEY __attribute__((cleanup(user_key_wipe))) struct user_key

/* The store's signing key at work. Errors of the check: ERR_SIGNATURE. */
void store_sk_public(struct store_vk *ret, const struct store_sk *sk);
void store_sk_sign(uint8_t ret[static SIGNATURE_BYTES], const struct store_sk *sk,
		   const void *message, size_t len);
MUST_CHECK enum err store_vk_check(const struct store_vk *vk,
				   const uint8_t signature[static SIGNATURE_BYTES],
				   const void *message, size_t len);

/* Eight bytes that name an unlock key without telling anything about it:
 * BLAKE2b-64 of the key, keyed with "holdfast unlock key id". */
struct uk_id { uint8_t bytes[8]; };
void unlock_key_id(struct uk_id *ret, const struct unlock_key *uk);

#endif
