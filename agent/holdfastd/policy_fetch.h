/* Policy: brought from the server to volumed, which checks and applies it. */
#ifndef HOLDFAST_POLICY_FETCH_H
#define HOLDFAST_POLICY_FETCH_H

#include "channel.h"

#define POLICY_FETCH_INTERVAL_S 3600

struct policy_fetched {
	uint64_t version;
	uint32_t interval_s; /* until the next fetch without a hint; kept when the policy does not say */
};

/* Needs a session of scope user or recovered. A policy that volumed refuses is a problem that is
 * reported, not a failure of the exchange: asking again at once would not help.
 * Errors: as channel_call; ERR_NETWORK for an answer that means "later". */
MUST_CHECK enum err policy_fetch(struct policy_fetched *ret, struct channel *c);

#endif
