/* Enrol: from an officer's token to a laptop that its server knows. The token's secret and the officer
 * root are handled by volumed; this part carries messages, and checks that they go to the server that
 * the token names. */
#ifndef HOLDFAST_ENROL_H
#define HOLDFAST_ENROL_H

#include "site.h"

/* Everything; on success the site is enrolled. about: for people, on failure.
 * Errors: ERR_FORMAT (token), ERR_NETWORK, ERR_AUTH (the server refuses the token), ERR_STATE (enrolled already),
 * and volumed's. */
MUST_CHECK enum err enrol_run(char about[JOBS_ABOUT_BYTES], struct site *s, const char *token);

#endif
