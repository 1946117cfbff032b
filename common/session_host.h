/* Session: the ephemeral exchange and the sealed bodies that follow. docs/protocol.md, "Sessions".
 * Client: session_open -> (send, receive) -> session_accepted -> session_seal/session_unseal.
 * Server: session_accept -> session_request_open/session_answer_seal. */
#ifndef HOLDFAST_SESSION_HOST_H
#define HOLDFAST_SESSION_HOST_H

#include "cert_host.h"
#include "jwe_host.h"

#define SESSION_ID_TEXT 23 /* 22 base64url characters and NUL */

struct session {
	char id[SESSION_ID_TEXT];
	uint8_t c2s[KEY_BYTES], s2c[KEY_BYTES];
	uint8_t transcript[DIGEST_BYTES];
	uint64_t counter;  /* client: last one used; server: highest one seen */
	uint64_t window;   /* server: bit i is set when counter - i has been seen */
};
void session_drop(struct session *s);
#define SESSION __attribute__((cleanup(session_drop))) struct session

/* Client, first step. ret_epk keeps the ephemeral key until session_accepted.
 * sub "device:…" or "officer:…"; certs: array of JWS texts, borrowed. */
MUST_CHECK enum err session_open(char **ret_jws, struct agree_sk *ret_esk, const char *sub,
				 const char *server_kid, const json_t *certs, uint64_t now,
				 const struct sign_sk *signer);
/* Client, second step. Errors: ERR_FORMAT, ERR_SIGNATURE, ERR_CHANGED (not for this open). */
MUST_CHECK enum err session_accepted(struct session *ret, const char *open_jws, const char *accept_jws,
				     const struct agree_sk *esk, const struct sign_pk *server);
/* JWS holdfast-session-confirm / holdfast-user-proof over the transcript. */
MUST_CHECK enum err session_confirm(char **ret, const struct session *s, const struct sign_sk *signer);
MUST_CHECK enum err session_user_proof(char **ret, const uint8_t transcript[static DIGEST_BYTES],
				       const char *user, const char *credential_hex, const char *method,
				       const char *device, const struct user_key *key);

/* The server's checks of the two: the caller has found the key that must have signed. *ret of a proof is
 * its payload: user, credential, method, device. Errors: ERR_FORMAT, ERR_SIGNATURE, ERR_MISDIRECTED (typ),
 * ERR_CHANGED (made for another session). */
MUST_CHECK enum err session_confirm_verify(const struct session *s, const char *jws,
					   const struct sign_pk *client);
MUST_CHECK enum err session_user_proof_verify(json_t **ret, const struct session *s, const char *jws,
					      const struct sign_pk *user);

/* Server: the caller has peeked at sub and certs, and found the key that must have signed.
 * Errors: ERR_FORMAT, ERR_SIGNATURE, ERR_MISDIRECTED (another server), ERR_EXPIRED (time off by more
 * than a day; 0 skips). */
MUST_CHECK enum err session_accept(struct session *ret, char **ret_jws, const char *open_jws,
				   const struct sign_pk *client, uint64_t now, uint32_t expires_in_s,
				   const struct sign_sk *server);

/* Client side of a sealed exchange. body may be NULL. ctr is given back for the answer; path includes
 * the query. Errors: ERR_MEMORY, ERR_RANGE (longer than 760 KiB), ERR_STATE (counters used up). */
MUST_CHECK enum err session_seal(char **ret_jwe, uint64_t *ret_ctr, struct session *s, const char *method,
				 const char *path, const char *token, const json_t *body);
/* *ret_body: new reference to "body" or "error". Errors: ERR_FORMAT, ERR_AUTH. */
MUST_CHECK enum err session_unseal(json_t **ret_body, const struct session *s, const char *jwe,
				   uint64_t ctr, int http_status);

/* Server side. Errors: ERR_FORMAT, ERR_AUTH, ERR_REPLAY, ERR_MISDIRECTED (method or path).
 * *ret_token is a new string or NULL; *ret_body is JSON null when the request has none. */
MUST_CHECK enum err session_request_open(json_t **ret_body, char **ret_token, uint64_t *ret_ctr,
					 struct session *s, const char *jwe, const char *method,
					 const char *path);
/* is_error: body is the error object; body may be NULL. Exactly one answer may be sealed for a ctr: it is
 * the IV under this direction's key. */
MUST_CHECK enum err session_answer_seal(char **ret_jwe, const struct session *s, uint64_t ctr, int http_status,
					const json_t *body, int is_error);

#endif
