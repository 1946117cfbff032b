/* What can be a user's name and password. What cannot be typed at pre-boot must not become a password: it is held
 * against the keyboard layout that pre-boot begins with, and against "us", which pre-boot's switch key reaches from
 * every layout. */
#ifndef HOLDFAST_PASSWORDS_H
#define HOLDFAST_PASSWORDS_H

#include "common/err.h"

/* layout: rules.head.layout of the store; "" or an unknown one: the laptop's own. *ret_why: a sentence for people,
 * which stays until the next call; it names a character by its place only. Errors: ERR_RANGE. */
MUST_CHECK enum err passwords_check_typed(const char **ret_why, const char *password, const char *layout);
/* With the laptop's own layout. */
MUST_CHECK enum err passwords_check(const char **ret_why, const char *password);
MUST_CHECK enum err passwords_check_user(const char **ret_why, const char *user);

#endif
