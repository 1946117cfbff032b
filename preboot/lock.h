/* Lock: pre-boot locks the laptop by itself. The seals of all users go, in both copies of the store: after
 * that no password leads to the unlock key, whatever program asks for it, until a one-time code or the
 * recovery key has opened and the agent has sealed it anew. */
#ifndef HOLDFAST_LOCK_H
#define HOLDFAST_LOCK_H

#include "storefile.h"

enum lock_cause {
	LOCK_FAILURES = 1,
	LOCK_NO_CONTACT = 2,
};

/* Lock, and note the event. Already locked on the disk: nothing. Errors: as storefile_write; the store in
 * memory is locked all the same, so that this start takes no password, and the next call of this start
 * writes it again. */
MUST_CHECK enum err lock_apply(struct storefile *f, enum lock_cause cause);

#endif
