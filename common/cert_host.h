/* Certificates of keys: JWS holdfast-cert. docs/protocol.md, "Signed messages". */
#ifndef HOLDFAST_CERT_HOST_H
#define HOLDFAST_CERT_HOST_H

#include "jws_host.h"

struct cert {
	char role[24];
	char subject[160];
	char enterprise[33];
	int agrees;               /* 0: Ed25519 in sign; 1: X25519 in agree */
	struct sign_pk sign;
	struct agree_pk agree;
	uint64_t not_before, not_after; /* s; not_after 0: does not end */
	char permissions[256];    /* joined with blanks */
};

/* *ret is the compact JWS, malloc'ed. Errors: ERR_MEMORY, ERR_RANGE (unknown role, its other kind of key,
 * an enterprise that is neither empty nor 32 hex digits). */
MUST_CHECK enum err cert_sign(char **ret, const struct cert *c, const struct sign_sk *issuer);

/* Verify against the issuer and against what is expected: role must match; now is seconds, 0 skips
 * the time check; not_before may lie up to a day ahead, for clocks that differ. Errors: ERR_FORMAT, ERR_SIGNATURE, ERR_MISDIRECTED (role), ERR_EXPIRED. */
MUST_CHECK enum err cert_verify(struct cert *ret, const char *jws, const char *role,
				const struct sign_pk *issuer, uint64_t now);

/* The time check alone. */
int cert_valid_at(const struct cert *c, uint64_t now);

/* Does an officer's certificate carry this permission? */
int cert_permits(const struct cert *c, const char *permission);

#endif
