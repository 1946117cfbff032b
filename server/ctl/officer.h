/* Officer: the keys of one person, and how they are derived and wrapped.
 *   stretched = Argon2id(passphrase, salt, cost), 32 bytes
 *   master    = BLAKE2b-256 keyed with the officer key file (128 bits) over stretched
 *   sign-in seed, wrapping key, root's wrapping key = three branches of crypto_kdf over master
 * The server keeps salt, cost, the sign-in certificate and the wrapped keys: without the key file a
 * guessed passphrase opens nothing of it. */
#ifndef HOLDFAST_CTL_OFFICER_H
#define HOLDFAST_CTL_OFFICER_H

#include "common/jwk_host.h"
#include "common/secret.h"

#define OFFICER_NAME_MAX 63
#define OFFICER_SALT_BYTES 16
#define OFFICER_KEY_FILE_BYTES 16
#define OFFICER_KDF_MEMORY_KIB 65536u
#define OFFICER_KDF_PASSES 3u

struct officer_kdf {
	uint8_t salt[OFFICER_SALT_BYTES];
	uint32_t memory_kib, passes;
};

/* What passphrase and key file give. */
struct officer_branches {
	struct sign_sk sign_in;
	uint8_t wrapping[KEY_BYTES];      /* wraps struct officer_keys */
	uint8_t root_wrapping[KEY_BYTES]; /* wraps the officer root in the officer's folder */
};
void officer_branches_drop(struct officer_branches *b);
#define BRANCHES __attribute__((cleanup(officer_branches_drop))) struct officer_branches

/* What an officer signs with and opens escrow keys with. */
struct officer_keys {
	struct sign_sk sign;
	struct agree_sk agree;
};
void officer_keys_drop(struct officer_keys *k);
#define OFFICER_KEYS __attribute__((cleanup(officer_keys_drop))) struct officer_keys

/* Lower-case letters, digits, '.', '-', '_'; 1 to OFFICER_NAME_MAX. */
int officer_name_valid(const char *name);

/* New key file DIR/NAME.officer-key. Errors: ERR_EXISTS, ERR_IO. */
MUST_CHECK enum err officer_key_file_new(const char *dir, const char *name);
int officer_key_file_exists(const char *dir, const char *name);
/* Of an officer who was not appointed after all. */
void officer_key_file_remove(const char *dir, const char *name);
/* Errors: ERR_NOT_FOUND, ERR_FORMAT. */
MUST_CHECK enum err officer_key_file_read(struct secret *ret, const char *dir, const char *name);
/* The only NAME of a key file in dir. Errors: ERR_NOT_FOUND, ERR_RANGE (several). */
MUST_CHECK enum err officer_key_file_find(char ret[OFFICER_NAME_MAX + 1], const char *dir);

/* Errors: ERR_RANGE (cost out of bounds: a server asks for too little or too much), ERR_MEMORY. */
MUST_CHECK enum err officer_derive(struct officer_branches *ret, const struct secret *passphrase,
				   const struct secret *key_file, const struct officer_kdf *kdf);

void officer_keys_new(struct officer_keys *ret);
/* The wrapped form is a JWE (dir, A256GCM) under the wrapping branch. Errors: ERR_AUTH. */
MUST_CHECK enum err officer_keys_wrap(char **ret, const struct officer_keys *k,
				      const struct officer_branches *b);
MUST_CHECK enum err officer_keys_unwrap(struct officer_keys *ret, const char *jwe,
					const struct officer_branches *b);

/* A wrapped key of 32 bytes under a symmetric key: JWE dir. */
MUST_CHECK enum err wrapped_new(char **ret, const char *typ, const uint8_t key[static KEY_BYTES],
				const void *bytes, size_t len);
MUST_CHECK enum err wrapped_open(struct secret *ret, const char *jwe,
				 const uint8_t key[static KEY_BYTES]);

#endif
