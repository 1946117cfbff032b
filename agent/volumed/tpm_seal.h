/* Sealing on the Linux side, with tpm2-tss (tss.h): the storage root key, sealed objects as common/tpm.h has
 * them, the TPM's lockout. What is secret goes through a session that is salted to the storage root key and
 * encrypts parameters: neither secret nor authorization value is ever plain on the bus.
 *
 * Errors of all: ERR_NOT_FOUND (no TPM, or its stack is not installed), ERR_DENIED (the owner hierarchy has a
 * password that is not ours), ERR_BUSY (tss_run's), ERR_IO, ERR_MEMORY. */
#ifndef HOLDFAST_TPM_SEAL_H
#define HOLDFAST_TPM_SEAL_H

#include "common/bindings.h"
#include "common/tpm.h"

#define TPM_DEVICE "device:/dev/tpmrm0"

/* The TPM's lockout as it is set here. */
#define TPM_TRIES_MAX 10
#define TPM_RECOVERY_S 600
#define TPM_LOCKOUT_RECOVERY_S 86400
/* The worst figures of somebody else's with which a PIN is still one. */
#define TPM_BOUND_TRIES 32
#define TPM_BOUND_RECOVERY_S 300

/* What a TPM says of itself. */
struct tpm_facts {
	char maker[5];          /* such as "IFX", "IBM" */
	int owner_auth;         /* the owner hierarchy has a password */
	int no_parent;          /* it has, and no storage root key is there that could be used without it */
	int lockout_auth;       /* so has the lockout hierarchy */
	struct tpm_lockout lockout;
};
MUST_CHECK enum err tpm_facts_read(struct tpm_facts *ret, const char *tcti);

/* One object to be sealed. Wipe plain. */
struct tpm_item {
	struct sealed plain;
	int with_auth; /* else auth is nothing */
	struct tpm_object object;
};

/* The storage root key: what is persistent at 0x81000001 if it is by the template, else at 0x81004846, else it
 * is made and kept at the first of them that is free; a TPM without room keeps none (handle 0). *ret_made: by
 * this call. Then every item is sealed under it to the policy of pcr7 and TPM_PCR_OWN as zeros, and loaded once.
 * count: at most BINDINGS_MAX; may be 0. */
MUST_CHECK enum err tpm_seal(struct tpm_parent *ret, int *ret_made, struct tpm_item *items,
			     size_t count, const char *tcti, const uint8_t pcr7[static TPM_PCR_BYTES]);

/* Set the lockout's figures, and give the lockout hierarchy this password (its last byte is not 0).
 * Errors: ERR_EXISTS (it has one: nothing was changed). */
MUST_CHECK enum err tpm_lockout_take(const char *tcti, const uint8_t auth[static TPM_AUTH_BYTES]);
/* Forget the tries so far. Errors: ERR_AUTH (another's password: not to be tried again, it locks the hierarchy
 * for a day), ERR_LOCKED_OUT. */
MUST_CHECK enum err tpm_lockout_reset(const char *tcti, const uint8_t auth[static TPM_AUTH_BYTES]);

/* New seeds (TPM2_Clear): whatever was ever sealed is worth nothing. Errors: as tpm_lockout_reset. */
MUST_CHECK enum err tpm_clear(const char *tcti, const uint8_t auth[static TPM_AUTH_BYTES]);
/* Take the storage root key out of the TPM, if it is this one. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err tpm_evict(const char *tcti, const struct tpm_parent *parent);

#endif
