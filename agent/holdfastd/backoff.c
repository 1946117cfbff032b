#include "backoff.h"

#include <sodium.h>

uint32_t backoff_next_ms(struct backoff *b, uint32_t retry_after_s)
{
	uint32_t ceiling = BACKOFF_FIRST_MS;

	for (unsigned i = 0; i < b->failures && ceiling < BACKOFF_LAST_MS; i++)
		ceiling *= 2;
	if (ceiling > BACKOFF_LAST_MS)
		ceiling = BACKOFF_LAST_MS;
	b->failures++;
	if (retry_after_s > BACKOFF_SERVER_MAX_S)
		retry_after_s = BACKOFF_SERVER_MAX_S;
	return retry_after_s * 1000 + randombytes_uniform(ceiling + 1);
}
