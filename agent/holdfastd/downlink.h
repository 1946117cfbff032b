/* Downlink: the thread that waits at the server for commands (long-poll) and hands each to volumed at
 * once. What comes of a command is an event, and goes up by the uplink. */
#ifndef HOLDFAST_DOWNLINK_H
#define HOLDFAST_DOWNLINK_H

#include "backoff.h"
#include "channel.h"

#define DOWNLINK_SEEN 64

struct downlink {
	struct site *site;
	struct channel channel;
	struct backoff backoff;
	int up;                  /* the last request was answered */
	uint64_t after;          /* highest sequence handed over; kills come whatever it is */
	struct digest seen[DOWNLINK_SEEN]; /* commands handed over since the start */
	size_t seen_count;
	int64_t time_due_ms;     /* when the server's signed time is fetched next, on wake_now_ms's clock */
};

void downlink_init(struct downlink *d, struct site *s);
void downlink_drop(struct downlink *d);

/* One long-poll and its commands, and the server's time now and then; returns ms to wait before the
 * next, -1: until woken. */
int64_t downlink_step(struct downlink *d);

/* Thread function; arg is the site. */
void *downlink_thread(void *arg);

#endif
