/* Events: what the server gets to know, signed by the attestation key. */
#ifndef HOLDFAST_EVENT_H
#define HOLDFAST_EVENT_H

#include "agent/volumed/volumed.h"

/* Sign and put into the outbox; before enrolment there is nobody to tell: OK, and nothing is kept.
 * detail is given away (NULL: empty). ret_id (33 characters; "" when nothing was kept) may be NULL.
 * Errors: ERR_MEMORY, ERR_SPACE, ERR_IO; they are logged. */
MUST_CHECK enum err event_put(char *ret_id, struct volumed *v, const char *kind, json_t *detail);

/* The same where nothing can be done about a failure. */
void event_tell(struct volumed *v, const char *kind, json_t *detail);
/* Of something that happened before; when: s since 1970. */
void event_tell_at(struct volumed *v, const char *kind, uint64_t when, json_t *detail);

/* Events user-added and credential-changed: user, credential, method and the certificate of the record's
 * user key, so that the server can check who authenticates. */
void event_credential(struct volumed *v, const char *kind, const struct record *r);
/* Certificates for the records of a store, for enrolment: of who started the laptop first, and no more than
 * a server takes at once. New reference, NULL: no memory. */
#define EVENT_CERTS_MAX 60
json_t *event_user_certs(const struct volumed *v, const struct store *s, const char *enterprise);
/* Tell of all users when they were more than that. */
void event_more_users(struct volumed *v, const struct store *s);

#endif
