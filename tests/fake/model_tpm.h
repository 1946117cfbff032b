/* Model of a TPM 2.0: the commands of common/tpm.h as a TPM answers them, with its parent key, sealed
 * objects, sessions, policies, PCRs and dictionary-attack lockout; in memory, deterministic but for
 * nonces. What a real one says is tests/tpm's business; this one can be had anywhere, at once, and shows
 * what is still loaded.
 *
 *     struct model_tpm *m = model_tpm_new(1);      another seed is another TPM
 *     struct tpm t = model_tpm_transport(m);
 *     model_tpm_parent(&parent, m);
 *     model_tpm_seal(&object, m, secret, auth);    to its PCRs as they are now
 *     tpm_unseal(back, &t, &parent, &object, auth);
 *     model_tpm_free(m); */
#ifndef HOLDFAST_MODEL_TPM_H
#define HOLDFAST_MODEL_TPM_H

#include "common/tpm.h"
#include "common/tpm_session.h"

#define MODEL_TPM_SLOTS 3

struct model_tpm {
	/* To be set at will. */
	uint32_t persistent;    /* handle of the parent, 0: it is not persistent */
	int has_owner;          /* owner's authorization value is not empty */
	unsigned tries, tries_max;
	uint32_t recovery_s;
	uint8_t pcrs[24][TPM_PCR_BYTES];
	unsigned again;         /* so many commands are answered by TPM_RC_RETRY */
	uint32_t refuses, refusal; /* this command, with that code */
	int in_the_clear;       /* does not encrypt what it was asked to, and says so */
	/* A TPM that is hostile itself: changes an answer's parameters (room: TPM_MESSAGE_MAX) before they are
	 * encrypted and authenticated. NULL: none. */
	void (*tamper)(void *context, uint32_t code, uint8_t *parameters, size_t *len);
	void *tamper_context;

	/* To be looked at. */
	unsigned waits_ms, retries;
	unsigned commands, shutdowns;

	/* Inside. */
	uint8_t seed[32];
	struct p256_scalar parent;
	struct tpm_parent point;
	struct model_object {
		int is_used, is_parent, has_auth;
		uint8_t name[TPM_NAME_BYTES], policy[32], secret[TPM_SECRET_BYTES], auth[TPM_AUTH_BYTES];
	} objects[MODEL_TPM_SLOTS];
	struct model_session {
		int is_used, is_policy, needs_auth;
		uint8_t policy[32];
		struct tpm_session s;
	} sessions[MODEL_TPM_SLOTS];
};

/* In memory that processes of runs share. */
struct model_tpm *model_tpm_new(uint8_t seed);
void model_tpm_free(struct model_tpm *m);
/* TPM2_Clear: another storage root. */
void model_tpm_clear(struct model_tpm *m);
/* Power on: PCRs are zero, nothing is loaded. */
void model_tpm_restart(struct model_tpm *m);

struct tpm model_tpm_transport(struct model_tpm *m);
/* context: struct model_tpm. */
enum err model_tpm_submit(void *context, uint8_t *ret, size_t *ret_len, const uint8_t *command, size_t len);
void model_tpm_extend(void *context, unsigned pcr, const uint8_t digest[32]);

void model_tpm_parent(struct tpm_parent *ret, const struct model_tpm *m);
/* auth: NULL for an object without. */
void model_tpm_seal(struct tpm_object *ret, const struct model_tpm *m, const uint8_t secret[32],
		    const uint8_t *auth);
/* Objects and sessions that nobody has flushed. */
unsigned model_tpm_loaded(const struct model_tpm *m);

#endif
