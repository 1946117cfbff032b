/* Kill: the laptop's disk is made unreadable for ever. Order: tombstone on the ESP (from here on nothing stops it:
 * pre-boot or the next start finishes) -> keyslots and headers of every volume overwritten and read back ->
 * tombstone says so -> store, boot targets, variables, keys, state destroyed -> signed proof in memory. */
#ifndef HOLDFAST_ERASURE_H
#define HOLDFAST_ERASURE_H

#include "agent/volumed/volumed.h"

/* Carry out a verified kill. Nothing but the outbox and STATUS may be served afterwards. There is no
 * error to return: what could not be erased is in the proof, and everything else is erased all the same. */
void erasure_run(struct volumed *v, const struct command *kill, const char *jws);

/* A tombstone that an interrupted kill left: finish it. 1: there was one. */
int erasure_resume(struct volumed *v);

#endif
