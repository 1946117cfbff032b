/* Unlock: open what the hand-off's manifest vouches for, and pass the keys on to the agent. */
#ifndef HOLDFAST_OPEN_UNLOCK_H
#define HOLDFAST_OPEN_UNLOCK_H

#include "options.h"

/* Errors: ERR_NOT_FOUND (no hand-off), ERR_CHANGED (refused), ERR_IO (a volume is missing or cannot
 * be opened). Messages are on standard error. The hand-off file is gone afterwards in every case.
 */
MUST_CHECK enum err unlock_run(const struct options *o);

#endif
