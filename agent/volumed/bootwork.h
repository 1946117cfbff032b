/* Bootwork: what a start through pre-boot leaves to be done, once for each hand-off: its events are told,
 * a used code or recovery key is replaced, a lock that they end is ended, an old password dies. */
#ifndef HOLDFAST_BOOTWORK_H
#define HOLDFAST_BOOTWORK_H

#include "agent/volumed/unlocked.h"

/* Pre-boot's events to the server, each with the time at which it happened. Errors: those of vstate_save. */
MUST_CHECK enum err bootwork_tell(struct volumed *v);

/* Errors: those of rotation_run; called again, it goes on. */
MUST_CHECK enum err bootwork_settle(struct volumed *v, struct unlocked *u);

#endif
