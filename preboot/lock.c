#include "lock.h"

#include "events.h"

static int unwritten; /* locked in memory, and a copy on the disk may still have its seals */

enum err lock_apply(struct storefile *f, enum lock_cause cause)
{
	enum err e;

	if (store_is_locked(f->current) && !unwritten)
		return OK;
	if (!unwritten) {
		store_lock(f->current);
		events_add(PREBOOT_LOCKED, (uint16_t)cause);
	}
	e = storefile_write(f);
	unwritten = e != OK;
	return e;
}
