/* REST client: sealed requests over TLS with libcurl, for holdfastd and holdfast-ctl.
 * Not part of libholdfast.so. One object is one session; one request at a time on it. */
#ifndef HOLDFAST_REST_HOST_H
#define HOLDFAST_REST_HOST_H

#include "session_host.h"

struct rest;

struct rest_target {
	const char *url;          /* https://host:port */
	const char *pin;          /* "sha256//…" of the TLS key, or NULL: the system's authorities count */
	struct sign_pk server;    /* server key that must sign the session */
};

/* No request is made yet. Errors: ERR_MEMORY, ERR_FORMAT (not https). */
MUST_CHECK enum err rest_new(struct rest **ret, const struct rest_target *target);
void rest_drop(struct rest **r);

/* For rest_plain, rest_open and rest_confirm: as the last two arguments of rest_call. Unless called,
 * 30 seconds and none; 0 is 30 seconds. */
void rest_limits(struct rest *r, uint32_t timeout_ms, int cancel_fd);

/* Plain (unsealed) request: body text or NULL; *ret is the answer's text, malloc'ed, at most 1 MiB.
 * content type application/jose when body is a JWS, else application/json.
 * Errors: ERR_NETWORK, ERR_FORMAT, ERR_BUSY (cancelled). *ret_status is the HTTP status. */
MUST_CHECK enum err rest_plain(char **ret, int *ret_status, struct rest *r, const char *method,
			       const char *path, const char *body);

/* Open a session (both messages). Afterwards rest_transcript may be shown to whoever makes the proof,
 * then rest_confirm. Errors: ERR_NETWORK, ERR_SIGNATURE (not the enrolled server), ERR_DENIED,
 * ERR_FORMAT, ERR_BUSY. */
MUST_CHECK enum err rest_open(struct rest *r, const char *sub, const json_t *certs,
			      const struct sign_sk *signer);
const uint8_t *rest_transcript(const struct rest *r);
/* user_proof may be NULL. *ret_scope is malloc'ed. May be called again on the same session, with another proof
 * or version. Errors: as rest_call, ERR_DENIED (rest_problem has the server's words). */
MUST_CHECK enum err rest_confirm(char **ret_scope, struct rest *r, const char *user_proof,
				 uint64_t policy_version, const struct sign_sk *signer);

/* Sealed request. *ret: new reference to the body (2xx) or to the error object. timeout_ms also bounds
 * long-polls. cancel_fd: becomes readable to end the request early, or -1.
 * Errors: ERR_NETWORK, ERR_AUTH, ERR_FORMAT, ERR_STATE (no session: open again; also after a 401
 * no-session), ERR_BUSY (cancelled). */
MUST_CHECK enum err rest_call(json_t **ret, int *ret_status, struct rest *r, const char *method,
			      const char *path, const json_t *body, uint32_t timeout_ms, int cancel_fd);

/* What went wrong last, a sentence for people, valid until the next call. */
const char *rest_problem(const struct rest *r);

/* Retry-After of the last answer, seconds; 0 when it had none. */
uint32_t rest_retry_after_s(const struct rest *r);

#endif
