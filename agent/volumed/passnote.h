/* Passnote: the public key that each user's credential had when volumed last looked (section "passwords":
 * credential id → key, hex). Pre-boot gives a credential a new key with each new password, volumed never
 * does: another key under a known id is a password that was changed at pre-boot, even if power was cut
 * before anybody could be told. */
#ifndef HOLDFAST_PASSNOTE_H
#define HOLDFAST_PASSNOTE_H

#include "agent/volumed/volumed.h"

/* Is the key of this user's record another one than noted? 0 for a record that is not noted. */
int passnote_differs(const struct volumed *v, const struct record *r);

/* Note what the store has now, of the users that are there. Saves when something is new.
 * Errors: those of vstate_save. */
MUST_CHECK enum err passnote_update(struct volumed *v, const struct store *s);

#endif
