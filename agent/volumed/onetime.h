/* One-time codes: as many as the policy wants, each with a record in the store and an escrow message of
 * its own. The laptop keeps none. Section "codes": {number: {id, created, proven}}. */
#ifndef HOLDFAST_ONETIME_H
#define HOLDFAST_ONETIME_H

#include "agent/volumed/enforce.h"
#include "agent/volumed/unlocked.h"

/* Remove records whose escrow message was lost, forget codes that are gone, make what is missing. */
MUST_CHECK enum err onetime_settle(struct volumed *v, struct unlocked *u);

/* A receipt covers this escrow id. 1 when it was one waited for. Not saved. */
int onetime_proven(struct volumed *v, const char *id);

void onetime_progress(struct escrow_progress *ret, const struct volumed *v);

#endif
