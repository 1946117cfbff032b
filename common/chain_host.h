/* Chain: who signed a command or a policy, up to the officer root. Internal to command_host.c and
 * policy_host.c. */
#ifndef HOLDFAST_CHAIN_HOST_H
#define HOLDFAST_CHAIN_HOST_H

#include "command_host.h"

#define CHAIN_CERTS_MAX 16

struct chain_signer {
	int is_server;
	struct cert officer; /* when it is not */
};

/* Verify jws with the server's key or with an officer's whose certificate is among certs; now is held
 * against that certificate. Errors: ERR_FORMAT, ERR_SIGNATURE (also: nobody we know signed it),
 * ERR_MISDIRECTED (typ, enterprise), ERR_EXPIRED (certificate). */
MUST_CHECK enum err chain_verify(struct chain_signer *ret, const char *typ, const char *jws,
				 const json_t *certs, const struct command_trust *trust,
				 uint64_t now);

#endif
