/* Enrolment: how this laptop gets to know its organisation. The officer root's fingerprint comes with the
 * token, by way of a person; everything that the server sends is held against it. */
#ifndef HOLDFAST_ENROLMENT_H
#define HOLDFAST_ENROLMENT_H

#include "agent/volumed/volumed.h"

/* Root has looked at this token: it may be used for 10 minutes. Errors: ERR_FORMAT, ERR_EXISTS (enrolled
 * already). */
MUST_CHECK enum err enrolment_allow(struct volumed *v, const char *token);

/* *ret: the holdfast-enrol JWS. by_root: the peer is root itself, no ENROL_ALLOW is needed.
 * Errors: ERR_FORMAT, ERR_EXISTS, ERR_DENIED (not allowed by root), ERR_STATE (no unlock key). */
MUST_CHECK enum err enrolment_begin(char **ret, struct volumed *v, const char *token,
				    const uint8_t session[static KEY_BYTES], int by_root);

/* Check and keep; then recovery key and codes are made. Errors: ERR_STATE (no begin), ERR_SIGNATURE,
 * ERR_MISDIRECTED, ERR_CHANGED (an answer to another request), ERR_EXPIRED, ERR_FORMAT. */
MUST_CHECK enum err enrolment_finish(struct volumed *v, const char *jws);

/* Certificate of holdfastd's session key. Errors: ERR_STATE (not enrolled). */
MUST_CHECK enum err enrolment_session_cert(char **ret, const struct volumed *v,
					   const char *enterprise,
					   const uint8_t session[static KEY_BYTES]);

#endif
