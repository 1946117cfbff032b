/* Users of this laptop's pre-boot: each has a login record in the store, of the kind that policy asks for:
 * password, TPM+password or TPM+PIN, the latter where there is a TPM. After a removal or a new
 * password the unlock key is rotated, so that the old password opens nothing with an old copy of the ESP. */
#ifndef HOLDFAST_ACCOUNTS_H
#define HOLDFAST_ACCOUNTS_H

#include "agent/volumed/unlocked.h"

/* must_change: pre-boot asks for another password at the next start.
 * Errors: ERR_RANGE (name or password, v->about says why), ERR_EXISTS, ERR_STATE, ERR_SPACE, ERR_IO. */
MUST_CHECK enum err accounts_add(struct volumed *v, const char *user, const char *password,
				 int must_change);
/* A new record: a duress password goes with the old one. Errors: as accounts_add; ERR_NOT_FOUND. */
MUST_CHECK enum err accounts_password(struct volumed *v, const char *user, const char *password,
				      int must_change);
/* Least characters of a PIN: the TPM's lockout does the rest. */
#define TPM_PIN_MIN 6

/* Another kind of credential; 0: the bound one that policy asks for, else TPM+password. present: what the user signs in with now, which is tested even for root, so that no
 * typing error replaces it. Errors: as accounts_password; ERR_AUTH (present), ERR_LOCKED_OUT (too many wrong
 * ones), ERR_STATE (policy asks for another kind; no TPM: v->about says why), ERR_EXISTS (what is to be bound is the
 * present password). */
MUST_CHECK enum err accounts_bind(struct volumed *v, int by_root, const char *user, const char *present,
				  const char *password, enum credential_kind kind);
/* Give the user a password that kills; "" takes it away. Nobody is told whether there was one.
 * Errors: as accounts_password; ERR_STATE (policy does not allow it), ERR_EXISTS (it is the user's own). */
MUST_CHECK enum err accounts_duress(struct volumed *v, const char *user, const char *password);
/* Errors: ERR_NOT_FOUND, ERR_STATE (the last user stays). */
MUST_CHECK enum err accounts_remove(struct volumed *v, const char *user);
/* {"users":[{"name","kind","self_help","locked","must_change","expires" (s, or null: never)}]}, malloc'ed. */
MUST_CHECK enum err accounts_list(char **ret, struct volumed *v);

/* What new passwords are to become. */
enum credential_kind accounts_kind_of_policy(const struct volumed *v);

/* From when on pre-boot has this password changed, s; 0: never. As preboot/change.c counts. */
uint64_t accounts_expiry(const struct record *r, uint32_t password_days);

#endif
