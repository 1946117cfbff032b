/* Credential: one way for one user to get the unlock key. Made by the agent (and by pre-boot, when
 * a password is changed there), opened by pre-boot.
 *   KEK  = Argon2id(password, salt, cost), 32 bytes (argon2.h)
 *   wrap = XChaCha20-Poly1305(KEK, nonce, aad = "holdfast wrap v1" || id || kind || cred_pk ||
 *          user_pk; cred_sk || store_vk || user key seed)
 *   seal = crypto_box_seal(unlock key) to cred_pk
 *   duress wrap = XChaCha20-Poly1305(KEK of the duress password with the same salt and cost, nonce,
 *          aad = "holdfast duress v1" || id || kind || user_pk; WRAP_BYTES - 16 zeros); random where
 *          there is none
 * A password is its UTF-8 bytes (NFC); a code is its canonical text (code.h). */
#ifndef HOLDFAST_CREDENTIAL_H
#define HOLDFAST_CREDENTIAL_H

#include "format.h"
#include "key.h"
#include "secret.h"

enum credential_kind {
	CREDENTIAL_PASSWORD = 1,
	CREDENTIAL_ONE_TIME_CODE = 2,
	CREDENTIAL_RECOVERY_KEY = 3,
	CREDENTIAL_TPM_PIN = 4,      /* with a secret of the TPM, as are the following */
	CREDENTIAL_TPM_PASSWORD = 5,
	CREDENTIAL_SELF_HELP = 6,    /* what is typed: the secret of questions.h */
};

/* One whose user logs in with a name: password, TPM+PIN, TPM+password. A user has one of them at most. */
int credential_is_login(uint8_t kind);
/* One that needs a secret of the TPM. */
int credential_is_bound(uint8_t kind);

#define RECORD_MUST_CHANGE 0x01
#define USER_NAME_MAX 63
#define PASSWORD_BYTES_MAX 256
#define WRAP_BYTES 112
#define SEAL_BYTES 80

/* What a record may ask of the KDF: outside is ERR_RANGE, so a crafted record is no bomb and no
 * downgrade (threat 6). Passwords start at KDF_PASSWORD_MEMORY_KIB_MIN. */
#define KDF_MEMORY_KIB_MIN 8192u
#define KDF_PASSWORD_MEMORY_KIB_MIN 32768u
#define KDF_MEMORY_KIB_MAX (1024u * 1024u)
#define KDF_PASSES_MIN 1u
#define KDF_PASSES_MAX 16u
#define KDF_LANES_MAX 8u
/* Defaults: passwords 64 MiB, 4 passes, 4 lanes (RFC 9106 section 4 second choice has 64 MiB, 3, 4);
 * codes and the recovery key have the entropy themselves and must open on any day: 8 MiB, 2, 1. */
#define KDF_PASSWORD_MEMORY_KIB 65536u
#define KDF_PASSWORD_PASSES 4u
#define KDF_PASSWORD_LANES 4u
#define KDF_CODE_MEMORY_KIB 8192u
#define KDF_CODE_PASSES 2u
#define KDF_CODE_LANES 1u

#define FIELD(kind, name, at, len) FORMAT_MEMBER(kind, name, len)
struct record {
#include "store_record_v1.inc"
};
#undef FIELD

/* What a credential gives. Drop with credential_drop. */
struct credential {
	struct unlock_key unlock_key;
	struct store_vk store_vk;
	struct user_key user_key;
};
void credential_drop(struct credential *c);
#define CREDENTIAL __attribute__((cleanup(credential_drop))) struct credential

struct credential_spec {
	enum credential_kind kind;
	const char *user;  /* "" for codes and the recovery key */
	uint16_t number;   /* one-time codes */
	uint8_t flags;
	uint16_t changed_day; /* days since 1970-01-01 UTC; 0: unknown */
	uint32_t kdf_memory_kib, kdf_passes;
	uint8_t kdf_lanes; /* 1 to KDF_LANES_MAX */
	const uint8_t *salt; /* 16 bytes; NULL: random. Self-help: the one that questions_make had */
};

/* What was typed, after the record's Argon2id. Where the TPM takes part:
 *   auth = BLAKE2b-256(key = stretched, "holdfast tpm auth v1" || id)
 *   KEK  = BLAKE2b-256(key = stretched, "holdfast tpm kek v1" || id || the TPM's secret)
 * The duress password's key is the stretched one by itself. */
struct stretched { uint8_t bytes[KEY_BYTES]; };
void stretched_wipe(struct stretched *s);
#define STRETCHED __attribute__((cleanup(stretched_wipe))) struct stretched

