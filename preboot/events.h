/* Events: what happened before the kernel, for the hand-off. What happened in a start that did not get as
 * far as a kernel is told by the next one that does: it is kept in a variable that only boot services
 * see. Table: events_v1.inc. */
#ifndef HOLDFAST_EVENTS_H
#define HOLDFAST_EVENTS_H

#include <stdint.h>

#include "common/handoff.h"

/* Load those of earlier starts. */
void events_start(void);

/* Add an event.
 * Counted over restarts (value is ignored): PREBOOT_WRONG_PASSWORD, PREBOOT_WRONG_CODE,
 * PREBOOT_ROLLBACK_SEEN, PREBOOT_TAMPERED, PREBOOT_WRONG_SELF_HELP.
 * Kept over restarts, each kind and value once: PREBOOT_LOCKED, PREBOOT_CODE_USED,
 * PREBOOT_PASSWORD_CHANGED, PREBOOT_TARGET_REFUSED, PREBOOT_TPM_CHANGED, PREBOOT_TPM_LOCKED_OUT,
 * PREBOOT_TPM_GONE, PREBOOT_TPM_FAILED; the first ten of them.
 * Of this start, each kind and value once: the others. */
void events_add(enum preboot_event kind, uint16_t value);

/* Move everything into a hand-off, the counted ones first. */
void events_deliver(struct handoff *h);

/* The hand-off has gone to the kernel: forget everything. */
void events_forget(void);

#endif
