/* Credential store: records, manifest, generation, signed as a whole. Lies on the ESP in two copies,
 * \EFI\holdfast\store.0 and store.1, written alternately and in place, each file STORE_FILE_STEP
 * aligned and zero padded, so that a write changes no file system metadata.
 * Written by the agent (signed changes) and by pre-boot (drops seals); read by pre-boot and agent.
 * Tables: store_head_v1.inc, store_record_v1.inc.
 *
 * Reading: store_decode (bounds, checksum) -> credential_open -> store_verify. Before store_verify
 * everything in it is a hint. */
#ifndef HOLDFAST_STORE_H
#define HOLDFAST_STORE_H

#include "bindings.h"
#include "credential.h"
#include "format.h"
#include "key.h"
#include "manifest.h"
#include "questions.h"
#include "rules.h"

#define STORE_LOCKED 0x0001
#define STORE_RECORDS_MAX 320
#define STORE_BYTES_MAX (384u * 1024u)
#define STORE_FILE_STEP (64u * 1024u)
#define STORE_NAME_MAX 55
#define STORE_GENERATION_MAX ((uint64_t)1 << 48)

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct store_head {
#include "store_head_v1.inc"
};
#undef FIELD

struct store {
	struct store_head head;
	struct record *records; /* head.record_count of them */
	struct manifest manifest;
	struct rules rules;
	struct bindings bindings;
	struct questions *questions; /* malloc'ed, head.questions_count of them; or NULL */
	uint8_t signature[SIGNATURE_BYTES];
};
void store_drop(struct store *s);
#define STORE __attribute__((cleanup(store_drop))) struct store

/* An empty store for a device: generation 1, new store key wrapped under uk, no record; signed.
 * Errors: ERR_MEMORY, ERR_RANGE (name). */
MUST_CHECK enum err store_new(struct store *ret, const uint8_t device[static DEVICE_ID_BYTES],
			      const char *name, const struct unlock_key *uk);

/* Bytes of a file (zero padding at the end allowed, anything else trailing is ERR_FORMAT).
 * Errors: ERR_FORMAT, ERR_VERSION, ERR_CHECKSUM, ERR_RANGE, ERR_MEMORY. */
MUST_CHECK enum err store_decode(struct store *ret, const uint8_t *bytes, size_t len);

/* The file: *ret is malloc'ed, *ret_len a multiple of STORE_FILE_STEP. Errors: ERR_RANGE, ERR_MEMORY. */
MUST_CHECK enum err store_encode(uint8_t **ret, size_t *ret_len, const struct store *s);

/* Signature of the store and of the manifest, each seal that is there against its signed seal_digest,
 * and head.store_vk against vk. Errors: ERR_SIGNATURE, ERR_MEMORY.
 *
 * The records' own signatures are not checked one by one: each is itself among the bytes that the
 * store's signature covers, with the record and the device id that it is about. Who signs a store has
 * made them (store_sign), or has made one and found the others in a store that he had verified
 * (store_sign_record). So a record with a signature that store_sk did not make can't be in a store that
 * verifies, and among hundreds of records this takes two checks of Ed25519 instead of hundreds. */
MUST_CHECK enum err store_verify(const struct store *s, const struct store_vk *vk);

/* A record's own signature, after store_verify: for the one that opened. A second look at what the
 * store's signature vouches for already. Errors: ERR_SIGNATURE. */
MUST_CHECK enum err store_verify_record(const struct store *s, const struct record *r,
					const struct store_vk *vk);

/* The signing key from the head's wrap. Errors: ERR_AUTH (another unlock key). */
MUST_CHECK enum err store_signing_key(struct store_sk *ret, const struct store *s,
				      const struct unlock_key *uk);

/* Sign records, manifest and store. The caller has raised head.generation.
 * Errors: ERR_AUTH (another store's key), ERR_RANGE (what could not be decoded again), ERR_MEMORY. */
MUST_CHECK enum err store_sign(struct store *s, const struct store_sk *sk);

/* Which of two copies counts: the one with the higher (generation, revision). NULL is a copy that
 * does not decode; both NULL gives NULL. */
const struct store *store_newer(const struct store *a, const struct store *b);

/* Record that a user logs in with (credential_is_login: one of the three kinds); of a user's self-help;
 * of a code by its number (kind CREDENTIAL_ONE_TIME_CODE) or of the recovery key (number 0). *ret points
 * into s, valid until store_drop or store_add/remove. Constant time over the records, so that timing does
 * not tell which users exist. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err store_find_user(struct record **ret, const struct store *s, const char *user);
MUST_CHECK enum err store_find_self_help(struct record **ret, const struct store *s, const char *user);
MUST_CHECK enum err store_find_code(struct record **ret, const struct store *s,
				    enum credential_kind kind, uint16_t number);

/* The unused one-time code with the lowest number: the one that the challenge asks for.
 * Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err store_next_code(struct record **ret, const struct store *s);

/* Errors: ERR_SPACE, ERR_EXISTS (same id or code; a second login or self-help record of a user),
 * ERR_RANGE (the record itself), ERR_MEMORY. */
MUST_CHECK enum err store_add(struct store *s, const struct record *r);
/* With its bindings and questions. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err store_remove(struct store *s, const uint8_t id[static 16]);

/* Questions of a self-help record. *ret points into s until the next put or store_remove.
 * Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err store_questions_find(struct questions **ret, const struct store *s,
					 const uint8_t credential[static 16]);
/* Add, or put in the place of the same credential's. Errors: ERR_SPACE, ERR_MEMORY. */
MUST_CHECK enum err store_questions_put(struct store *s, const struct questions *q);

/* Change the unlock key: re-wrap the signing key, set uk_id, the bindings' copies under the new key, and
 * seal to every record, or, when locked is set, only to codes and recovery key (users' seals are dropped,
 * those of self-help as well), with head.flags to match. The store is to be signed afterwards. On failure
 * it is as it was.
 * Errors: ERR_AUTH (old_uk does not open this store, or a binding's copy), ERR_RANGE, ERR_MEMORY. */
MUST_CHECK enum err store_rekey(struct store *s, const struct unlock_key *old_uk,
				const struct unlock_key *new_uk, int locked);

/* What pre-boot may do without any key: drop one seal, or those of all users (self-help too), and raise
 * head.revision. */
void store_drop_seal(struct store *s, struct record *r);
void store_lock(struct store *s);

/* There are users, and none of them has a seal: whoever locked it, only a code opens it. */
int store_is_locked(const struct store *s);

/* Number of records that somebody logs in with (credential_is_login). */
uint32_t store_user_count(const struct store *s);

/* Sign again after a change to one record of a store that was verified before: as store_sign, but of
 * the records only r is signed anew, so that it is quick among hundreds. Errors: as store_sign. */
MUST_CHECK enum err store_sign_record(struct store *s, struct record *r, const struct store_sk *sk);

#endif