/* The expensive part of opening. Errors: ERR_RANGE (cost), ERR_MEMORY. */
MUST_CHECK enum err credential_stretch(struct stretched *ret, const struct record *r,
				       const struct secret *typed);
/* Authorization value of the record's sealed object (tpm.h). */
void credential_tpm_auth(uint8_t ret[static KEY_BYTES], const struct record *r,
			 const struct stretched *s);
/* The duress password? To be asked before the TPM is, which would count a wrong try. */
int credential_is_duress(const struct record *r, const struct stretched *s);
/* The rest of opening. tpm_secret: NULL where the kind has none (else ERR_UNSUPPORTED, both ways).
 * Errors: as credential_open. */
MUST_CHECK enum err credential_open_stretched(struct credential *ret, const struct record *r,
					      const struct stretched *s, const uint8_t *tpm_secret);
/* credential_new and credential_change for bound kinds (else ERR_UNSUPPORTED). *ret_auth: what the sealed
 * object is to be made with, or changed to. For a change tpm_secret is the one that the record has now: with
 * another, the present password is not known again. Self-help is not changed but made anew (ERR_RANGE). */
MUST_CHECK enum err credential_new_bound(struct record *ret, uint8_t ret_auth[static KEY_BYTES],
					 const struct credential_spec *spec,
					 const struct secret *typed,
					 const uint8_t tpm_secret[static KEY_BYTES],
					 const struct store_vk *vk, const struct unlock_key *uk);
MUST_CHECK enum err credential_change_bound(struct record *r, uint8_t ret_auth[static KEY_BYTES],
					    const struct credential *c, const struct secret *typed,
					    const uint8_t tpm_secret[static KEY_BYTES],
					    uint16_t today);

/* Make a record for a password or code: new credential key pair, new user key, wrap and seal. Its
 * signature is made by store_sign. Errors: ERR_RANGE (cost, name), ERR_UNSUPPORTED (a bound kind),
 * ERR_MEMORY. */
MUST_CHECK enum err credential_new(struct record *ret, const struct credential_spec *spec,
				   const struct secret *password, const struct store_vk *vk,
				   const struct unlock_key *uk);

/* Open a record: one Argon2id, then both wraps, whichever it is, then the seal. The store is not
 * verified yet: call store_verify with ret->store_vk before anything of it is used.
 * Errors: ERR_AUTH (wrong password), ERR_DURESS (the duress password, whether or not there is a seal),
 * ERR_LOCKED (right, but the seal was dropped; ret->user_key and store_vk are set then),
 * ERR_SIGNATURE (seal does not match seal_digest), ERR_RANGE (cost), ERR_UNSUPPORTED (a bound kind),
 * ERR_MEMORY. */
MUST_CHECK enum err credential_open(struct credential *ret, const struct record *r,
				    const struct secret *password);

/* Another password for a user's record that c was opened from: new credential key, wrap and seal, so
 * that the old password opens no seal that is made from now on; changed_day, and RECORD_MUST_CHANGE is
 * cleared. Salt and user key stay, and with them a duress password. One Argon2id. The store is to be
 * signed afterwards (store_sign_record). On failure r is as it was.
 * Errors: ERR_EXISTS (the present password, or the duress password: which, is not said), ERR_LOCKED (no
 * seal), ERR_RANGE (a code's record, a record that c is not of, cost, length), ERR_UNSUPPORTED (a bound
 * kind), ERR_MEMORY. */
MUST_CHECK enum err credential_change(struct record *r, const struct credential *c,
				      const struct secret *password, uint16_t today);

/* Give a user's record a duress password, or take it away (password NULL). The store is to be signed
 * afterwards. On failure r is as it was.
 * Errors: ERR_EXISTS (the present password), ERR_RANGE (a code's or self-help record, cost, length),
 * ERR_UNSUPPORTED (a bound kind, which can only lose it this way), ERR_MEMORY. */
MUST_CHECK enum err credential_set_duress(struct record *r, const struct secret *password);
/* The same for a bound kind: without the TPM's secret the present password would not be known, and who
 * types it would then destroy the laptop's keys. The duress password itself needs no TPM. */
MUST_CHECK enum err credential_set_duress_bound(struct record *r, const struct secret *password,
						const uint8_t tpm_secret[static KEY_BYTES]);

/* Seal an unlock key to a record (its seal and seal_digest) / take the seal away. */
MUST_CHECK enum err record_seal(struct record *r, const struct unlock_key *uk);
void record_unseal(struct record *r);

#endif
