#include "agent/activate/takeover.h"

#include <string.h>

#define KEYSLOTS_MAX 32

const uint8_t takeover_no_escrow[ESCROW_ID_BYTES];

/* Ids that this program gives: all zeros, and zeros with a last byte while one is exchanged for another. */
static int is_ours(const uint8_t id[static ESCROW_ID_BYTES])
{
	return !memcmp(id, takeover_no_escrow, ESCROW_ID_BYTES - 1);
}

/* Above every last byte that a keyslot has: each run adds one, and takes the others away. */
static void interim_id(uint8_t ret[static ESCROW_ID_BYTES], uint8_t (*ids)[ESCROW_ID_BYTES], size_t count)
{
	uint8_t last = 0;

	for (size_t i = 0; i < count; i++)
		if (ids[i][ESCROW_ID_BYTES - 1] > last)
			last = ids[i][ESCROW_ID_BYTES - 1];
	memset(ret, 0, ESCROW_ID_BYTES);
	ret[ESCROW_ID_BYTES - 1] = (uint8_t)(last + 1);
}

/* The keyslot of an earlier run has today's id and another key: ours goes in under another id, then that one
 * goes out. */
static enum err leftovers_clear(int *ret_cleared, struct volume *v, const struct secret *existing,
				const struct unlock_key *uk, const struct secret *recovery)
{
	uint8_t ids[KEYSLOTS_MAX][ESCROW_ID_BYTES], interim[ESCROW_ID_BYTES];
	size_t count = KEYSLOTS_MAX, ours = 0;
	enum err e = volume_recovery_list(v, ids, &count);

	for (size_t i = 0; !e && i < count; i++)
		ours += (size_t)is_ours(ids[i]);
	if (e || !ours)
		return e;
	if (ours < count)
		return ERR_EXISTS;
	interim_id(interim, ids, count);
	e = volume_adopt(v, existing, uk, recovery, interim, 0);
	if (!e)
		e = volume_recovery_keep(v, interim);
	if (!e)
		*ret_cleared = 1;
	return e;
}

enum err takeover_run(struct volume *v, const struct secret *existing, const struct unlock_key *uk,
		      const struct secret *recovery)
{
	int cleared = 0;
	enum err e = leftovers_clear(&cleared, v, existing, uk, recovery);

	if (!e)
		e = volume_adopt(v, existing, uk, recovery, takeover_no_escrow, 0);
	if (!e && cleared)
		e = volume_recovery_keep(v, takeover_no_escrow);
	return e ? e : volume_unlock_keep(v, uk);
}
