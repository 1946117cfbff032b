/* Prompt: a recovery key from the person at the console. */
#ifndef HOLDFAST_OPEN_PROMPT_H
#define HOLDFAST_OPEN_PROMPT_H

#include "../../common/secret.h"

/* Ask on standard error, read from standard input. On a terminal each letter shows as a star, and a
 * group is checked as soon as it is typed; else a line is read. *ret is the canonical text. Errors:
 * ERR_FORMAT (a message is out), ERR_IO (end of input). */
MUST_CHECK enum err prompt_recovery(struct secret *ret);

#endif
