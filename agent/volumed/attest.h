/* Attestation key: signs enrolment, escrow messages and events for this laptop. Its seed is the one secret
 * that this daemon keeps on the (encrypted) disk: attestation.key, 32 bytes, root only. */
#ifndef HOLDFAST_ATTEST_H
#define HOLDFAST_ATTEST_H

#include "common/jwk_host.h"

/* Load, or make and save. Errors: ERR_FORMAT (damaged), ERR_IO. */
MUST_CHECK enum err attest_load(struct sign_sk *ret, const char *state);
MUST_CHECK enum err attest_destroy(const char *state);

#endif
