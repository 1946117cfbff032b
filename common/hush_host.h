/* Hush: a line typed on a terminal that does not show it. Signals that end or stop the program wait until the
 * terminal has its echo again; then they do what they always do. */
#ifndef HOLDFAST_HUSH_HOST_H
#define HOLDFAST_HUSH_HOST_H

#include "secret.h"

/* Show the prompt and read one line into line->bytes (all of line->len may be used); *ret_len counts the newline.
 * Errors: ERR_IO (no terminal, end of input, interrupted). */
MUST_CHECK enum err hush_line(struct secret *line, size_t *ret_len, int tty, const char *prompt);

#endif
