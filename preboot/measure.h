/* Measure: what pre-boot is and what it starts, as texts in PCR 11 and in the firmware's event log, for
 * auditors (docs/measured-boot.md). The last one, the cap, takes from the running system what PCR 11 = 0
 * unseals. No user is named. */
#ifndef HOLDFAST_MEASURE_H
#define HOLDFAST_MEASURE_H

#include "common/credential.h"
#include "common/manifest.h"

/* Everything, right before StartImage: nothing can be unsealed any more. OK: the cap is in, seen in the
 * PCR. Where the firmware does not put it in, a command to the TPM does. Errors: ERR_NOT_FOUND (no TPM
 * with a SHA-256 bank: nothing to cap), ERR_STATE (the PCR is still zero), others of the TPM's. */
MUST_CHECK enum err measure_start(enum credential_kind unlocked_by, const struct manifest_target *t);

#endif
