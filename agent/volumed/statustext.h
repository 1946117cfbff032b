/* STATUS: everything that a person, the command line or holdfastd may know, as JSON. No secret, and nothing waits
 * without a line in "waiting" that says for what, since when, and what to do. docs/agent.md, "Status". */
#ifndef HOLDFAST_STATUSTEXT_H
#define HOLDFAST_STATUSTEXT_H

#include "agent/volumed/volumed.h"

/* *ret malloc'ed. Errors: ERR_MEMORY. */
MUST_CHECK enum err statustext_make(char **ret, const struct volumed *v);

/* What of it is worth telling the server when it changes. */
void statustext_summary(char *ret, size_t size, const struct volumed *v);

#endif
