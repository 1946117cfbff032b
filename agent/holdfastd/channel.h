/* Channel: one session with the server, opened when it is needed and again when it is lost. Each thread
 * has one of its own. */
#ifndef HOLDFAST_CHANNEL_H
#define HOLDFAST_CHANNEL_H

#include "common/rest_host.h"
#include "site.h"

struct channel {
	struct site *site;
	int wants_user;            /* show the server who authenticated at pre-boot */
	int cancel_fd;             /* readable: whatever is under way ends with ERR_BUSY */
	struct rest *rest;
	struct enrolment enrolment; /* with which rest was made */
	struct queue_party party;  /* who signs receipts, and for whom */
	char scope[16];            /* "device", "user", "recovered"; "" without a session */
	int proof_refused;         /* the server does not know the user's key yet */
	char problem[CONTACT_TEXT]; /* of the last failure, for people */
	uint32_t retry_after_s;    /* from the server, 0: not said */
};

struct channel_answer {
	json_t *body;  /* 2xx: the body, else the error object; may be NULL */
	int status;
};
void channel_answer_drop(struct channel_answer *a);
#define CHANNEL_ANSWER __attribute__((cleanup(channel_answer_drop))) struct channel_answer

void channel_init(struct channel *c, struct site *site, int wants_user, int cancel_fd);
void channel_drop(struct channel *c);

/* Have a session. Errors: ERR_STATE (not enrolled), ERR_NETWORK, ERR_SIGNATURE, ERR_DENIED, and others
 * of rest_open; problem is set. */
MUST_CHECK enum err channel_ready(struct channel *c);

/* Sealed request; a session that the server has forgotten is opened again once. Statuses that are not
 * 2xx are answers, with problem set. timeout_ms: as rest_call.
 * Errors: as channel_ready; ERR_BUSY (cancelled). */
MUST_CHECK enum err channel_call(struct channel_answer *ret, struct channel *c, const char *method,
				 const char *path, const json_t *body, uint32_t timeout_ms);

/* Forget the session: the next call opens another. */
void channel_close(struct channel *c);

#endif
