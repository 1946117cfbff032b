/* Unlock: from what was typed to an opened credential, whatever kind the record is of: one Argon2id, the
 * duress password, the TPM where the record is bound to it, the wrap, the seal. Asking, counting and telling
 * are login.c's. */
#ifndef HOLDFAST_UNLOCK_H
#define HOLDFAST_UNLOCK_H

#include "common/store.h"

/* What one try has given. Holds keys: drop with unlock_drop. */
struct unlock {
	struct credential credential; /* set on OK only */
	enum err tpm;                 /* what the TPM said; OK also where it was not asked */
	uint32_t memory_mib;          /* that could be gathered when the KDF began (firmware_memory_mib) */
	uint32_t kdf_ms, tpm_ms;
	unsigned processors;          /* that took part in the KDF */
};
void unlock_drop(struct unlock *u);

/* Open a record of the store, which need not be verified yet.
 *   ret     written on failure as well: tpm and figures
 *   forget  gives memory back when the KDF finds too little; it is tried once more then
 * Where a duress password does not kill (guard_duress), it is a wrong one also to the TPM, which counts it.
 * Errors: as credential_open. Where ret->tpm is set, the TPM's error is returned: ERR_AUTH (wrong, and counted
 * by the TPM), ERR_LOCKED_OUT, ERR_CHANGED, ERR_MISDIRECTED, ERR_NOT_FOUND, ERR_SIGNATURE, ERR_IO, ERR_FORMAT,
 * ERR_BUSY. Without: ERR_CHANGED (a bound record without its binding), ERR_SIGNATURE also for a record that
 * does not open with what its TPM object holds. */
MUST_CHECK enum err unlock_record(struct unlock *ret, const struct store *s, const struct record *r,
				  const struct secret *typed, void (*forget)(void));

/* The same for a name that nobody has: all that it takes, on what the record of somebody costs, and where
 * that one is bound, a try at its TPM object, which the TPM counts as it counts a wrong one of somebody.
 * The same name always takes the same record. Never OK: ERR_AUTH, or what unlock_record gives. */
MUST_CHECK enum err unlock_nobody(struct unlock *ret, const struct store *s, const char *user,
				  const struct secret *typed, void (*forget)(void));

#endif
