/* Passwords as people give them to the command line. */
#ifndef HOLDFAST_PASSWORD_H
#define HOLDFAST_PASSWORD_H

#include <stdio.h>

#include "common/secret.h"

#define PASSWORD_BYTES_MAX 256

/* Ask twice on the terminal, without echo; or, when in is no terminal, read one line of it. *ret is the
 * text without newline, with a NUL behind it that len does not count. Says what is wrong on standard error.
 * Errors: ERR_FORMAT (empty, control characters), ERR_RANGE (too long), ERR_CHANGED (the two differ),
 * ERR_IO (end of input), ERR_MEMORY. */
MUST_CHECK enum err password_read(struct secret *ret, FILE *in, const char *user);

/* Does it hold a character that a keyboard before the start of the operating system may not deliver?
 * Firmware knows US keyboards only. */
int password_is_hard_to_type(const struct secret *password);

#endif
