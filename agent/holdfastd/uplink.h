/* Uplink: the thread that sends what is in the queue, fetches the policy, and carries out the jobs of
 * agent.sock. Woken by site.to_uplink; raises site.to_main after it has changed anything. */
#ifndef HOLDFAST_UPLINK_H
#define HOLDFAST_UPLINK_H

#include "backoff.h"
#include "channel.h"

struct uplink {
	struct site *site;
	struct channel channel;
	struct backoff backoff;
	int64_t next_try_ms;     /* on wake_now_ms's clock; 0: at once */
	int64_t policy_due_ms;
	uint64_t policy_seen;    /* version of the last answer */
	uint32_t interval_s;     /* policy's sync_interval_s */
};

void uplink_init(struct uplink *u, struct site *s);
void uplink_drop(struct uplink *u);

/* All there is to do now; returns ms until there is more by itself, -1: only when woken. */
int64_t uplink_step(struct uplink *u);

/* Thread function; arg is the site. Returns when site.stop is set. */
void *uplink_thread(void *arg);

#endif
