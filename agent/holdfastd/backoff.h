/* Back-off: how long to wait after a failure. Exponential with full jitter, so that thousands of laptops
 * that lost their server together do not come back together. */
#ifndef HOLDFAST_BACKOFF_H
#define HOLDFAST_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 1000u
#define BACKOFF_LAST_MS 300000u
#define BACKOFF_SERVER_MAX_S 3600u /* more than this from Retry-After is not believed */

struct backoff {
	unsigned failures; /* zeroed: none; zero it after a success */
};

/* Wait before the next try, in ms: a random part of a ceiling that doubles from BACKOFF_FIRST_MS to
 * BACKOFF_LAST_MS; never less than retry_after_s (0: the server did not say). */
uint32_t backoff_next_ms(struct backoff *b, uint32_t retry_after_s);

#endif
