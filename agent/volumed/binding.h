/* Credentials that are bound to the laptop's TPM: one half of what opens them is sealed (tpm_seal.h), to the
 * PCR 7 that pre-boot measured at this start, and copied under the unlock key into the store's bindings
 * (common/bindings.h), from which they are sealed anew when the firmware or the TPM is another one.
 * Section "tpm": {"told": what was last told of the TPM, "lockout_told", "made": the storage root key's handle,
 * if it was made here, "reset": hand-off after which the lockout's counter was reset}. */
#ifndef HOLDFAST_BINDING_H
#define HOLDFAST_BINDING_H

#include "agent/volumed/tpm_seal.h"
#include "agent/volumed/unlocked.h"

/* Ask the TPM about itself, once a start and after changes: v->tpm, v->tpm_error. */
void binding_look(struct volumed *v);
/* Why nothing can be bound now: a sentence for people, which stays until the next call; NULL: it can. */
const char *binding_obstacle(const struct volumed *v);

/* What one sealed object of a credential is to hold. */
struct binding_part {
	enum binding_kind kind;
	struct sealed sealed;
};
/* Seal the parts of a credential and put them into u->store; all others with them, if they are sealed to other
 * values or under another parent. Nothing is written. Errors: those of tpm_seal; ERR_STATE (binding_obstacle is
 * what v->about says), ERR_SPACE, ERR_AUTH (a copy). */
MUST_CHECK enum err binding_put(struct volumed *v, struct unlocked *u, const uint8_t credential[static 16],
				const struct binding_part *parts, size_t count);

/* A credential of a bound kind, with its binding in u->store; the record is to be added. Errors: as binding_put,
 * credential_new_bound. */
MUST_CHECK enum err binding_new(struct record *ret, struct volumed *v, struct unlocked *u,
				const struct credential_spec *spec, const struct secret *typed);

/* Does this open the record? What the TPM would give comes from the copy, as it gives nothing to a running
 * system. Errors: those of credential_open. */
MUST_CHECK enum err binding_test(const struct unlocked *u, const struct record *r, const struct secret *typed);

/* At each settling: seal anew what the next pre-boot could not unseal; look after the lockout; tell of a TPM that
 * is missing. Errors: those of unlocked_save: a TPM that does not do as it should is told, and stops nothing. */
MUST_CHECK enum err binding_settle(struct volumed *v, struct unlocked *u);

/* Kill: whatever was sealed shall be worth nothing. Before the store and the keys are destroyed. */
void binding_kill(struct volumed *v);

/* Records of bound kinds in the store: logins, or self-help. */
unsigned binding_count(const struct store *s, int self_help);

#endif
