/* Credentials that are bound to the laptop's TPM: one half of what opens them is sealed (tpm_seal.h), to the
 * PCR 7 that pre-boot measured at this start, and copied under the unlock key into the store's bindings
 * (common/bindings.h), from which they are sealed anew when the firmware or the TPM is another one.
 * Section "tpm": {"told": what was last told of the TPM, "lockout_told", "made": the storage root key's handle,
 * if it was made here, "reset": hand-off after which the lockout's counter was reset, "secure_boot": it was on when
 * what is there was sealed}. */
#ifndef HOLDFAST_BINDING_H
#define HOLDFAST_BINDING_H

#include "agent/volumed/tpm_seal.h"
#include "agent/volumed/unlocked.h"

/* Ask the TPM about itself, until it has answered and what is sealed fits, and after changes: v->tpm,
 * v->tpm_error. */
void binding_look(struct volumed *v);
/* Why nothing can be bound now: a sentence for people, which stays until the next call; NULL: it can. */
const char *binding_obstacle(const struct volumed *v);
/* The obstacle is that there is none: passwords alone are all that this laptop can have. */
int binding_has_no_tpm(const struct volumed *v);
/* Secure Boot was on when what is in the store was sealed, and is off: it is not sealed anew by itself. */
int binding_secure_boot_off(const struct volumed *v, const struct store *s);
/* Settling could do now what the TPM did not let it do before. */
int binding_is_due(const struct volumed *v);

/* What one sealed object of a credential is to hold. */
struct binding_part {
	enum binding_kind kind;
	struct sealed sealed;
};
/* Take the TPM's lockout, if it is free; guessable: without bounds to guessing nothing is sealed. Seal the parts of a credential and put them into u->store; all others with them, if they are sealed to other
 * values or under another parent. Nothing is written. Errors: those of tpm_seal; ERR_STATE (binding_obstacle is
 * what v->about says), ERR_SPACE, ERR_AUTH (a copy). */
MUST_CHECK enum err binding_put(struct volumed *v, struct unlocked *u, const uint8_t credential[static 16],
				const struct binding_part *parts, size_t count, int guessable);

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

/* As root asks: seal everything to this start, also with Secure Boot off. Errors: as binding_put. */
MUST_CHECK enum err binding_reseal(struct volumed *v);

/* Bindings whose copies the unlock key does not open: out of the store, with the seals of their records, as they
 * would stop each rotation. Names of users; new reference. */
json_t *binding_drop_unreadable(struct unlocked *u);

/* What ends the TPM's part: has to be taken out before the store and the keys are destroyed. */
struct binding_end {
	int has_lockout, has_parent;
	uint8_t lockout[TPM_AUTH_BYTES];
	struct tpm_parent parent;
};
void binding_end_take(struct binding_end *ret, struct volumed *v);
/* Kill: whatever was sealed shall be worth nothing. Wipes *end. */
void binding_end(struct volumed *v, struct binding_end *end);

/* Records of bound kinds in the store: logins, or self-help. */
unsigned binding_count(const struct store *s, int self_help);

#endif
