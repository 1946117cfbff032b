#include "lock.h"

#include "events.h"

enum err lock_apply(struct storefile *f, enum lock_cause cause)
{
	if (store_is_locked(f->current))
		return OK;
	store_lock(f->current);
	events_add(PREBOOT_LOCKED, (uint16_t)cause);
	return storefile_write(f);
}
