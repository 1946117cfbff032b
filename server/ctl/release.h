/* Release: an escrow record, handed out by the server after logging, opened here. */
#ifndef HOLDFAST_CTL_RELEASE_H
#define HOLDFAST_CTL_RELEASE_H

#include "laptop.h"

/* The newest record of a kind ("recovery-key", "one-time-code") and number. Borrowed from p->detail.
 * NULL when there is none. */
const json_t *release_find(const struct laptop *p, const char *kind, uint16_t number);
/* A record by its id. */
const json_t *release_by_id(const struct laptop *p, const char *id);

/* Ask for the record, check the laptop's signature, device, enrolment-independent id and purpose, open it with
 * the officer's escrow key. Says what went wrong; returns an exit status. */
int release_open(struct secret *ret_code, struct link *l, const struct laptop *p, const json_t *record,
		 const char *reason);

#endif
