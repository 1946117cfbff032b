/* Vault: the process that holds the server key, shakes hands, keeps escrow records, and signs. It
 * has no network; the frontend asks by messages (server/vaultmsg.h), and is not believed: who may
 * do what is checked here, against certificates and sessions that the vault itself has seen
 * confirmed. */
#ifndef HOLDFAST_VAULT_H
#define HOLDFAST_VAULT_H

#include "common/command_host.h"
#include "common/escrow_host.h"
#include "server/db.h"
#include "server/fault.h"
#include "server/name.h"
#include "server/sidmap.h"
#include "server/vaultmsg.h"

struct vault {
	struct db *db;
	struct sign_sk key;
	struct sign_pk pk;
	struct sidmap sessions;
	int hello_done; /* the claim secret is told once, before there is a frontend */
	int claimed;
	char enterprise[ID_TEXT]; /* "" until claimed */
	struct sign_pk root;      /* set when claimed */
};

/* Who signs in with the officer root itself, from the recovery sheet, to appoint an officer: no
 * officer's name has capitals. */
#define VAULT_ROOT "ROOT"
#define VAULT_ANY_OFFICER ""

struct vault_session {
	struct sidmap_entry entry;
	struct session session; /* id and transcript; its keys are the frontend's */
	struct sign_pk client;
	char device[ID_TEXT]; /* "" for an officer */
	char officer[NAME_MAX_BYTES + 1];
};

/* dir: where vault.db and server.key lie; made when absent. Errors: as db_open, ERR_FORMAT
 * (server.key). */
MUST_CHECK enum err vault_open(struct vault *ret, const char *dir);
void vault_close(struct vault *v);

/* Answer requests on fd until the other side is gone (OK) or breaks the format (its error). */
MUST_CHECK enum err vault_serve(struct vault *v, int fd);
/* One request; answer is always filled, with VAULT_ERROR on failure. For tests, too. */
void vault_answer(struct vault *v, const struct vaultmsg *ask, struct vaultmsg *answer);

/* Give up what the vault never needs (network, other programs, other processes' memory). */
MUST_CHECK enum err vault_sandbox(void);

/* Texts of the enterprise as a whole, by name: "root", "server", "escrow_help", …; "" if absent. */
MUST_CHECK enum err vault_meta_get(char **ret, struct vault *v, const char *name);
MUST_CHECK enum err vault_meta_set(struct vault *v, const char *name, const char *text);
/* Read what is cached in struct vault. */
MUST_CHECK enum err vault_load(struct vault *v);

/* Bytes that follow from the server key, so that they need not be stored: BLAKE2b-256, keyed with
 * the seed, over label, NUL, text. */
void vault_derive(uint8_t ret[static KEY_BYTES], const struct vault *v, const char *label,
		  const char *text);
/* Constant-time check of base64url HMAC-SHA256(key, text). */
int vault_hmac_holds(const uint8_t key[static KEY_BYTES], const char *text, const char *proof);

uint64_t vault_now(void);
void vault_trust(struct command_trust *ret, const struct vault *v);

/* A confirmed session; device ones only, when want_device. Errors: ERR_STATE. */
MUST_CHECK enum err vault_session_find(struct vault_session **ret, struct vault *v, const char *id,
				       int want_device, struct fault *f);
/* The officer of a confirmed session, holding a certificate by the root that is valid now and
 * carries the permission; cert_text may be NULL. VAULT_ANY_OFFICER: no permission is needed; NULL:
 * nor is an officer, the officer root will do. Errors: ERR_STATE, ERR_DENIED, ERR_EXPIRED. */
MUST_CHECK enum err vault_officer_check(struct cert *ret, char **ret_cert_text, struct vault *v,
					const char *session, const char *permission,
					struct fault *f);

struct vault_device {
	char id[ID_TEXT], enrolment[ID_TEXT], name[NAME_MAX_BYTES + 1];
	struct sign_pk attestation;
	uint64_t command_seq, kill_seq;
};
MUST_CHECK enum err vault_device_find(struct vault_device *ret, struct vault *v, const char *id,
				      struct fault *f);
/* A laptop's batch of messages: the laptop of a confirmed session, and the array that it sent. Errors: as
 * vault_session_find, vault_device_find and json_parse. */
MUST_CHECK enum err vault_device_batch(struct vault_device *ret, json_t **ret_array, struct vault *v,
				       const char *session, const char *array, struct fault *f);

/* Certificate of a user key: by the attestation key, subject USER/CREDENTIAL/METHOD. */
struct vault_user {
	char user[NAME_MAX_BYTES + 1], credential[ID_TEXT], method[24];
	struct sign_pk key;
};
/* "password", "tpm-password", "tpm-pin": what a user signs in with each day; the others help once. */
int vault_method_is_login(const char *name);
MUST_CHECK enum err vault_user_read(struct vault_user *ret, const char *cert,
				    const struct sign_pk *attestation);
MUST_CHECK enum err vault_user_put(struct vault *v, const char *device, const char *cert,
				   const struct sign_pk *attestation, uint64_t now);

/* Check and store an officer object; inside a transaction. *ret_cert: the officer's certificate. */
MUST_CHECK enum err vault_officer_put(struct cert *ret, struct vault *v, const json_t *officer,
				      struct fault *f);
/* Check and store a policy of a version above the present one; certs: among them the signer's, the
 * only one that is kept. */
MUST_CHECK enum err vault_policy_put(uint64_t *ret_version, struct vault *v, const char *jws,
				     const json_t *certs, struct fault *f);
/* The newest policy. ERR_NOT_FOUND before the claim. */
struct vault_policy {
	uint64_t version;
	char *jws, *certs, *settings;
};
void vault_policy_drop(struct vault_policy *p);
MUST_CHECK enum err vault_policy_find(struct vault_policy *ret, struct vault *v);

#endif
