/* Trust: whom this laptop obeys. Made from the section "enrolment" of the state, which is checked again
 * each time it is loaded: everything goes back to the officer root of the enrolment token. */
#ifndef HOLDFAST_TRUST_H
#define HOLDFAST_TRUST_H

#include "agent/volumed/vstate.h"
#include "common/command_host.h"

struct trust {
	int enrolled;
	struct sign_pk root, server;
	struct agree_pk escrow_help, escrow_recovery;
	char device[33], enrolment[33], enterprise[33]; /* hex */
};

/* Check what the server sent at enrolment (payload of holdfast-enrolled) against the root's kid: root key,
 * server and escrow certificates. now 0 skips validity times. *ret_what: what is wrong, a few words.
 * Errors: ERR_FORMAT, ERR_SIGNATURE, ERR_MISDIRECTED, ERR_EXPIRED. */
MUST_CHECK enum err trust_read(struct trust *ret, const char **ret_what, const json_t *enrolled,
			       const char *root_kid, uint64_t now);

/* From the state; not enrolled is no error. Errors: as trust_read. */
MUST_CHECK enum err trust_load(struct trust *ret, const struct vstate *s, const char *device);

/* For command_verify and policy_verify, with the sequence numbers: the higher ones of state and store. */
void trust_for_command(struct command_trust *ret, const struct trust *t, const struct vstate *s,
		       uint64_t store_command_seq, uint64_t store_kill_seq, uint64_t now);

/* Note a sequence number as carried out; not saved yet. */
MUST_CHECK enum err trust_carried_out(struct vstate *s, int kill, uint64_t sequence);

#endif
