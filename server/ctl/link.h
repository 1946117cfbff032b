/* Link: an officer signed in at the server, with his or her own keys opened on this side.
 *   link_open asks for the passphrase, derives, signs in, fetches and unwraps the officer's keys. */
#ifndef HOLDFAST_CTL_LINK_H
#define HOLDFAST_CTL_LINK_H

#include "common/rest_host.h"
#include "ctl.h"
#include "officer.h"
#include "profile.h"

#define LINK_TIMEOUT_MS 20000u

struct link {
	struct profile profile;
	char name[OFFICER_NAME_MAX + 1];
	struct rest *rest;
	struct officer_branches branches;
	struct officer_keys keys;
	json_t *me; /* the server's answer to GET /v1/me */
};
void link_drop(struct link *l);
#define LINK __attribute__((cleanup(link_drop))) struct link

/* Says on standard error what went wrong; returns an exit status. */
int link_open(struct link *ret, const struct ctl *ctl);

/* Signed in with the officer root itself, which may add officers: for the holder of the recovery sheet.
 * There is no officer's name and no officer's key then. */
int link_open_root(struct link *ret, const struct ctl *ctl, const struct sign_sk *root);

/* A sealed request that must succeed: *ret is the body. Says what went wrong; returns an exit status
 * (CTL_REFUSED for the server's refusals). body may be NULL. */
int link_call(json_t **ret, struct link *l, const char *method, const char *path, const json_t *body,
	      uint32_t timeout_ms);
/* The same, telling the caller the HTTP status instead of complaining about `expected`. */
int link_try(json_t **ret, int *ret_status, struct link *l, const char *method, const char *path,
	     const json_t *body, uint32_t timeout_ms);

/* Show the words that the server gives for a refusal; returns CTL_REFUSED. */
int link_refused(const json_t *error);

/* The server's trust bundle, checked up to the officer root: certificates of server and escrow keys.
 * escrow_* are what laptops seal to. Says what went wrong. */
struct trust {
	char *server_cert, *escrow_help_cert, *escrow_recovery_cert;
	struct agree_pk help, recovery;
	json_t *recovery_sheet; /* escrow keys wrapped for the sheet, or NULL */
};
void trust_drop(struct trust *t);
#define TRUST __attribute__((cleanup(trust_drop))) struct trust
int link_trust(struct trust *ret, struct link *l);

/* This officer's escrow key for a purpose ("help", "recovery"), unwrapped with the officer's own key and
 * checked to be the certified one. Errors: ERR_NOT_FOUND (not wrapped for this officer), ERR_AUTH, ERR_CHANGED. */
MUST_CHECK enum err link_escrow_key(struct agree_sk *ret, struct link *l, const char *purpose);

/* An escrow key as plaintext JWK and back; wrapped to one holder. Errors: as jwe_seal / jwe_unseal. */
MUST_CHECK enum err escrow_key_wrap(char **ret, const struct agree_sk *key, const struct agree_pk *holder);
MUST_CHECK enum err escrow_key_unwrap(struct agree_sk *ret, const char *jwe, const struct agree_sk *holder);

#endif
