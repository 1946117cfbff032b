/* Kill: the laptop's disk is made unreadable for ever. Order: tombstone on the ESP (from here on nothing stops it:
 * pre-boot or the next start finishes) -> keyslots and headers of every volume overwritten and read back ->
 * store and boot targets destroyed -> tombstone says so -> keys and state destroyed -> signed proof, in memory and,
 * until it is delivered, on the ESP as kill-proof.jws -> the TPM cleared, last and for some seconds at most: a power cut
 * before that leaves it uncleared, as what clears it was in the store. */
#ifndef HOLDFAST_ERASURE_H
#define HOLDFAST_ERASURE_H

#include "agent/volumed/volumed.h"

/* Carry out a verified kill. Nothing but the outbox and STATUS may be served afterwards. What could not be
 * erased is in the event, which is then "kill-incomplete" instead of "command-done", and everything else is erased
 * all the same. Errors, with nothing begun: ERR_NOT_FOUND (neither store nor hand-off names a volume), ERR_RANGE
 * (the order is longer than a tombstone holds), ERR_MEMORY. */
MUST_CHECK enum err erasure_run(struct volumed *v, const struct command *kill, const char *jws);

/* An event was delivered: if it was the proof, the copy on the ESP goes. */
void erasure_delivered(struct volumed *v, const char *event);

/* A tombstone that an interrupted kill left: finish it. 1: there was one. */
int erasure_resume(struct volumed *v);

#endif
