/* Sealed codes: the steps that recovery key and one-time codes share. A code that would not open the
 * laptop is never escrowed: its record is opened with it first. */
#ifndef HOLDFAST_SEALED_H
#define HOLDFAST_SEALED_H

#include "agent/volumed/unlocked.h"
#include "common/escrow_host.h"

/* Make a record for a code, and open it with the code: the unlock key must come out.
 * Errors: as credential_new and credential_open; ERR_INTERNAL (another key came out). */
MUST_CHECK enum err sealed_record(struct record *ret, const struct credential_spec *spec,
				  const struct secret *code, const struct unlocked *u);

/* Complete the message (id, device, enrolment, time), seal it to the escrow key, and put it into the
 * outbox. Errors: as escrow_seal and outbox_put. */
MUST_CHECK enum err sealed_put(struct volumed *v, struct escrow *message, const char *id,
			       const struct secret *code, const struct agree_pk *escrow_key);

#endif
