/* Laptop: one device as the server describes it, and commands to it. */
#ifndef HOLDFAST_CTL_LAPTOP_H
#define HOLDFAST_CTL_LAPTOP_H

#include "link.h"

struct laptop {
	char device[33], enrolment[33], name[65];
	uint64_t next_sequence, next_kill_sequence;
	struct sign_pk attestation;
	json_t *detail; /* the server's whole answer */
};
void laptop_drop(struct laptop *p);
#define LAPTOP __attribute__((cleanup(laptop_drop))) struct laptop

/* id: device id, name or tag. Says what went wrong; returns an exit status. */
int laptop_find(struct laptop *ret, struct link *l, const char *id);

/* Sign and send a command, then wait up to wait_s seconds for the laptop's signed answer and print it.
 * Returns an exit status: CTL_REFUSED when the laptop refuses. */
int laptop_command(struct link *l, const struct laptop *p, const char *name, unsigned wait_s);
/* The server signs a sync. */
int laptop_sync(struct link *l, const struct laptop *p, unsigned wait_s);

#endif
