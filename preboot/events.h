/* Events: what happened before the kernel, for the hand-off. Failures are also counted in a variable
 * that only boot services see, so that switching off neither hides them nor shortens the delay. */
#ifndef HOLDFAST_EVENTS_H
#define HOLDFAST_EVENTS_H

#include <stdint.h>

#include "common/handoff.h"

/* Load the counts of earlier starts. */
void events_start(void);

/* Add an event. PREBOOT_WRONG_PASSWORD, PREBOOT_WRONG_CODE and PREBOOT_ROLLBACK_SEEN are counted
 * (value is ignored); others are kept one by one, the first HANDOFF_EVENTS_MAX of them. */
void events_add(enum preboot_event kind, uint16_t value);

/* Wrong passwords and codes since the last unlock, over all starts. */
unsigned events_failures(void);

/* Move everything into a hand-off, oldest first, and write the count. */
void events_deliver(struct handoff *h);

/* The hand-off has gone to the kernel: forget the counts. */
void events_forget(void);

#endif
