/* Takeover: our keyslots in a LUKS2 volume that exists, also when an earlier activation was cut short
 * between keyslots and store: what it left is replaced, and nothing else is touched. */
#ifndef HOLDFAST_TAKEOVER_H
#define HOLDFAST_TAKEOVER_H

#include "driver/volume.h"

/* Only where there is no credential store: nobody has the unlock key of an earlier run. `existing` opens the
 * volume all the time, so a power cut costs nothing. Escrowed recovery keys stay.
 * Errors: those of volume_adopt; ERR_EXISTS (recovery keyslots of an earlier run beside escrowed ones). */
MUST_CHECK enum err takeover_run(struct volume *v, const struct secret *existing, const struct unlock_key *uk,
				 const struct secret *recovery);

/* Escrow id of a recovery key that nobody escrowed yet. */
extern const uint8_t takeover_no_escrow[ESCROW_ID_BYTES];

#endif
