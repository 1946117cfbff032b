/* Present password: what a user who asks for himself has to know. Who tries others' is stopped, for each user
 * alone: the TPM's lockout does not count here. */
#ifndef HOLDFAST_PRESENT_H
#define HOLDFAST_PRESENT_H

#include "agent/volumed/unlocked.h"

#define PRESENT_TRIES_MAX 5
#define PRESENT_PAUSE_S 600 /* after that many wrong ones; root's are not counted */

/* Errors: ERR_NOT_FOUND (no such user), ERR_AUTH, ERR_LOCKED (no seal: this user is locked out), ERR_LOCKED_OUT,
 * ERR_RANGE, ERR_MEMORY. */
MUST_CHECK enum err present_check(struct volumed *v, const struct unlocked *u, int by_root, const char *user,
				  const char *present);

#endif
