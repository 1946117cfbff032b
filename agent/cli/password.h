/* Passwords as people give them to the command line. */
#ifndef HOLDFAST_PASSWORD_H
#define HOLDFAST_PASSWORD_H

#include <stdio.h>

#include "cli.h"
#include "common/secret.h"

#define PASSWORD_BYTES_MAX 256

/* Ask twice on the terminal, without echo; or, when in is no terminal, read one line of it. *ret is the
 * text without newline, with a NUL behind it that len does not count. Says what is wrong on standard error.
 * Errors: ERR_FORMAT (empty, control characters), ERR_RANGE (too long), ERR_CHANGED (the two differ),
 * ERR_IO (end of input), ERR_MEMORY. */
MUST_CHECK enum err password_read(struct secret *ret, FILE *in, const char *user);

/* The same with other words than "New password" before "for USER". */
MUST_CHECK enum err password_new(struct secret *ret, FILE *in, const char *what, const char *user);
/* What the user signs in with now: once. Errors: as password_read. */
MUST_CHECK enum err password_present(struct secret *ret, FILE *in, const char *user);
/* A line that is no secret, typed visibly. Errors: as password_read. */
MUST_CHECK enum err password_shown(struct secret *ret, FILE *in, const char *prompt);

/* Say what may make it hard to type before the start of the operating system: a key that not every
 * firmware reports, a keyboard layout that has to be switched first, digits that the numeric keypad does
 * not type. Characters are named by their places. layout: the one that pre-boot begins with, or "". */
void password_remarks(FILE *to, const struct secret *password, const char *layout);

/* The same on standard error, with the layout that holdfast-volumed says. */
void password_warn(const struct cli *cli, const struct secret *password);

#endif
