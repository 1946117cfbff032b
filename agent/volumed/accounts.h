/* Users of this laptop's pre-boot: each has a password record in the store. After a removal or a new
 * password the unlock key is rotated, so that the old password opens nothing with an old copy of the ESP. */
#ifndef HOLDFAST_ACCOUNTS_H
#define HOLDFAST_ACCOUNTS_H

#include "agent/volumed/unlocked.h"

/* Errors: ERR_RANGE (name or password, v->about says why), ERR_EXISTS, ERR_STATE, ERR_SPACE, ERR_IO. */
MUST_CHECK enum err accounts_add(struct volumed *v, const char *user, const char *password);
/* Errors: as accounts_add; ERR_NOT_FOUND. */
MUST_CHECK enum err accounts_password(struct volumed *v, const char *user, const char *password);
/* Errors: ERR_NOT_FOUND, ERR_STATE (the last user stays). */
MUST_CHECK enum err accounts_remove(struct volumed *v, const char *user);
/* {"users":[{"name","locked","must_change"}]}, malloc'ed. */
MUST_CHECK enum err accounts_list(char **ret, struct volumed *v);

unsigned accounts_count(const struct store *s);

#endif
