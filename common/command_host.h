/* Commands and policies: made and signed by holdfast-ctl (sync: by the server), checked by volumed. */
#ifndef HOLDFAST_COMMAND_HOST_H
#define HOLDFAST_COMMAND_HOST_H

#include "cert_host.h"
#include "settings_host.h"

struct command {
	char id[33], device[33], enrolment[33]; /* hex */
	char name[24];                          /* "kill", "lock", "reset", "sync", "rotate-recovery" */
	uint64_t sequence, issued, expires;     /* expires 0: never */
	json_t *args;                           /* object or NULL */
};
void command_drop(struct command *c);

MUST_CHECK enum err command_sign(char **ret, const struct command *c, const struct sign_sk *signer);

/* Against what a command is held. */
struct command_trust {
	struct sign_pk root;
	struct sign_pk server;
	char device[33], enrolment[33], enterprise[33];
	uint64_t command_seq, kill_seq; /* last ones carried out */
	uint64_t now;                   /* s */
};

/* Check signature and chain, permission, device and enrolment, expiry, sequence; in this order, and on
 * failure *ret still holds what could be read, for the report. certs: array of JWS texts.
 * Errors: ERR_FORMAT, ERR_SIGNATURE, ERR_DENIED (permission; the server's key on another command than
 * sync; unknown command), ERR_MISDIRECTED, ERR_EXPIRED, ERR_REPLAY. */
MUST_CHECK enum err command_verify(struct command *ret, const char *jws, const json_t *certs,
				   const struct command_trust *trust);

struct policy {
	char enterprise[33];
	uint64_t version, issued;
	json_t *settings; /* object */
};
void policy_drop(struct policy *p);
MUST_CHECK enum err policy_sign(char **ret, const struct policy *p, const struct sign_sk *officer);
/* version must not be lower than present_version. Errors: as command_verify, ERR_ROLLBACK. */
MUST_CHECK enum err policy_verify(struct policy *ret, const char *jws, const json_t *certs,
				  const struct command_trust *trust, uint64_t present_version);

#endif
