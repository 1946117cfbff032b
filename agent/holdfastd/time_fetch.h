/* Time: the server's signed time, brought to volumed, for which it is the proof that the laptop was in touch.
 * Needs nobody's proof, so that it also works for a laptop whose user has not signed in. */
#ifndef HOLDFAST_TIME_FETCH_H
#define HOLDFAST_TIME_FETCH_H

#include "channel.h"

#define TIME_FETCH_INTERVAL_MS (3600 * 1000)
#define TIME_FETCH_RETRY_MS (600 * 1000)

/* Errors: as channel_call; ERR_NETWORK for an answer that is none; those of link_time. */
MUST_CHECK enum err time_fetch(struct channel *c);

#endif
