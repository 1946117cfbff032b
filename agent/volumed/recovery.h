/* Recovery key: its keyslot on every volume, its record in the store, its escrow. The laptop keeps no
 * recovery key. A new one is made beside the old one; only after the server's verified receipt is the old
 * one destroyed, so at every instant one that is in escrow opens the disk.
 * Section "recovery": current (escrow id), proven, prints {volume UUID: fingerprint}, wanted {reason,
 * command, sequence}, next {id, created, record, prints, proven}. The record of the next key waits there
 * (wrapped: it opens with the key only), as the store has room for one. */
#ifndef HOLDFAST_RECOVERY_H
#define HOLDFAST_RECOVERY_H

#include "agent/volumed/enforce.h"
#include "agent/volumed/unlocked.h"

/* Ask for a new one. reason: "command", "used", "stale". command may be NULL: nobody waits for a
 * command-done. Not saved. Errors: ERR_MEMORY. */
MUST_CHECK enum err recovery_want(struct volumed *v, const char *reason, const struct command *command);

/* Take the next step that can be taken: finish one that is proven, drop one whose escrow message was lost,
 * begin one that is wanted. Errors: those of volumes and store; nothing is lost, call again. */
MUST_CHECK enum err recovery_settle(struct volumed *v, struct unlocked *u);

/* A receipt covers this escrow id. 1 when it was the one waited for. Not saved. */
int recovery_proven(struct volumed *v, const char *id);

/* Compare the keyslots with what was escrowed; a stale escrow is replaced. */
MUST_CHECK enum err recovery_check(struct volumed *v, struct unlocked *u);

void recovery_progress(struct escrow_progress *ret, const struct volumed *v);

#endif
