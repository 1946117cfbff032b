/* Rotation of the unlock key, without anybody's password: new keyslot on all volumes, both store copies,
 * old keyslot destroyed. Whatever interrupts it, a start finds either the old store, whose key still
 * opens, or the new one, whose key opens already; rotation_settle then finishes or takes back. */
#ifndef HOLDFAST_ROTATION_H
#define HOLDFAST_ROTATION_H

#include "agent/volumed/unlocked.h"

enum rotation_seals {
	ROTATION_KEEP,   /* who could unlock before, can; who was locked out, stays out */
	ROTATION_LOCK,   /* only codes and the recovery key */
	ROTATION_RESEAL, /* everybody: a lock ends */
};

/* u->store holds the records as they shall be; nothing of it has been written. On success u is the new state, written and settled.
 * Errors: ERR_NOT_FOUND (a volume is not there), ERR_SPACE (no free keyslot), ERR_BUSY (re-encryption),
 * ERR_IO. Before the first store copy was written an error leaves everything as it was. */
MUST_CHECK enum err rotation_run(struct volumed *v, struct unlocked *u,
				 enum rotation_seals seals);

/* Bring volumes, copies and manifest to the one unlock key of u. No work when all is well. */
MUST_CHECK enum err rotation_settle(struct volumed *v, struct unlocked *u);

#endif
