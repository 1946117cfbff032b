/* What can be a user's name and password. Pre-boot's keyboard gives the printable US characters: what
 * cannot be typed there must not become a password. */
#ifndef HOLDFAST_PASSWORDS_H
#define HOLDFAST_PASSWORDS_H

#include "common/err.h"

/* *ret_why: a sentence for people. Errors: ERR_RANGE. */
MUST_CHECK enum err passwords_check(const char **ret_why, const char *password);
MUST_CHECK enum err passwords_check_user(const char **ret_why, const char *user);

#endif
