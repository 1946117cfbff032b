/* Map of sessions by their id, bounded: per owner, in all, and in time. Frontend and vault keep one
 * each, with what either needs to know; both drop the same sessions for the same reasons. An
 * opening message can be replayed by whoever saw it, so sessions that are not confirmed never push
 * out confirmed ones of the same owner. */
#ifndef HOLDFAST_SERVER_SIDMAP_H
#define HOLDFAST_SERVER_SIDMAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/session_host.h"

#define SIDMAP_OWNER_BYTES 80 /* "device:ID" or "officer:NAME" */
#define SIDMAP_OPEN_MAX 8     /* unconfirmed sessions an owner */
#define SIDMAP_CONFIRMED_MAX 16
#define SIDMAP_OPEN_SECONDS 60

/* First member of what is kept. */
struct sidmap_entry {
	char id[SESSION_ID_TEXT];
	char owner[SIDMAP_OWNER_BYTES];
	int confirmed;
	uint64_t expires; /* s, monotonic */
	struct sidmap_entry *chain, *older, *newer;
};

struct sidmap {
	struct sidmap_entry **bucket;
	struct sidmap_entry *oldest, *newest;
	size_t count, max;
	void (*drop)(struct sidmap_entry *); /* wipes and frees */
};

MUST_CHECK enum err sidmap_new(struct sidmap *ret, size_t max, void (*drop)(struct sidmap_entry *));
void sidmap_drop(struct sidmap *m);

/* Takes the entry over; id, owner and expires are set. May drop others. */
void sidmap_add(struct sidmap *m, struct sidmap_entry *e, uint64_t now);
/* The owner's oldest confirmed ones go when there are too many. */
void sidmap_confirm(struct sidmap *m, struct sidmap_entry *e, uint64_t expires);
/* NULL when unknown or expired. */
struct sidmap_entry *sidmap_find(struct sidmap *m, const char *id, uint64_t now);
void sidmap_remove(struct sidmap *m, struct sidmap_entry *e);

/* Seconds that no change of the clock touches. */
uint64_t sidmap_now(void);

#endif
